"""The checker says what the single functions say, whatever it has seen before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from toapis_async.policy.requests.checker import RequestChecker
from toapis_async.policy.requests.pricing import estimate
from toapis_async.policy.requests.request_types import wrong_types
from toapis_async.policy.requests.validation import doubt, violations
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import ImageRequest, VideoRequest

CATALOGUE = packaged_catalogue()
CHECKER = RequestChecker(CATALOGUE)
WORDS = {
    "prompt": st.sampled_from(["a fox", "", " ", "a\0", "x" * 6000, "\ud800", 7, None]),
    "id": st.sampled_from([None, "a", "b", "", " ", 7]),
    "client_business_id": st.sampled_from([None, "r-1", "a/b", "x" * 97, "", 7]),
}
SHAPES = {
    "model": st.sampled_from([*CATALOGUE.names[:6], "gpt-image-1", "sora-2", "sora-3", "mine", "", 7]),
    "size": st.sampled_from([None, "16:9", "17:9", "1024x1024", 1, True]),
    "resolution": st.sampled_from([None, "1K", "4K", "9K"]),
    "extra": st.sampled_from([{}, {"n": 2}, {"metadata": {"resolution": "2K"}}]),
}
IMAGES = st.builds(
    ImageRequest,
    **WORDS,
    **SHAPES,
    n=st.sampled_from([1, 1.0, True, 2, 99]),
    reference_images=st.sampled_from([(), ("https://a.example/a.png",), ("/a.png",) * 15, None]),
    edit=st.sampled_from([False, 0, True]),
)
VIDEOS = st.builds(VideoRequest, **WORDS, **SHAPES, duration=st.sampled_from([None, 5, 5.0, True, 99]))


@settings(max_examples=600)
@given(IMAGES | VIDEOS)
def test_it_says_what_the_single_functions_say(request):
    """A verdict that is remembered is the one that would be given anew."""
    found = CHECKER.check(request)

    assert found.violations == violations(request, CATALOGUE)
    if not wrong_types(request):
        assert found.doubt == doubt(request.model, CATALOGUE)
        assert found.cost_usd == estimate(request, CATALOGUE)


def test_equal_values_of_other_types_are_other_shapes():
    """1 and True are equal and hash alike, and only one of them is a count."""
    checker = RequestChecker(CATALOGUE)

    assert [bool(checker.check(ImageRequest("a", n=n)).violations) for n in (1, True, 1.0, 1)] == [
        False,
        True,
        True,
        False,
    ]


def test_memory_is_bounded():
    """A field that differs each time fills no memory."""
    checker = RequestChecker(CATALOGUE)
    for seed in range(3000):
        checker.check(ImageRequest("a", seed=seed))

    assert len(checker._known) <= 1024
