"""The pacer against a gateway with a token bucket, in virtual time: done-when 2 of the flow issue."""

import asyncio
from random import Random

import attrs
import pytest

from toapis_async.testing.fake_clock import FakeClock
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import Purpose

WORDINGS = {
    "per minute, tokens, epoch": (60, 1.0, "epoch"),
    "per 10 s, tokens, seconds": (10, 1.0, "seconds"),
    "per second, tokens, epoch in milliseconds": (1, 1.0, "milliseconds"),
    "per minute, remaining in proportion": (60, None, "epoch"),
    "per 10 s, remaining in proportion": (10, None, "seconds"),
}


@attrs.define
class BucketGateway:
    """A token bucket as documented, with headers in one of many wordings, or none."""

    clock: FakeClock
    per_second: float
    burst: float
    wording: tuple[int, float | None, str] | None = None
    retry_after: bool = True
    category: bool = True
    outage: tuple[float, float] = (0.0, 0.0)
    scattered: float = 0.0
    posts: int = 0
    refused: int = 0
    _tokens: float = attrs.field(init=False)
    _at: float = attrs.field(init=False, default=0.0)
    _random: Random = attrs.field(init=False, factory=lambda: Random(3))

    def __attrs_post_init__(self) -> None:
        self._tokens = self.burst

    def answer(self) -> tuple[int, dict[str, str]]:
        now = self.clock.monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.per_second)
        self._at = now
        self.posts += 1
        broken = self.outage[0] <= now < self.outage[1] or self._random.random() < self.scattered
        if self._tokens >= 1.0 and not broken:
            self._tokens -= 1.0
            return 200, self._headers(now)
        self.refused += 1
        headers = self._headers(now)
        if self.retry_after:
            headers["Retry-After"] = "1"
        return 429, headers

    def _headers(self, now: float) -> dict[str, str]:
        if self.wording is None:
            return {}
        unit, share, reset = self.wording
        limit = int(self.per_second * unit)
        remaining = int(self._tokens) if share else int(self._tokens / self.burst * limit)
        full = (self.burst - self._tokens) / self.per_second
        text = {
            "epoch": str(int(self.clock.epoch + now + full) + 1),
            "milliseconds": str(int(1000 * (self.clock.epoch + now + full))),
            "seconds": str(int(full) + 1),
        }[reset]
        out = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": text}
        return out | ({"X-RateLimit-Category": "async_submit"} if self.category else {})


async def run(gateway: BucketGateway, pacer: Pacer, items: int, *, latency: float = 1.0, rtt: float = 0.02) -> float:
    """Submit so many items and wait for each; give the makespan in seconds."""
    random = Random(7)
    clock = gateway.clock

    async def item() -> None:
        while True:
            await pacer.acquire(Purpose.SUBMIT)
            await clock.sleep(rtt * random.uniform(0.3, 0.7))
            status, headers = gateway.answer()
            await clock.sleep(rtt * random.uniform(0.3, 0.7))
            pacer.heard(Purpose.SUBMIT, status, headers)
            if status == 200:
                break
            await clock.sleep(random.uniform(1.0, 1.25))
        await clock.sleep(latency)

    async with asyncio.TaskGroup() as group:
        for _ in range(items):
            group.create_task(item())
    return clock.monotonic()


@pytest.mark.parametrize("wording", WORDINGS)
async def test_auto_with_headers_keeps_to_the_limit(wording: str) -> None:
    """Whatever unit the headers use, 3,000 images take at most 1.05 of the ideal, with under 1 % refused."""
    clock = FakeClock()
    gateway = BucketGateway(clock, 50.0, 50.0, WORDINGS[wording])
    pacer = Pacer("auto", clock=clock, random=Random(1))

    makespan = await run(gateway, pacer, 3000)

    ideal = (3000 - 50) / 50 + 1.0
    assert ideal / makespan >= 0.95
    assert gateway.refused / gateway.posts < 0.01


@pytest.mark.parametrize("retry_after", [True, False])
async def test_auto_without_headers_finds_the_limit(retry_after: bool) -> None:
    """From the default tier it probes up to 50/s: at least 0.85 of ideal, under 5 % refused."""
    clock = FakeClock()
    gateway = BucketGateway(clock, 50.0, 50.0, retry_after=retry_after)
    pacer = Pacer("auto", clock=clock, random=Random(1))

    makespan = await run(gateway, pacer, 3000)

    ideal = (3000 - 50) / 50 + 1.0
    assert ideal / makespan >= 0.85
    assert gateway.refused / gateway.posts < 0.05


@pytest.mark.parametrize("wording", [None, "per minute, tokens, epoch"])
async def test_auto_does_not_storm_the_default_tier(wording: str | None) -> None:
    """At 5/s the limit is found and held: 600 images in nearly the ideal time, at most a refusal per cool-down."""
    clock = FakeClock()
    gateway = BucketGateway(clock, 5.0, 50.0, None if wording is None else WORDINGS[wording])
    pacer = Pacer("auto", clock=clock, random=Random(1))

    makespan = await run(gateway, pacer, 600, latency=20.0)

    ideal = (600 - 50) / 5 + 20.0
    assert ideal / makespan >= 0.9
    assert gateway.refused / gateway.posts < 0.02


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize("outage", [(0.0, 60.0), (0.0, 600.0), (5.0, 65.0)])
async def test_after_an_outage_the_limit_is_used_again(outage: tuple[float, float], retry_after: bool) -> None:
    """2,000 through a gateway that refuses everything and then allows 50/s: done within 1.3 of what it allows."""
    clock = FakeClock()
    gateway = BucketGateway(clock, 50.0, 50.0, retry_after=retry_after, outage=outage)
    pacer = Pacer("auto", clock=clock, random=Random(1))

    makespan = await run(gateway, pacer, 2000)

    assert makespan - outage[1] <= 1.3 * (2000 / 50 + 1.0)


@pytest.mark.parametrize(
    ("setting", "per_second", "burst"),
    [("default", 5.0, 50.0), ("vip", 1000 / 60, 167.0), ("auto", 1000 / 60, 167.0), ("auto", 5.0, 50.0)],
)
async def test_after_an_outage_each_tier_is_used_again(setting: str, per_second: float, burst: float) -> None:
    """Whether the limit was given or has to be found, one minute of refusals costs a tenth at most."""
    clock = FakeClock()
    gateway = BucketGateway(clock, per_second, burst, retry_after=False, outage=(0.0, 60.0))
    pacer = Pacer(setting, clock=clock, random=Random(1))  # type: ignore[arg-type]
    items = int(burst + 60 * per_second)

    makespan = await run(gateway, pacer, items)

    assert makespan - 60.0 <= 1.1 * 61.0


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize(
    ("per_second", "burst", "items"), [(5.0, 50.0, 600), (1000 / 60, 167.0, 1500), (50.0, 50.0, 3000)]
)
async def test_scattered_refusals_cost_little(per_second: float, burst: float, items: int, retry_after: bool) -> None:
    """One refusal in twenty, at random: the limit is found and used all the same."""
    spans = []
    for scattered in (0.0, 0.05):
        clock = FakeClock()
        gateway = BucketGateway(clock, per_second, burst, retry_after=retry_after, scattered=scattered)
        spans.append(await run(gateway, Pacer("auto", clock=clock, random=Random(1)), items))

    # The last ones that were refused wait for a second or two each before they ask again.
    assert spans[1] <= 1.1 * spans[0] + 2.0
