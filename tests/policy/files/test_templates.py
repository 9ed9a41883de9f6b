"""Names by the user's template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.templates import FIELDS, FileNaming, check_template

FACTS = {"id": "tsk_9", "model": "gemini-2.5-flash", "date": "2026-07-28", "prompt": "A red fox, in the snow!"}


@pytest.mark.parametrize(
    ("template", "stem"),
    [
        ("{id}", "tsk_9"),
        ("{id}-{index}", "tsk_9-2"),
        ("{date} {slug} {size}", "2026-07-28 a-red-fox-in-the-snow 64x48"),
        ("{model}/{id}", "gemini-2.5-flash-tsk_9"),
        ("../../{id}", "tsk_9"),
        ("[{id}]", "tsk_9"),
        ("con.{id}", "item-con.tsk_9"),
        (".", "file"),
        ("猫 {index}", "猫 2"),
        ("a:b*c?{id}", "a-b-c-tsk_9"),
    ],
)
def test_a_template_makes_a_name(template, stem):
    """Each field stands for its fact, and what some file system would not take becomes a dash."""
    check_template(template)
    made = FileNaming(template=template, **FACTS).stem(1, width=64, height=48)
    assert stem == made


def test_what_is_not_known_says_so():
    """A name is made all the same."""
    naming = FileNaming(template="{model} {size} {date} [{slug}]", id="x")
    assert naming.stem(0, width=None, height=None).rstrip("- ") == "unknown unknown unknown"


@pytest.mark.parametrize(
    "template",
    ["", " ", "{", "}", "{}", "{0}", "{prompt}", "{id.__class__}", "{id[0]}", "{id!r}", "{index:03}", "{id:{index}}"],
)
def test_other_templates_are_refused(template):
    """Only bare names of facts stand between braces, and the error lists them."""
    with pytest.raises(ConfigurationError, match="slug"):
        check_template(template)


@given(
    st.text(max_size=200), st.dictionaries(st.sampled_from(["id", "model", "date", "prompt"]), st.text(max_size=300))
)
def test_every_name_is_safe(literal, facts):
    """Whatever the facts and the text between, the name is one name, bounded, and no dot file."""
    text = literal.replace("{", "").replace("}", "") + "".join("{" + field + "}" for field in FIELDS)
    stem = FileNaming(**{"id": "x", **facts}, template=text).stem(0, width=1, height=1)
    assert 0 < len(stem.encode()) <= 100
    assert not set(stem) & set('/\\:*?"<>|\0\n')
    assert not stem.startswith((".", " "))


@pytest.mark.parametrize(("template", "apart"), [("{id}-{index}", True), ("{id}", False), ("{{index}}", False)])
def test_a_template_may_tell_files_apart(template, apart):
    """Without the index, several files of a task are numbered as ever."""
    assert apart is FileNaming(template=template, id="x").tells_files_apart
