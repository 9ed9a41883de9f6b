"""The public face: complete, sorted, and what the documentation says."""

import importlib
import inspect
import pickle

import pytest

import toapis_async

FIXED = {
    "AsyncToAPIs",
    "ImageRequest",
    "VideoRequest",
    "FixedPolling",
    "LearnedPolling",
    "RateLimits",
    "GenerationTask",
    "TaskStatus",
    "GenerationSession",
    "Saved",
    "Failed",
    "Unfinished",
    "Report",
    "SavedFile",
    "Catalogue",
    "Delivery",
    "verify_webhook",
    "__version__",
}


def errors():
    from toapis_async import errors

    return {
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, Exception) and thing.__module__ == errors.__name__
    }


def test_the_names_are_sorted():
    """``__all__`` holds each name once, in order."""
    names = toapis_async.__all__
    assert sorted(set(names)) == names


def test_the_names_are_complete():
    """Every fixed name and every error is public, and everything public is there."""
    assert FIXED | errors() <= set(toapis_async.__all__)
    for name in toapis_async.__all__:
        assert getattr(toapis_async, name) is not None
    assert set(toapis_async.__all__) <= set(dir(toapis_async))


def test_a_name_that_is_not_there_says_so():
    """A misspelt name is an AttributeError, as everywhere."""
    with pytest.raises(AttributeError, match="AsyncToApis"):
        toapis_async.AsyncToApis  # noqa: B018


def test_types_of_public_calls_are_public():
    """What public calls of the client return and take can be named from the root."""
    for name in (
        "AbandonedSubmission", "AvailableModel", "Balance", "Billing", "GracePeriods", "Item", "Job",
        "Model", "OutcomeStream", "RoleReference", "Event", "Statistics", "TaskFailure", "TaskFile", "Upload",
        "WebhookEvent",
    ):  # fmt: skip
        assert name in toapis_async.__all__


def test_the_face_is_the_documented_one():
    """The verbs and settings of the client are those that are promised."""
    client = toapis_async.AsyncToAPIs(api_key="sk-1")
    for path in (
        "images.generate", "images.submit", "images.retrieve", "images.wait", "images.download", "images.edit",
        "videos.generate", "videos.submit", "videos.retrieve", "videos.wait", "videos.download", "videos.remix",
        "videos.extend", "uploads.image", "uploads.video", "account.balance", "account.user_balance", "models.list",
        "session", "aclose",
    ):  # fmt: skip
        thing = client
        for part in path.split("."):
            thing = getattr(thing, part)
        assert callable(thing), path
        assert inspect.getdoc(thing), path
    settings = set(inspect.signature(toapis_async.AsyncToAPIs).parameters)
    assert {
        "api_key", "base_url", "http_session", "timeout", "max_retries", "rate_limits", "polling", "validation",
    } <= settings  # fmt: skip
    session = set(inspect.signature(client.session).parameters)
    assert {
        "directory", "max_concurrency", "download_workers", "journal", "polling", "max_cost_usd", "on_event",
    } <= session  # fmt: skip


def test_public_things_are_described():
    """Every public class and function has a docstring of its own."""
    for name in toapis_async.__all__:
        thing = getattr(toapis_async, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__doc__, name


def test_values_pickle():
    """Requests and settings can be sent to another process."""
    for value in (
        toapis_async.ImageRequest("a fox", size="16:9", extra={"seed": 1}),
        toapis_async.VideoRequest("a fox", model="sora-2"),
        toapis_async.FixedPolling(3.0),
        toapis_async.LearnedPolling(),
        toapis_async.RateLimits(submit_per_second=1, submit_burst=2, query_per_second=3, query_burst=4),
    ):
        assert value == pickle.loads(pickle.dumps(value))


def test_the_testing_names_are_there():
    """What the testing package names can be imported from it."""
    testing = importlib.import_module("toapis_async.testing")
    assert sorted(testing.__all__) == sorted(set(testing.__all__))
    for name in testing.__all__:
        assert getattr(testing, name) is not None
