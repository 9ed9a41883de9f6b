"""Many requests against one catalogue: what holds for a whole shape of request is found out once.

A shape is everything but the words (prompt, id, client_business_id); what shows references or gives further fields has
none, and is checked each time. Most runs send thousands of requests of a few
shapes, and of a known one only the words are looked at.
"""

from decimal import Decimal
from operator import attrgetter

import attrs

from toapis_async.policy.requests.pricing import estimate
from toapis_async.policy.requests.request_types import wrong_types
from toapis_async.policy.requests.validation import doubt, is_writable, violations, wrong_business_id
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.kinds import KINDS
from toapis_async.values.requests import GenerationRequest

_MOST_SHAPES = 1024
# What may differ within a shape: looked at each time, or (what is carried along) never.
_WORDS = ("prompt", "id", "client_business_id", "extra", "context")
_shapes = {kind.request: attrgetter(*(name for name in kind.forms if name not in _WORDS)) for kind in KINDS.values()}
_shown = {kind.request: attrgetter(*kind.shown) for kind in KINDS.values()}


@attrs.frozen(kw_only=True)
class Findings:
    """What is known of a request before it is sent.

    Attributes:
        violations: a sentence for everything that is certainly wrong.
        doubt: a sentence about a model that the catalogue does not know, or None.
        cost_usd: what it will cost, in USD; None where no price is known.

    """

    violations: tuple[str, ...]
    doubt: str | None
    cost_usd: Decimal | None


@attrs.define(eq=False)
class RequestChecker:
    """Checks requests against a catalogue; the answers are those of ``violations()``, ``doubt()`` and ``estimate()``.

    Attributes:
        catalogue: what the models accept, and what they cost.
        allow_local: as for ``violations()``.

    """

    catalogue: Catalogue
    allow_local: bool = attrs.field(default=False, kw_only=True)
    _known: dict[object, Findings] = attrs.field(init=False, repr=False, factory=dict)

    def check(self, request: GenerationRequest) -> Findings:
        """Return what is known of a request; fields of wrong types are told too."""
        shape = self._shape(request)
        if shape is None:
            return self._findings(request)
        try:
            found = self._known.get(shape)
        except TypeError:  # a field holds what cannot be hashed, so what it may be is not known
            return self._findings(request)
        if found is None:
            found = self._findings(request)
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            self._known[shape] = found
        return found

    def _shape(self, request: GenerationRequest) -> object:
        """Return what its findings depend on; None where they depend on its words."""
        fields = _shapes.get(type(request))
        if fields is None or type(request.extra) is not dict or request.extra:
            return None
        if any(_shown[type(request)](request)) or not self._plain_words(request):
            return None
        values = fields(request)
        # 1, 1.0 and True are equal, and are not the same count.
        return (fields, values, *map(type, values))

    def _plain_words(self, request: GenerationRequest) -> bool:
        model = self.catalogue.find(request.model) if type(request.model) is str else None
        most = None if model is None else model.prompt_max_chars
        return plain_words(request.prompt, request.id, request.client_business_id, prompt_max_chars=most)

    def _findings(self, request: GenerationRequest) -> Findings:
        wrong = tuple(wrong_types(request))
        if wrong:
            return Findings(violations=wrong, doubt=None, cost_usd=None)
        return Findings(
            violations=violations(request, self.catalogue, allow_local=self.allow_local),
            doubt=doubt(request.model, self.catalogue),
            cost_usd=estimate(request, self.catalogue),
        )


def plain_words(prompt: object, own: object, reference: object, *, prompt_max_chars: int | None) -> bool:
    """Whether nothing about the words of a request is wrong, whatever else it says.

    Args:
        prompt: what to make; an empty one is not plain, since some models take it.
        own: the item's id, or None.
        reference: the user's own ``client_business_id``, or None.
        prompt_max_chars: of the model; None where none are documented.

    """
    if type(prompt) is not str or not prompt or prompt.isspace() or not is_writable(prompt):
        return False
    if prompt_max_chars is not None and len(prompt) > prompt_max_chars:
        return False
    if own is not None and (type(own) is not str or not own or own.isspace()):
        return False
    return reference is None or (type(reference) is str and not any(wrong_business_id(reference)))
