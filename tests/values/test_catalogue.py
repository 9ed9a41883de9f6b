"""Finding models, and adding one's own."""

import attrs

from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.rules import Parameter, ReferencePlace, References

PLAIN = Model(id="Plain-1", kind="image", aliases=("plain", "old"))
OTHER = Model(id="old", kind="video")


def test_find_by_id_and_alias_whatever_the_case():
    """Users write ids as they remember them."""
    catalogue = Catalogue((PLAIN,))

    assert [catalogue.find(name) for name in ("Plain-1", "plain-1", "PLAIN", "Old")] == [PLAIN] * 4
    assert catalogue.find("plain-2") is None


def test_an_id_is_never_hidden_by_an_alias():
    """What is called old means the model of that id, in whichever order they stand."""
    assert Catalogue((PLAIN, OTHER)).find("old") is OTHER
    assert Catalogue((OTHER, PLAIN)).find("OLD") is OTHER


def test_with_models_adds_and_replaces():
    """A catalogue is a value: the one before stays as it was."""
    before = Catalogue((PLAIN,))
    mine = attrs.evolve(PLAIN, prompt_max_chars=5)

    after = before.with_models(OTHER, mine)

    assert [mine, OTHER] == list(after)
    assert list(before) == [PLAIN]
    assert (len(before), len(after)) == (1, 2)


def test_catalogues_with_the_same_models_are_equal():
    """Equality is by content."""
    assert Catalogue((PLAIN,)) == Catalogue((PLAIN,))


def test_where_plain_references_go():
    """The place with roles stands in where there is no plain one."""
    roles = ReferencePlace(place="image_with_roles", form="{url, role}", max=9)
    plain = ReferencePlace(place="image_urls", max=3)

    def facts(references: References) -> tuple:
        model = Model(id="m", kind="video", references=references)
        return model.reference_place, model.reference_form, model.max_references

    assert facts(References(images=plain, image_roles=roles)) == ("image_urls", "string", 3)
    assert facts(References(image_roles=roles, max_images=9)) == ("image_with_roles", "{url, role}", 9)
    assert facts(References()) == (None, None, None)


def test_parameter_is_named_by_its_place_unless_it_has_a_name():
    """What goes through extra has no other name."""
    model = Model(
        id="m",
        kind="image",
        parameters=(
            Parameter(place="metadata.topP", kind="number", name="top_p"),
            Parameter(place="metadata.watermark", kind="boolean"),
        ),
    )

    assert model.parameter("top_p").place == "metadata.topP"
    assert model.parameter("metadata.watermark").kind == "boolean"
    assert model.parameter("seed") is None


def test_market_page_s_spelling_is_an_alias():
    """The market page writes dots as dashes; real names come first."""
    dotted, dashed, other = (Model(id=name, kind="image") for name in ("a-2.5", "a-2-5", "b-1.0"))

    catalogue = Catalogue((dotted, dashed, other))

    assert (dotted, dashed, other) == tuple(catalogue.find(name) for name in ("a-2.5", "A-2-5", "B-1-0"))


def test_canonical_name_is_the_id_for_the_market_page_s_spelling_only():
    """Other names stay as they are: items are named after them."""
    catalogue = Catalogue((Model(id="b-1.0", kind="image", aliases=("bee",)),))

    names = {name: catalogue.canonical(name) for name in ("b-1-0", "B-1-0", "b-1.0", "B-1.0", "bee", "future-1")}

    assert {name: made for name, made in names.items() if name != made} == {"b-1-0": "b-1.0", "B-1-0": "b-1.0"}
