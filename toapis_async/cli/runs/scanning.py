"""The first reading of a prompt file: everything is checked, counted and priced before anything is sent."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import attrs

from toapis_async.batch.budget import expected_cost
from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.references import is_address
from toapis_async.policy.requests.validation import doubt, violations
from toapis_async.storage.inputs.prompt_source import PromptSource, wrong_reference_file
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.values.kinds import UPLOADED_AS
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference
from toapis_async.values.tasks import Kind
from toapis_async.wire.prompt_fields import LineRules
from toapis_async.wire.prompt_files import Line, read_lines

MOST_COMPLAINTS = 10
_BETWEEN_BREATHS = 500
_BETWEEN_WORDS = 200_000


@attrs.frozen(kw_only=True)
class Caps:
    """What bounds a run.

    Attributes:
        max_cost_usd: the most that it may cost, which needs a price for every request; None for no cap.
        unlisted_price_usd: of an output whose price the catalogue does not know, or None.
        max_images: the most outputs that are asked for, counted from the beginning; None for no such cap.

    """

    max_cost_usd: Decimal | None = None
    unlisted_price_usd: Decimal | None = None
    max_images: int | None = None


@attrs.define(kw_only=True)
class Scan:
    """What a prompt file holds.

    Attributes:
        requests: how many.
        outputs: images and videos that they ask for.
        cost_usd: of those whose price is known.
        unpriced: requests whose price is not; they are in no sum.
        beyond: further requests, which would pass ``max_images``; they are in no other count.
        hashes: prompts of a text file that begin with #.
        doubts: what may be a mistake and is sent all the same; the first few.

    """

    requests: int = 0
    outputs: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    beyond: int = 0
    hashes: int = 0
    doubts: list[str] = attrs.field(factory=list)
    _strangers: set[str] = attrs.field(factory=set)

    def doubt(self, place: str, request: GenerationRequest, rules: LineRules) -> None:
        """Note what may be a mistake: a model that is not known; and, if asked to warn, broken rules."""
        if len(self.doubts) >= MOST_COMPLAINTS:
            return
        told = doubts_of(request, rules)
        if rules.catalogue.find(request.model) is None:
            if request.model in self._strangers:
                told = [one for one in told if one != doubt(request.model, rules.catalogue)]
            self._strangers.add(request.model)
        self.doubts += [f"{place}: {one}" for one in told]


def doubts_of(request: GenerationRequest, rules: LineRules) -> list[str]:
    """Return what a user is warned of before a request is sent; nothing if nothing is to be checked."""
    if rules.validation == "off":
        return []
    told = list(violations(request, rules.catalogue)) if rules.validation == "warn" else []
    stranger = doubt(request.model, rules.catalogue)
    return told + ([stranger] if stranger else [])


async def scan(
    source: PromptSource,
    rules: LineRules,
    *,
    caps: Caps | None = None,
    tell: Callable[[int], None] | None = None,
) -> Scan:
    """Read the whole file, in constant memory.

    Args:
        source: the file.
        rules: how its lines become requests.
        caps: what bounds the run; None for nothing.
        tell: hears now and then how many lines were read; None for nobody.

    Raises:
        InvalidRequestError: something in it is wrong; the first ten places are told, and nothing was sent.

    """
    found, caps = Scan(), caps or Caps()
    complaints: list[str] = []
    clock = SystemClock()
    async with KeyLedger() as ledger:
        for count, line in enumerate(read_lines(source.lines(), source.form, rules)):
            if count % _BETWEEN_BREATHS == 0:
                await clock.sleep(0)  # a signal gets through
            if tell is not None and count and count % _BETWEEN_WORDS == 0:
                tell(count)
            wrong = line.wrong or _wrong_here(line, ledger, rules, caps)
            complaints.extend(f"{source.name}:{line.number}: {sentence}" for sentence in wrong)
            if len(complaints) >= MOST_COMPLAINTS:
                break
            if line.request is not None:
                _count(found, line.request, line.number, source, rules, caps)
    if complaints:
        raise _refusal(complaints)
    if found.hashes and not rules.comments:
        found.doubts.append(
            f"{source.name}: {found.hashes:,} prompts begin with #; they are sent as they are (--comments leaves such "
            "lines out)"
        )
    if not found.requests and not found.beyond:
        raise InvalidRequestError(f"{source.name} holds no prompts.", hint="Put one request on each line.")
    return found


def requests_of(source: PromptSource, rules: LineRules) -> Iterator[GenerationRequest]:
    """Read the file again, lazily, to send what is in it.

    Raises:
        InvalidRequestError: it has changed since it was checked.

    """
    for line in read_lines(source.lines(), source.form, rules):
        if line.request is None:
            raise InvalidRequestError(
                f"{source.name}:{line.number} was changed while the run read it: {'; '.join(line.wrong)}",
                hint="Correct it and resume: what was accepted is not sent again.",
            )
        yield line.request


def _count(
    found: Scan, request: GenerationRequest, number: int, source: PromptSource, rules: LineRules, caps: Caps
) -> None:
    outputs = int(getattr(request, "n", 1))
    if caps.max_images is not None and (found.beyond or found.outputs + outputs > caps.max_images):
        found.beyond += 1
        return
    found.requests += 1
    found.outputs += outputs
    found.hashes += source.form == "txt" and request.prompt.startswith("#")
    price = expected_cost(request, rules.catalogue, caps.unlisted_price_usd)
    if price is None:
        found.unpriced += 1
    else:
        found.cost_usd += price
    found.doubt(f"{source.name}:{number}", request, rules)


def _wrong_here(line: Line, ledger: KeyLedger, rules: LineRules, caps: Caps) -> list[str]:
    request = line.request
    if request is None:
        return []
    found = wrong_references(request)
    if request.id is not None and ledger.seen(request.id):
        found.append(f"id {request.id!r} stands on an earlier line too; ids name files, so each may be used once")
    priced = expected_cost(request, rules.catalogue, caps.unlisted_price_usd) is not None
    if caps.max_cost_usd is not None and not priced:
        found.append(
            f"no price is known for model {request.model!r}, so --max-cost could not be kept: say what an image costs "
            "(--price USD), or cap their number instead (--max-images N)"
        )
    return found


def wrong_references(request: GenerationRequest) -> list[str]:
    """Return a sentence for each local reference of a request that cannot be uploaded."""
    return [wrong for path, kind in _local_files(request) if (wrong := wrong_reference_file(path, kind))]


def _local_files(request: GenerationRequest) -> Iterator[tuple[str, Kind]]:
    for field, kind in UPLOADED_AS.items():
        given = getattr(request, field, None)
        for reference in given if isinstance(given, tuple) else (given,):
            yield from _local(reference, kind)


def _local(reference: Reference | RoleReference | None, kind: Kind) -> Iterator[tuple[str, Kind]]:
    source = reference.source if isinstance(reference, RoleReference) else reference
    if source is not None and not isinstance(source, bytes) and not is_address(source):
        yield str(source), kind


def _refusal(complaints: list[str]) -> InvalidRequestError:
    shown = complaints[:MOST_COMPLAINTS]
    more = ["… and perhaps more below"] if len(complaints) >= MOST_COMPLAINTS else []
    return InvalidRequestError(
        "\n".join(["The prompts were not sent:", *shown, *more]),
        violations=tuple(complaints),
        hint="Nothing was sent. Correct these lines and start again.",
    )
