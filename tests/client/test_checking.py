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
