"""The key is in nothing that the library keeps or says, whatever the gateway repeats of it."""

import base64
import json
import logging
import pickle
import traceback

import pytest
from aiohttp import web

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.errors import ToAPIsError

KEY = "9f2b7c01-44e2-4d0a-93aa-0c5b1f7e8d62"
SPELLINGS = {
    "plain": KEY,
    "escaped": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "quoted": "".join(f"%{ord(letter):02x}" for letter in KEY),
    "base64": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "in json": json.dumps({"error": {"message": f"key {KEY}"}}),
}


def found_in(text):
    """What of the key can be read in a text, taking base64 back."""
    return [one for one in (*SPELLINGS.values(), KEY[4:-4]) if one in text]


@pytest.fixture
async def echo(unused_tcp_port_factory):
    """Serve a gateway whose replies are given by a function of the spelling."""
    runners = []

    async def serve(submitted, looked):
        app = web.Application()

        def answer(said):
            async def handle(request):
                status, body = said
                return web.Response(
                    status=status, text=body, content_type="application/json", headers={"X-Request-Id": KEY}
                )

            return handle

        app.router.add_post("/v1/images/generations", answer(submitted))
        app.router.add_get("/v1/images/generations/{id}", answer(looked))
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        port = unused_tcp_port_factory()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return f"http://127.0.0.1:{port}"

    yield serve
    for runner in runners:
        await runner.cleanup()


def raw(body, spelling):
    """Put a spelling into JSON as it is, escapes included; JSON in it is escaped as a string."""
    text = json.dumps(spelling)[1:-1] if spelling.startswith("{") else spelling
    return json.dumps(body).replace("@", text)


ACCEPTED = {"id": "tsk_1", "status": "queued"}
CASES = {
    "failed task": ((200, ACCEPTED), (200, {"id": "tsk_1", "status": "failed", "error": {"message": "@"}})),
    "a key of the task": ((200, ACCEPTED), (200, {"id": "tsk_1", "status": "failed", "@": {"@": ["@"]}})),
    "success false": ((200, {"success": False, "message": "no @"}), (200, {"success": False, "message": "no @"})),
    "refusal": ((400, {"error": {"code": "x", "message": "@", "param": "@"}}), (404, {})),
    "status text": ((200, ACCEPTED), (200, {"id": "tsk_1", "status": "failed", "model": "@", "usage": {"@": 1}})),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_the_key_is_nowhere(echo, tmp_path, caplog, hurried_clock, case, spelling):
    """Not in journal, manifest, events, log, repr, text, traceback or pickle, of a session or of a single call."""
    caplog.set_level(logging.DEBUG)
    (posted, submitted), (looked, status) = case
    base_url = await echo((posted, raw(submitted, spelling)), (looked, raw(status, spelling)))
    said = []

    def hear(thing):
        said.extend([repr(thing), str(thing), pickle.dumps(thing).decode("latin-1")])

    async with AsyncToAPIs(
        api_key=KEY,
        base_url=base_url,
        rate_limits=None,
        polling=FixedPolling(5.0),
        on_event=hear,
        max_retries=0,
        clock=hurried_clock(100),
    ) as client:
        async with client.session(tmp_path) as session:
            async for outcome in session.stream([ImageRequest("a")]):
                hear(outcome)
                hear(getattr(outcome.task, "raw", None))
        with pytest.raises(ToAPIsError) as caught:
            await client.images.generate("a")
        hear(caught.value)
        said.append("".join(traceback.format_exception(caught.value)))
    kept = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]

    assert [found_in(text) for text in (*said, *kept, caplog.text) if found_in(text)] == []
