"""What can be attached: observers, limiters, completion sources, clocks and polling of one's own."""

from typing import assert_type

from toapis_async import (
    AsyncToAPIs,
    AttemptBegun,
    AttemptSettled,
    CallBegun,
    CallEnded,
    Clock,
    CompletionSource,
    Draft,
    EarlierOutputFound,
    Event,
    GatewayChanged,
    GenerationTask,
    HeldUp,
    ItemFailed,
    ItemSkipped,
    ItemUnfinished,
    LimitChanged,
    MemorySink,
    Observer,
    Polling,
    Purpose,
    RateLimiter,
    RateLimitStatus,
    SessionClosed,
    Sink,
    SystemClock,
    TaskFinished,
    TaskLate,
    TaskLookedAt,
    TaskStatus,
    ToAPIsError,
    TransferBegun,
    TransferDone,
    TransferRetried,
)


class Counting:
    def __init__(self) -> None:
        self.finished = 0

    def __call__(self, event: Event, /) -> None:
        match event:
            case TaskFinished(status=status, seconds=seconds):
                assert_type(status, TaskStatus)
                assert_type(seconds, float | None)
                self.finished += 1
            case AttemptSettled(result="in_doubt", error=error) | HeldUp(error=error) | TaskLookedAt(error=error):
                assert_type(error, ToAPIsError | None)
            case AttemptBegun(client_business_id=reference):
                assert_type(reference, str)
            case TransferBegun(host=host) | TransferRetried(host=host) | TransferDone(host=host):
                assert_type(host, str)
            case ItemFailed(error=why) | ItemUnfinished(error=why):
                assert_type(why, ToAPIsError)
            case LimitChanged(before=before, after=after):
                assert_type(after - before, float)
            case CallEnded(verb=verb, error=error, cancelled=cancelled):
                print(verb, cancelled)
                assert_type(error, ToAPIsError | None)
            case GatewayChanged(before=old, after=new):
                assert_type(old + new, str)
            case EarlierOutputFound(lines=lines):
                assert_type(lines, int)
            case TaskLate() | ItemSkipped() | CallBegun() | SessionClosed():
                pass
            case _:
                pass


class Deaf:
    @property
    def trusted(self) -> bool:
        return False

    def expect(self, task_id: str) -> None: ...

    async def news(self, task_id: str, seconds: float) -> GenerationTask | None:
        return None

    def missed(self, task_id: str) -> None: ...

    def forget(self, task_id: str) -> None: ...


observer: Observer = Counting()
source: CompletionSource = Deaf()
clock: Clock = SystemClock()
sink: Sink = MemorySink()
draft: Draft = sink.draft("fox")


def told(limiter: RateLimiter) -> None:
    assert_type(limiter.last_status(Purpose.SUBMIT), RateLimitStatus | None)
    assert_type(limiter.submit_rate, float | None)
    assert_type(limiter.query_rate, float | None)


async def elsewhere(client: AsyncToAPIs, task: GenerationTask) -> None:
    client.session(sink, journal=False)
    async with sink:
        await client.images.download(task, sink)


def shared(limiter: RateLimiter, polling: Polling) -> AsyncToAPIs:
    return AsyncToAPIs(rate_limits=limiter, polling=polling, on_event=observer, clock=clock)
