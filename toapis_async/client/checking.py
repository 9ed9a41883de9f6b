"""Checking a request before anything is sent for it."""

import warnings

from toapis_async.client.gateway import Gateway
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.request_types import wrong_types
from toapis_async.policy.requests.validation import doubt
from toapis_async.values.kinds import REQUESTS
from toapis_async.values.requests import GenerationRequest

_CATALOGUE = (
    "Correct it. If you know the gateway better than the catalogue does: --validation warn, or validation='warn' "
    "(or 'off'), in Python."
)


def check(request: GenerationRequest, gateway: Gateway) -> None:
    """Refuse a request that cannot be right, as strictly as the client was told to be.

    Of a model that the catalogue does not know it warns once (``UserWarning``), unless ``validation`` is ``off``.

    Raises:
        InvalidRequestError: it is no request, or breaks a rule of its model and ``validation`` is ``strict``.

    """
    _check_kind(request)
    if gateway.validation != "off":
        judge(gateway.checker.check(request).violations, gateway)
        _warn_of_a_stranger(request.model, gateway)


def _warn_of_a_stranger(model: str, gateway: Gateway) -> None:
    if gateway.catalogue.find(model) is not None or model in gateway.warned_of:
        return
    gateway.warned_of.add(model)
    if sentence := doubt(model, gateway.catalogue):
        warnings.warn(sentence, stacklevel=4)


def check_types(request: GenerationRequest, gateway: Gateway) -> None:
    """Refuse what is no request, or has a field of a wrong type; ``check()`` has to follow before it is sent.

    Raises:
        InvalidRequestError: it cannot be read, and ``validation`` is ``strict``.

    """
    _check_kind(request)
    if gateway.validation == "strict":
        judge(tuple(wrong_types(request)), gateway)


def _check_kind(request: object) -> None:
    if not isinstance(request, REQUESTS):
        allowed = " or ".join(one.__name__ for one in REQUESTS)
        meant = ": write prompt=… before the text, or make a request of it" if isinstance(request, str) else ""
        raise InvalidRequestError.refused((f"a request must be an {allowed}, not {type(request).__name__}{meant}",))


def judge(found: tuple[str, ...], gateway: Gateway) -> None:
    """Do with violations what the client was told to do.

    Raises:
        InvalidRequestError: there are some, and ``validation`` is ``strict``.

    """
    if not found or gateway.validation == "off":
        return
    if gateway.validation == "strict":
        raise InvalidRequestError.refused(found, hint=_CATALOGUE)
    warnings.warn("; ".join(found), stacklevel=3)
