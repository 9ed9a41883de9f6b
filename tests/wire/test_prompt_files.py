"""Prompt files: what is read, what is refused, and that nothing else ever happens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import InvalidRequestError
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import ImageRequest, RoleReference, VideoRequest
from toapis_async.wire.prompt_fields import LineRules, request_of
from toapis_async.wire.prompt_files import LONGEST_LINE_BYTES, form_of, read_lines

RULES = LineRules(catalogue=packaged_catalogue())


def lines_of(data, form="jsonl", **rules):
    """Read a whole file of bytes."""
    made = LineRules(**{"catalogue": packaged_catalogue(), **rules})
    return list(read(data.splitlines(keepends=True), form, made))


def read(lines, form, rules):
    """Read requests by the rules."""
    return read_lines(lines, form, rules.columns, lambda fields, carried: request_of(fields, rules, carried))


def requests_of(data, form="jsonl", **rules):
    """Read a file in which nothing is wrong."""
    lines = lines_of(data, form, **rules)
    assert [line.wrong for line in lines if line.wrong] == []
    return [line.made for line in lines]


def wrong_of(data, form="jsonl", **rules):
    """Return line numbers and sentences of what is wrong."""
    return [(line.number, "; ".join(line.wrong)) for line in lines_of(data, form, **rules) if line.wrong]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", "jsonl"),
        ("a.NDJSON", "jsonl"),
        ("dir.txt/a.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.txt", "txt"),
    ],
)
def test_the_ending_tells_the_form(name, form):
    """A file's form goes by its name."""
    assert form == form_of(name)


@pytest.mark.parametrize("name", ["a.json", "a", "a.jsnl", ".jsonl"])
def test_an_unknown_ending_is_refused_with_the_known_ones(name):
    """What is no prompt file by its name is refused."""
    with pytest.raises(InvalidRequestError, match=r"\.jsonl .*\.csv .*\.txt"):
        form_of(name)


def test_json_lines():
    """Every field of a request can be given, and null is not given."""
    body = {"prompt": "a fox", "id": "f", "size": "16:9", "resolution": None, "extra": {"x": 1}}
    data = (json.dumps(body) + "\n\n" + json.dumps({"prompt": "b"})).encode()

    assert [ImageRequest("a fox", id="f", size="16:9", extra={"x": 1}), ImageRequest("b")] == requests_of(data)


def test_text_lines():
    """Each line that is not blank is a prompt, comments and braces included."""
    data = b"a fox\r\n\r\n  spaced  \n# not a comment\n{}"

    assert [one.prompt for one in requests_of(data, "txt")] == ["a fox", "spaced", "# not a comment", "{}"]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm():
    """Files from Windows are read as they are meant."""
    assert [ImageRequest("a"), ImageRequest("b")] == requests_of(b'\xef\xbb\xbf{"prompt":"a"}\r\n{"prompt":"b"}\r\n')
    assert [ImageRequest("a")] == requests_of(b"\xef\xbb\xbfprompt\r\na\r\n", "csv")


def test_a_table():
    """Cells get the types of their columns, and empty cells are not given."""
    data = (
        b"prompt, Size ,n,reference_images,extra,edit\n"
        b'"a fox, red",16:9,1,,,\n'
        b'"two\nlines",,1,https://a.example/b.png | https://a.example/c.png,"{""x"": [1]}",yes\n'
        b",,,,,\n"
    )
    first = ImageRequest("a fox, red", size="16:9")
    second = ImageRequest(
        "two\nlines",
        reference_images=("https://a.example/b.png", "https://a.example/c.png"),
        extra={"x": [1]},
        edit=True,
    )

    assert [first, second] == requests_of(data, "csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_other_countries(delimiter):
    """The header tells what separates the cells."""
    data = f"prompt{delimiter}size\na fox{delimiter}1:1\n".encode()

    assert [ImageRequest("a fox", size="1:1")] == requests_of(data, "csv")


@pytest.mark.parametrize(
    ("data", "number", "sentence"),
    [
        (b"promt,size\na,1:1", 1, "no column prompt; it has promt, size"),
        (b"prompt,size,size\na,1:1,1:1", 1, "names size twice"),
        (b"prompt\na,b", 2, "2 cells under 1 columns"),
        (b"prompt,n\na,two", 2, "n is 'two'; it has to be a whole number"),
        (b"prompt,temperature\na,hot", 2, "temperature is 'hot'; it has to be a number"),
        (b"prompt,edit\na,maybe", 2, "edit is 'maybe'; it has to be true or false"),
        (b"prompt,extra\na,{", 2, "extra is '{'; it has to be a JSON object"),
        (b'prompt\n"never closed', 2, "no CSV"),
        (b"prompt,sise\na,1:1", 2, "there is no field 'sise' (did you mean 'size'?)"),
        (b"prompt\na\n\xff", 3, "no UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table(data, number, sentence):
    """Each mistake in a table is told with its line."""
    found = wrong_of(data, "csv")

    assert (number, 1) == (found[0][0], len(found))
    assert sentence in found[0][1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"not json", "no JSON: Expecting value at column 1"),
        (b"[1]", "no JSON object"),
        (b'"a fox"', 'write {"prompt"'),
        (b'{"prompt": "a", "prompt": "b"}', "'prompt' is given twice"),
        (b'{"prompt": "a", "seed": NaN}', "NaN is no JSON number"),
        (b'{"prompt": "a", "seed": 1e999}', "seed is inf"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"promt": "a"}', "there is no field 'promt' (did you mean 'prompt'?)"),
        (b'{"prompt": "a", "zzzzzz": 1}', "there is no field 'zzzzzz'; known are prompt, model"),
        (b"{}", "prompt is missing"),
        (b'{"prompt": null}', "prompt is missing"),
        (b'{"prompt": ""}', "prompt is empty"),
        (b'{"prompt": 5}', "prompt is 5 (int); it has to be text"),
        (b'{"prompt": "a", "n": "2"}', "n is '2' (str); it has to be a whole number without quotes"),
        (b'{"prompt": "a", "n": true}', "n is True"),
        (b'{"prompt": "a", "id": 7}', "id is 7 (int); it has to be text"),
        (b'{"prompt": "a", "model": ["x"]}', "model is ['x'] (list); it has to be text"),
        (b'{"prompt": "a", "extra": [1]}', "extra is [1]"),
        (b'{"prompt": "a", "reference_images": "x.png"}', "reference_images is 'x.png' (str); it has to be a list"),
        (b'{"prompt": "a", "reference_images": [7]}', "reference_images[0] is 7"),
        (b'{"prompt": "a", "size": "17:9"}', "size '17:9' is not one that gemini-2.5-flash-image-preview has"),
        (b'{"prompt": "a", "kind": "film"}', 'kind is \'film\'; it has to be "image" or "video"'),
        (b'{"prompt": "a", "kind": "video"}', "videos have no default model"),
        (
            b'{"prompt": "a", "duration": 5}',
            "duration is a field of videos, and this line makes an image; take a model",
        ),
        (b'{"prompt": "a", "model": "sora-2", "n": 2}', "n is a field of images, and this line makes a video"),
        (b'{"prompt": "\xff"}', "byte 13 is no UTF-8 (0xff)"),
        (b'{"prompt": "a\0"}', "NUL byte"),
    ],
)
def test_what_is_wrong_with_a_line(line, sentence):
    """Each mistake is told, with its line, and the lines around it are read."""
    lines = lines_of(b'{"prompt": "before"}\n' + line + b'\n{"prompt": "after"}')

    assert [one.number for one in lines] == [1, 2, 3]
    assert sentence in "; ".join(lines[1].wrong)
    assert lines[1].made is None
    assert [lines[0].made.prompt, lines[2].made.prompt] == ["before", "after"]


def test_a_file_of_another_encoding_is_told_once():
    """A UTF-16 file is recognised by its first bytes."""
    assert wrong_of('{"prompt": "a"}\n'.encode("utf-16")) == [(1, "the file is UTF-16; save it as UTF-8")]


def test_an_endless_line_ends_the_reading():
    """A file without line breaks is not read into the memory."""

    def endless():
        yield b"x" * (LONGEST_LINE_BYTES + 1)
        pytest.fail("read on")

    (line,) = read(endless(), "jsonl", RULES)

    assert line.last
    assert "longer than 16,000,000 bytes" in line.wrong[0]


def test_lines_that_do_not_say_take_the_defaults():
    """Defaults hold for what a line leaves out, and only for that."""
    data = b'{"prompt": "a"}\n{"prompt": "b", "size": "1:1"}'

    assert [
        ImageRequest("a", size="16:9", resolution="2K", model="nano-banana-pro"),
        ImageRequest("b", size="1:1", resolution="2K", model="nano-banana-pro"),
    ] == requests_of(data, model="nano-banana-pro", size="16:9", resolution="2K")


def test_what_the_catalogue_says_counts_as_much_as_wished():
    """Without strictness only what cannot be a request is refused."""
    data = b'{"prompt": "a", "size": "17:9"}'

    assert len(wrong_of(data)) == 1
    assert [ImageRequest("a", size="17:9")] == requests_of(data, validation="warn")
    assert len(wrong_of(b'{"prompt": 1}', validation="off")) == 1


def test_a_model_of_the_catalogue_makes_a_video_request():
    """The kind goes by the model, or by the line's own word."""
    known = b'{"prompt": "a", "model": "sora-2", "duration": 10}'
    told = b'{"prompt": "a", "model": "new-model", "kind": "video", "duration": 10}'

    assert [VideoRequest("a", model="sora-2", duration=10)] == requests_of(known)
    assert [VideoRequest("a", model="new-model", duration=10)] == requests_of(told)


def test_relative_references_begin_at_the_directory(tmp_path):
    """Addresses and absolute paths stay as they are."""
    body = {
        "prompt": "a",
        "reference_images": ["a.png", "sub/b.png", "/abs/c.png", "https://a.example/d.png", "data:image/png;base64,AA"],
        "mask": "m.png",
    }
    rules = LineRules(catalogue=packaged_catalogue(), directory=str(tmp_path), validation="off")
    (line,) = read([json.dumps(body).encode()], "jsonl", rules)

    assert (
        f"{tmp_path}/a.png",
        f"{tmp_path}/sub/b.png",
        "/abs/c.png",
        "https://a.example/d.png",
        "data:image/png;base64,AA",
    ) == line.made.reference_images
    assert f"{tmp_path}/m.png" == line.made.mask


def test_references_with_roles(tmp_path):
    """A video's references may be objects with a source and a role."""
    body = {
        "prompt": "a",
        "model": "new-model",
        "kind": "video",
        "reference_images": [{"source": "a.png", "role": "first_frame"}, "b.png"],
    }
    (request,) = requests_of(json.dumps(body).encode(), directory=str(tmp_path))

    first = RoleReference(source=f"{tmp_path}/a.png", role="first_frame")
    assert (first, f"{tmp_path}/b.png") == request.reference_images


def test_a_badly_formed_role_is_told():
    """An object that is no reference with a role is a mistake, not a crash."""
    ((_, sentence),) = wrong_of(b'{"prompt": "a", "reference_images": [{"source": 5, "role": 1}, {"role": "x"}]}')

    assert "reference_images[0]" in sentence
    assert "reference_images[1]" in sentence


@given(st.binary(max_size=200), st.sampled_from(["jsonl", "csv", "txt"]))
def test_any_bytes_are_read_or_refused(data, form):
    """Nothing that stands in a file raises anything."""
    for line in lines_of(data, form):
        assert (line.made is None) == bool(line.wrong)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    ["prompt", "model", "size", "n", "extra", "id", "kind", "reference_images", "mask", "duration", "audio", "seed"]
)


@given(st.dictionaries(_NAMES, _VALUES), st.sampled_from(["strict", "warn", "off"]))
def test_any_values_of_known_fields_are_read_or_refused(fields, validation):
    """No value of a field, of whatever type, raises anything, however little is checked."""
    rules = LineRules(catalogue=packaged_catalogue(), directory="/prompts", validation=validation)
    for line in read([json.dumps(fields).encode()], "jsonl", rules):
        assert (line.made is None) == bool(line.wrong)


@given(st.text(min_size=1).filter(lambda text: text.strip() and "\0" not in text))
def test_prompts_come_through_as_they_are(prompt):
    """A prompt in JSON reaches the request unchanged, or is refused."""
    data = json.dumps({"prompt": prompt}).encode()
    for line in read([data], "jsonl", RULES):
        assert line.wrong or line.made.prompt == prompt
