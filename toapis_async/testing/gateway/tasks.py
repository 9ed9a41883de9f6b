"""One simulated task: its fate is decided when it is accepted, its state follows from the time."""

import math
from collections.abc import Mapping
from decimal import Decimal

import attrs

from toapis_async.testing.gateway.model_list import Product
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.scenario.misbehaviour import Fail
from toapis_async.values.tasks import Kind


@attrs.define
class ResultFile:
    """A file that a task makes.

    Attributes:
        path: on the file host; changes when a link is renewed.
        picture: what is on it; None for a video.
        forbidden: whether the host refuses it until the task is looked up again.
        renew: whether it then moves to another path.
        last_frame: of a video, a picture; None where none was asked for.

    """

    path: str
    picture: Picture | None
    forbidden: bool = False
    renew: bool = False
    last_frame: "ResultFile | None" = None


@attrs.define(eq=False)
class SimulatedTask:
    """A task of the simulated gateway. All times are epoch seconds of the simulator's clock.

    Attributes:
        id: what status queries name.
        kind: by its endpoint.
        makes: what comes out.
        number: counts the accepted tasks from 1.
        user_id: whose it is.
        model, prompt, client_business_id: as submitted.
        accepted_at, ends_at: the whole of its life; ``ends_at`` may be infinite.
        words: what it says before its end, in order.
        failure: why it will fail, or None.
        price_usd: what was charged for it; paid back when it fails.
        settled_usd: what it costs when it has succeeded.
        usage: the token counts that it tells when it has ended, or None.
        files: what it makes.
        link_life: seconds for which its files can be fetched.
        metadata: what the gateway echoes of the submission, or None where the model leaves it out.
        shown_id: what the submission's answer calls ``id`` where that differs from the task's id.
        settled: whether the books know its end.

    """

    id: str
    kind: Kind
    makes: Product
    number: int
    user_id: int
    model: str
    prompt: str
    client_business_id: str | None
    accepted_at: float
    ends_at: float
    words: tuple[str, ...]
    failure: Fail | None
    price_usd: Decimal
    settled_usd: Decimal
    usage: Mapping[str, object] | None
    link_life: float
    files: tuple[ResultFile, ...] = ()
    metadata: dict[str, object] | None = None
    shown_id: str | None = None
    remixed_from: str | None = None
    callback_url: str | None = None
    settled: bool = False
    last_body: tuple[object, bytes] | None = attrs.field(default=None, repr=False)

    @property
    def all_files(self) -> tuple[ResultFile, ...]:
        """What it makes, last frames included."""
        return self.files + tuple(file.last_frame for file in self.files if file.last_frame is not None)

    @property
    def completed_at(self) -> int:
        """The whole second of its end."""
        return math.floor(self.ends_at)

    @property
    def expires_at(self) -> int:
        """The whole second from which its files are gone."""
        return math.floor(self.completed_at + self.link_life)

    def ended(self, now: float) -> bool:
        """Whether it is completed or failed."""
        return now >= self.ends_at

    def standing(self, now: float) -> tuple[str, int]:
        """The status word and the progress, 0 to 100."""
        if now >= self.ends_at:
            return ("completed", 100) if self.failure is None else (self.failure.word, self.failure.progress)
        share = (now - self.accepted_at) / (self.ends_at - self.accepted_at)
        last = len(self.words) - 1
        place = min(last, int(share * (last + 2)))
        if place < last or last == 0:
            return self.words[place], 0
        # Progress moves in steps of five, as services report it.
        return self.words[place], max(5, min(95, int(share * 20) * 5))
