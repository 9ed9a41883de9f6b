"""The first reading of a prompt file: everything is checked, counted and priced before anything is sent."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import attrs

from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.checker import Findings
from toapis_async.policy.requests.references import is_address
from toapis_async.storage.inputs.prompt_source import PromptSource, wrong_reference_file
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.values.columns import CarriedColumns
from toapis_async.values.kinds import UPLOADED_AS
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference
from toapis_async.values.tasks import Kind
from toapis_async.wire.checked_fields import Checked, FieldChecker
from toapis_async.wire.prompt_fields import LineRules, request_of
from toapis_async.wire.prompt_files import Line
from toapis_async.wire.table_columns import Fields, Violations

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

    def cost_of(self, checked: Checked) -> Decimal | None:
        """Return what a request is expected to cost, in USD, or None where that is not known."""
        known, unlisted = checked.findings.cost_usd, self.unlisted_price_usd
        return known if known is not None or unlisted is None else unlisted * checked.outputs


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
        left: columns that are not used.

    """

    requests: int = 0
    outputs: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    beyond: int = 0
    hashes: int = 0
    doubts: list[str] = attrs.field(factory=list)
    left: tuple[str, ...] = ()
    _strangers: set[str] = attrs.field(factory=set)

    def count(self, checked: Checked, caps: Caps) -> None:
        """Add a request, or only note that there is one more where it would pass ``max_images``."""
        most = caps.max_images
        if most is not None and (self.beyond or self.outputs + checked.outputs > most):
            self.beyond += 1
            return
        self.requests += 1
        self.outputs += checked.outputs
        price = caps.cost_of(checked)
        if price is None:
            self.unpriced += 1
        else:
            self.cost_usd += price

    def doubt(self, place: str, checked: Checked, rules: LineRules) -> None:
        """Note what may be a mistake: a model that is not known; and, if asked to warn, broken rules."""
        told = _doubts(checked.findings, rules)
        if not told or len(self.doubts) >= MOST_COMPLAINTS:
            return
        if rules.catalogue.find(checked.model) is None:
            if checked.model in self._strangers:
                told = [one for one in told if one != checked.findings.doubt]
            self._strangers.add(checked.model)
        self.doubts += [f"{place}: {one}" for one in told]


def doubts_of(request: GenerationRequest, rules: LineRules) -> list[str]:
    """Return what a user is warned of before a request is sent; nothing if nothing is to be checked."""
    return _doubts(rules.checker.check(request), rules)


def _doubts(found: Findings, rules: LineRules) -> list[str]:
    if rules.validation == "off":
        return []
    told = list(found.violations) if rules.validation == "warn" else []
    return [*told, found.doubt] if found.doubt else told


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
    checker = FieldChecker(rules)

    def check(fields: Fields, _: CarriedColumns | None) -> Checked | Violations:
        found.hashes += source.form == "txt" and str(fields["prompt"]).startswith("#")
        return checker.check(fields)

    async with KeyLedger() as ledger:
        for count, line in enumerate(source.read(rules.columns, check)):
            if count % _BETWEEN_BREATHS == 0:
                await clock.sleep(0)  # a signal gets through
            if tell is not None and count and count % _BETWEEN_WORDS == 0:
                tell(count)
            checked = line.made
            found.left = found.left or line.left
            wrong = line.wrong if checked is None else _wrong_here(checked, ledger, caps)
            complaints.extend(f"{source.name}:{line.number}: {sentence}" for sentence in wrong)
            if len(complaints) >= MOST_COMPLAINTS:
                break
            if checked is not None:
                found.count(checked, caps)
                found.doubt(f"{source.name}:{line.number}", checked, rules)
    if complaints:
        raise _refusal(complaints)
    if found.hashes:
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

    def make(fields: Fields, carried: CarriedColumns | None) -> GenerationRequest | Violations:
        return request_of(fields, rules, carried)

    lines: Iterator[Line[GenerationRequest]] = source.read(rules.columns, make)
    for line in lines:
        if line.made is None:
            raise InvalidRequestError(
                f"{source.name}:{line.number} was changed while the run read it: {'; '.join(line.wrong)}",
                hint="Correct it and resume: what was accepted is not sent again.",
            )
        yield line.made


def _wrong_here(checked: Checked, ledger: KeyLedger, caps: Caps) -> list[str]:
    found = [] if checked.request is None else wrong_references(checked.request)
    if checked.id is not None and ledger.seen(checked.id):
        found.append(f"id {checked.id!r} stands on an earlier line too; ids name files, so each may be used once")
    if caps.max_cost_usd is not None and caps.cost_of(checked) is None:
        found.append(
            f"no price is known for model {checked.model!r}, so --max-cost could not be kept: say what an image costs "
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
