"""Many lines checked at once are judged as each of them alone."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.wire.checked_fields import Checked, FieldChecker
from toapis_async.wire.prompt_fields import LineRules, request_of

VALUES = st.sampled_from(
    [None, "a fox", "", " ", "16:9", "17:9", "1K", "gpt-image-1", "sora-2", "mine", 1, 1.0, True, 2, []]
)
NAMES = st.sampled_from(
    ["prompt", "id", "client_business_id", "model", "size", "resolution", "n", "kind", "edit", "zzz"]
)
LINES = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=12)


@settings(max_examples=300)
@example([{"prompt": "a fox"}, {"prompt": ""}], "warn")
@given(LINES, st.sampled_from(["strict", "warn", "off"]))
def test_lines_are_judged_as_each_alone(lines, validation):
    """What was found out about earlier lines changes nothing about later ones."""
    rules = LineRules(catalogue=packaged_catalogue(), validation=validation, size="1:1")
    checker = FieldChecker(rules)
    for fields in [*lines, *lines]:
        alone, checked = request_of(fields, rules), checker.check(fields)
        if isinstance(alone, tuple):
            assert checked == alone
        else:
            assert isinstance(checked, Checked)
            found = rules.checker.check(alone)
            assert (checked.id, checked.model, checked.findings) == (alone.id, alone.model, found)
            assert checked.outputs == getattr(alone, "n", 1)


def test_a_line_that_shows_files_keeps_its_request():
    """Its files are still to be looked at; one like an earlier one needs no request."""
    checker = FieldChecker(LineRules(catalogue=packaged_catalogue()))
    shown = [checker.check({"prompt": "a", "reference_images": [f"{name}.png"]}) for name in "ab"]
    plain = [checker.check({"prompt": name}) for name in "ab"]

    assert [one.request is None for one in shown] == [False, False]
    assert [one.request is None for one in plain] == [False, True]
