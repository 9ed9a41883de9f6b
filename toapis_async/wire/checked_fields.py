"""The fields of many lines against the rules: checked all, counted and priced, and most never made into a request."""

import attrs

from toapis_async.policy.requests.checker import Findings, plain_words
from toapis_async.values.kinds import kind_of
from toapis_async.values.requests import GenerationRequest
from toapis_async.wire.prompt_fields import LineRules, request_of
from toapis_async.wire.table_columns import Fields, Violations

_WORDS = frozenset({"prompt", "id", "client_business_id"})
_MOST_SHAPES = 1024


@attrs.frozen
class Checked:
    """A line in which nothing is wrong.

    Attributes:
        id: the user's own, or None.
        model: as the line or the default names it.
        outputs: how many files it asks for.
        findings: about its request.
        request: what it asks for; None where it is like an earlier one in everything but its words.

    """

    id: str | None
    model: str
    outputs: int
    findings: Findings
    request: GenerationRequest | None = None


@attrs.define(eq=False)
class FieldChecker:
    """Says of every line what ``request_of()`` and the catalogue say of it.

    Attributes:
        rules: how lines become requests.

    """

    rules: LineRules
    _known: dict[object, tuple[Checked, int | None]] = attrs.field(init=False, repr=False, factory=dict)

    def check(self, fields: Fields) -> Checked | Violations:
        """Return what is known of a line, or a sentence for everything that is wrong with it."""
        try:
            # 1, 1.0 and True are equal, and are not the same count.
            shape = tuple([(name, value, type(value)) for name, value in fields.items() if name not in _WORDS])
            known = self._known.get(shape)
        except TypeError:  # a list or an object, which may show files
            return self._checked(fields)
        if known is not None:
            like, most = known
            if _has_plain_words(fields, most):
                return Checked(fields.get("id"), like.model, like.outputs, like.findings)
        checked = self._checked(fields)
        if isinstance(checked, Checked) and checked.request is not None and _is_repeatable(checked.request):
            model = self.rules.catalogue.find(checked.model)
            most = None if model is None else model.prompt_max_chars
            # What is wrong with the words of this line is not wrong with those of the next.
            if _has_plain_words(fields, most):
                if len(self._known) >= _MOST_SHAPES:
                    self._known.clear()
                self._known[shape] = (checked, most)
        return checked

    def _checked(self, fields: Fields) -> Checked | Violations:
        request = request_of(fields, self.rules)
        if isinstance(request, tuple):
            return request
        findings = self.rules.checker.check(request)
        return Checked(request.id, request.model, getattr(request, "n", 1), findings, request)


def _is_repeatable(request: GenerationRequest) -> bool:
    return not request.extra and not any(getattr(request, name) for name in kind_of(request).shown)


def _has_plain_words(fields: Fields, prompt_max_chars: int | None) -> bool:
    prompt, own, reference = (fields.get(name) for name in ("prompt", "id", "client_business_id"))
    return plain_words(prompt, own, reference, prompt_max_chars=prompt_max_chars)
