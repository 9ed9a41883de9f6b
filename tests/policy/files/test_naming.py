"""Names are stable, safe and never shared."""

import subprocess
import sys
import unicodedata
from itertools import islice
from pathlib import Path, PurePosixPath

import attrs
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from toapis_async.policy.files.naming import (
    client_business_id,
    file_names,
    file_stem,
    item_key,
    request_digest,
    slug,
    task_stem,
)
from toapis_async.values.requests import ImageRequest, RoleReference, VideoRequest

TRICKY = st.text(alphabet=st.characters(), max_size=130) | st.sampled_from(
    ["cat", "Cat", "CAT", "cat.", "cat ", " cat", "c\u200bat", "ﬁ", "fi", "ß", "ss", "é", "e\u0301", "K", "k", "ı", "i",
     "con", "CON", "con.txt", "com1", "com¹", "a/b", "a\\b", "a:b", "..", ".", "", "-", "~", "cat~1", "\udcff", "猫"]
)  # fmt: skip


def name_of(*args, **options):
    """The first name."""
    return next(file_names(*args, **options))


def folded(name: str) -> str:
    """Fold a name as the least discerning file systems do."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).casefold()


@pytest.mark.parametrize(
    "key", ["cat", "item-1", "p_0001", "a red fox.v2", "a-cat-0123456789abcdef-2", "猫", "é", "x" * 100, "0"]
)
def test_harmless_keys_name_their_file(key):
    """A key that every file system can hold is the name."""
    assert key == file_stem(key)


@pytest.mark.parametrize(
    ("key", "beginning"),
    [
        ("Cat", "Cat~"),
        ("../../etc/passwd", "etc-passwd~"),
        ("a\x00b", "a-b~"),
        ("x\u202egnp.exe", "x-gnp.exe~"),
        ("--rf", "rf~"),
        (".hidden", "hidden~"),
        ("con", "item-con~"),
        ("NUL.png", "item-NUL.png~"),
        ("cat. ", "cat~"),
        ("", "item~"),
        ("///", "item~"),
        ("e\u0301", "é~"),
        ("a" * 300, "a" * 83 + "~"),
        ("猫" * 100, "猫" * 27 + "~"),
        ("😀 cat", "cat~"),
    ],
)
def test_other_keys_get_a_harmless_name_with_a_mark(key, beginning):
    """What is not harmless is replaced, and the hash keeps the name apart from all others."""
    stem = file_stem(key)

    assert beginning + stem[-16:] == stem


@given(TRICKY)
def test_stems_are_safe_everywhere(key):
    """No stem is empty, too long, hidden, a device, or anything but one path component."""
    stem = file_stem(key)

    assert 0 < len(stem.encode()) <= 100
    assert PurePosixPath(stem).name == stem
    assert not set(stem) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(letter)[0] == "C" for letter in stem)
    assert stem[0] not in ".- ~"
    assert stem[-1] not in ". "
    assert stem.split(".")[0].strip().lower() not in {"con", "prn", "aux", "nul", "com1", "com¹", "lpt1"}


@given(TRICKY, TRICKY)
@example("Cat", file_stem("Cat").lower())
@example("a" * 101, "a" * 102)
def test_different_keys_have_different_stems(first, second):
    """Also where the file system knows no capitals and normalises."""
    assume(first != second)

    assert folded(file_stem(first)) != folded(file_stem(second))


@given(TRICKY, TRICKY, st.integers(0, 3), st.integers(1, 4), st.integers(0, 3), st.integers(1, 4))
def test_different_files_have_different_names(first, second, index, count, other_index, other_count):
    """No file of one item can take the name of another item's file."""
    assume(first != second)

    name = name_of(file_stem(first), index, count, "png")
    assert folded(name) != folded(name_of(file_stem(second), other_index, other_count, "png"))


@given(TRICKY, TRICKY, st.integers(0, 3), st.integers(1, 4), st.integers(0, 3), st.integers(1, 4))
def test_spare_names_are_nobody_elses(first, second, index, count, other_index, other_count):
    """A name for when a stranger's file has the best one is no name of another item, nor of the item's other files."""
    spare = [folded(name) for name in islice(file_names(file_stem(first), index, count, "png"), 4)]
    assert len(set(spare)) == 4
    other = name_of(file_stem(second), other_index, other_count, "png")
    assert folded(other) not in spare[1:]


def test_files_of_an_item_are_numbered_when_there_are_several():
    """One file has the plain name; several have numbers from one; companions say what they are."""
    assert name_of("cat", 0, 1, "png") == "cat.png"
    assert [name_of("cat", index, 2, "png") for index in range(2)] == ["cat~1.png", "cat~2.png"]
    assert name_of("cat", 0, 1, "png", part="last-frame") == "cat~last-frame.png"
    assert name_of("cat", 1, 2, "png", part="last-frame") == "cat~2-last-frame.png"


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("A red fox, in the SNOW!", "a-red-fox-in-the-snow"),
        ("très jolie", "tres-jolie"),
        ("a very long description of a very long train", "a-very-long-description-of-a"),
        ("x" * 50, "x" * 32),
        ("exactly-thirty-two-characters-ab cd", "exactly-thirty-two-characters-ab"),
        ("一只猫", ""),
        ("", ""),
    ],
)
def test_slugs_are_the_first_words(prompt, words):
    """Words are kept whole where that is possible."""
    assert words == slug(prompt)


@given(st.text())
def test_slugs_are_plain(prompt):
    """At most 32 letters, digits and inner hyphens."""
    words = slug(prompt)

    assert len(words) <= 32
    assert words == words.strip("-")
    assert all(letter in "abcdefghijklmnopqrstuvwxyz0123456789-" for letter in words)


def test_keys_are_the_users_own_or_made_from_the_request():
    """An id is kept as it is; otherwise slug, digest, and a number from the second equal on."""
    request = ImageRequest("A red fox")

    assert item_key(ImageRequest("A red fox", id="My Id/7"), 3) == "My Id/7"
    assert f"a-red-fox-{request_digest(request)}" == item_key(request, 0)
    assert f"a-red-fox-{request_digest(request)}-2" == item_key(request, 1)
    assert request_digest(ImageRequest("一只猫")) == item_key(ImageRequest("一只猫"), 0)


def test_digests_do_not_change_between_versions():
    """Frozen values: a change here would make every running batch pay again."""
    rich = ImageRequest(
        "a cat", model="m", size="16:9", reference_images=["a.png", b"x"], n=2, seed=7, extra={"b": 1, "a": [1.5, None]}
    )

    assert item_key(ImageRequest("a cat"), 0) == "a-cat-37f826d63e10ac8a"
    assert item_key(rich, 0) == "a-cat-f1a163bc3ea3591e"
    assert item_key(VideoRequest("a cat", model="v", duration=5), 0) == "a-cat-914b8a9ea12669b5"


@pytest.mark.parametrize(
    "same",
    [
        ImageRequest("p", extra={"b": 1, "a": 2.0}),
        ImageRequest("p", extra={"a": 2, "b": 1}, id=None, client_business_id="x", callback_url="https://x"),
    ],
)
def test_equal_wishes_have_equal_digests(same):
    """Neither order, nor number type, nor anything that does not change the result counts."""
    assert request_digest(ImageRequest("p", extra={"a": 2, "b": 1})) == request_digest(same)


def test_paths_count_by_their_text():
    """A path and its text are the same wish."""
    by_path = ImageRequest("p", reference_images=[Path("a/b.png")])

    assert request_digest(ImageRequest("p", reference_images=["a/b.png"])) == request_digest(by_path)


CHANGED = [
    attrs.evolve(ImageRequest("p"), **{name: value})
    for name, value in {
        "prompt": "q", "model": "m", "size": "1:1", "resolution": "2K", "reference_images": ("a",), "n": 2,
        "mask": b"m", "quality": "high", "background": "clear", "output_format": "png", "output_compression": 5,
        "temperature": 0.5, "top_p": 0.5, "seed": 0, "extra": {"x": {1, 2}},
        "namespace": "ann",
    }.items()
]  # fmt: skip


def test_every_field_that_changes_the_result_changes_the_digest():
    """No two different wishes share a digest."""
    requests = [
        ImageRequest("p"),
        *CHANGED,
        ImageRequest("p", extra={"x": True}),
        ImageRequest("p", extra={"x": 1}),
        ImageRequest("p", reference_images=[b"a"]),
        VideoRequest("p", model=ImageRequest("p").model),
        VideoRequest("p", model="v", reference_images=[RoleReference(source="a", role="first")]),
        VideoRequest("p", model="v", reference_images=[RoleReference(source="a", role="last")]),
    ]

    assert len(requests) == len({request_digest(request) for request in requests})


def test_strange_values_do_not_break_the_digest():
    """Lone surrogates and foreign objects are wishes, too."""
    assert len(request_digest(ImageRequest("\udcff", extra={"x": object, 1: 1.5, "y": float("nan")}))) == 16


def test_digests_are_the_same_in_another_process():
    """Hash randomisation plays no part."""
    code = (
        "from toapis_async.policy.files.naming import request_digest\n"
        "from toapis_async.values.requests import ImageRequest\n"
        "print(request_digest(ImageRequest('p', extra={'x': {'b', 'a', 'c'}})))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert request_digest(ImageRequest("p", extra={"x": {"a", "b", "c"}})) == other


@given(st.text(max_size=200), st.integers(1, 99))
def test_references_of_attempts_are_short_and_safe(key, attempt):
    """Every attempt has its own reference, at most 96 characters that need no quoting."""
    reference = client_business_id("0a1b2c3d", key, attempt)

    assert len(reference) <= 96
    assert reference.replace("-", "").isalnum()
    assert reference.isascii()
    assert reference != client_business_id("0a1b2c3d", key, attempt + 1)


def test_a_users_reference_is_sent_as_it_is_first():
    """Later attempts carry a suffix, and stay apart where that makes them too long."""
    assert client_business_id("r", "k", 1, own="order-7") == "order-7"
    assert client_business_id("r", "k", 2, own="order-7") == "order-7-try2"
    longest = [client_business_id("r", "k", 2, own="x" * 95 + end) for end in "ab"]
    assert longest[0] != longest[1]
    assert [len(one) for one in longest] == [96, 96]


@pytest.mark.parametrize(
    ("task_id", "expected"),
    [
        ("tsk_img_01KPTXXXXXXXXXXXXXXX", "tsk_img_01KPTXXXXXXXXXXXXXXX"),
        ("video_7497f4d5-3a88-44c7-923a-967fa7d941a0", "video_7497f4d5-3a88-44c7-923a-967fa7d941a0"),
    ],
)
def test_a_plain_task_id_names_its_files(task_id: str, expected: str) -> None:
    """The ids that the gateway gives are file names as they are."""
    assert expected == task_stem(task_id)


@pytest.mark.parametrize(
    "task_id", ["/../../etc/passwd", "../x", "a/b?c#d", "CON", "..", "-rf", "a\\b", "x" * 300, "\u202ea"]
)
def test_a_strange_task_id_chooses_no_path(task_id: str) -> None:
    """An id is what the server says: it never leaves the directory, hides, or names a device."""
    stem = task_stem(task_id)

    assert stem != task_id
    assert not set(stem) & set("/\\:")
    assert not stem.startswith((".", "-"))


@pytest.mark.parametrize("kind", [ImageRequest, VideoRequest])
def test_what_is_not_sent_makes_no_other_item(kind: type[ImageRequest | VideoRequest]) -> None:
    """Whose it is, how urgent it is and what the caller carries along change no key."""
    plain = kind("fox", model="m")
    carried = kind("fox", model="m", context=["row"], label="tenant-7", priority=0)

    assert item_key(plain, 0) == item_key(carried, 0)
    assert request_digest(plain) == request_digest(carried)
