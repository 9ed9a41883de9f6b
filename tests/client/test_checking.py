"""Refusing a request before anything is sent for it."""

import pytest

from toapis_async.client.checking import check
from toapis_async.errors import InvalidRequestError
from toapis_async.values.requests import ImageRequest

WRONG = ImageRequest("a fox", size="17:3")


def test_strict_refuses_and_lists_what_is_allowed(scripted_gateway):
    """The refusal names the value and the sizes that the model has."""
    with pytest.raises(InvalidRequestError) as caught:
        check(WRONG, scripted_gateway([]))
    assert caught.value.http_status is None
    assert "17:3" in caught.value.message
    assert "16:9" in caught.value.message
    assert len(caught.value.violations) == 1


def test_warn_warns_and_off_is_silent(scripted_gateway):
    """Users who know better are warned, or left alone."""
    with pytest.warns(UserWarning, match="17:3"):
        check(WRONG, scripted_gateway([], validation="warn"))
    check(WRONG, scripted_gateway([], validation="off"))


@pytest.mark.parametrize("validation", ["strict", "off"])
@pytest.mark.parametrize("thing", ["a fox", None, {"prompt": "a fox"}, 7])
def test_what_is_no_request_is_refused_always(scripted_gateway, validation, thing):
    """Whatever validation is set to, only requests are sent."""
    with pytest.raises(InvalidRequestError, match=type(thing).__name__):
        check(thing, scripted_gateway([], validation=validation))


def test_a_right_request_passes(scripted_gateway):
    """A request that breaks no rule passes in silence."""
    check(ImageRequest("a fox", size="16:9"), scripted_gateway([]))


@pytest.mark.parametrize("validation", ["strict", "warn"])
def test_an_unknown_model_is_warned_of_once(scripted_gateway, validation):
    """Its request passes; the user is told once in a client's life that nothing of it was checked."""
    gateway = scripted_gateway([], validation=validation)
    request = ImageRequest("a fox", model="future-1")
    with pytest.warns(UserWarning, match="'future-1' is not in the catalogue"):
        check(request, gateway)
    check(request, gateway)  # warnings are errors here


def test_a_misspelled_model_is_refused(scripted_gateway):
    """One slip away from a known model is no model of tomorrow; with ``off`` it is sent in silence."""
    request = ImageRequest("a fox", model="gemini-2.5-flash-image-previw")
    with pytest.raises(InvalidRequestError, match=r"gemini-2\.5-flash-image-preview"):
        check(request, scripted_gateway([]))
    check(request, scripted_gateway([], validation="off"))
