"""Files told by address in every form, or given in the reply itself."""

from base64 import b64decode

import pytest

from toapis_async.testing import Fault, MoveUrl

PNG = b"\x89PNG\r\n\x1a\n"


async def url_of(caller, **fields):
    """What stands where the address is."""
    return (await caller.made(**fields))["result"]["data"][0]["url"]


@pytest.mark.parametrize(
    ("form", "beginning", "rest"),
    [
        ("absolute", "http://127.0.0.1:", ".png"),
        ("relative", "/generated/", ".png"),
        ("protocol_relative", "//127.0.0.1:", ".png"),
        ("spaced", " http://127.0.0.1:", ".png\n"),
    ],
)
async def test_addresses_are_written_as_the_scenario_says(running, form, beginning, rest):
    """Whatever the form, the file lies at one place."""
    async with running(url_form=form) as (sim, caller):
        url = await url_of(caller)
        (path,) = sim.gateway.files

        assert url.startswith(beginning)
        assert url.endswith(path + rest.removeprefix(".png"))
        assert (await caller.call("GET", path))[2].startswith(PNG)


@pytest.mark.parametrize(
    ("form", "kind"), [("png", "image/png"), ("jpeg", "image/jpeg"), ("webp", "image/webp"), ("svg", "image/svg+xml")]
)
async def test_a_result_may_be_a_data_address(running, form, kind):
    """Of every format; whoever reads it has the file, and the books know."""
    async with running(url_form="data_uri", image_format=form) as (sim, caller):
        url = await url_of(caller)
        (path,) = sim.gateway.files

        head, _, content = url.partition(",")
        assert head == f"data:{kind};base64"
        assert b64decode(content, validate=True) == (await caller.call("GET", path))[2]
        assert sim.books.never_downloaded == ()


async def test_a_result_may_be_base64(running):
    """In place of the address."""
    async with running(url_form="b64_json") as (_, caller):
        (item,) = (await caller.made())["result"]["data"]

        assert list(item) == ["b64_json"]
        assert b64decode(item["b64_json"]).startswith(PNG)


async def test_one_run_can_have_every_form(running):
    """A fault chooses it for the prompts that it strikes."""
    fault = Fault(where="query", what=MoveUrl(form="relative"), match="odd")
    async with running(faults=(fault,)) as (_, caller):
        assert (await url_of(caller, prompt="odd one")).startswith("/generated/")
        assert (await url_of(caller, prompt="even")).startswith("http://")


@pytest.mark.parametrize(
    ("form", "kind", "signature"),
    [("jpeg", "image/jpeg", b"\xff\xd8\xff"), ("webp", "image/webp", b"RIFF"), ("svg", "image/svg+xml", b"<?xml")],
)
@pytest.mark.parametrize("files", ["small", "drawn"])
async def test_a_scenario_chooses_the_format(running, files, form, kind, signature):
    """Content type, extension and bytes agree; an SVG is never drawn."""
    async with running(files=files, image_format=form) as (_, caller):
        url = await url_of(caller, size="1:1", metadata={"resolution": "0.5K"})
        _, headers, content = await caller.call("GET", url)

        assert (headers["Content-Type"], content[: len(signature)]) == (kind, signature)
        assert url.endswith({"jpeg": "jpg"}.get(form, form))
