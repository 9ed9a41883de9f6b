"""``AsyncToAPIs``: settings, sessions lent and owned, and what it leaves behind."""

import asyncio
import subprocess
import sys
from decimal import Decimal

import aiohttp
import anyio
import pytest

from toapis_async import (
    AsyncToAPIs,
    ConfigurationError,
    FixedPolling,
    GenerationSession,
    ImageRequest,
    RateLimits,
    ToAPIsError,
)
from toapis_async.testing import Constant

KEY = "sk-0123456789"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    """Keep the developer's own settings out."""
    monkeypatch.delenv("TOAPIS_API_KEY", raising=False)
    monkeypatch.delenv("TOAPIS_BASE_URL", raising=False)


def test_it_can_be_made_anywhere():
    """Making a client and a session needs no event loop, opens nothing and sends nothing."""
    client = AsyncToAPIs(api_key=KEY)
    assert client.base_url == "https://toapis.com/v1"
    assert isinstance(client.session("unused"), GenerationSession)
    assert client.abandoned == ()
    assert client.catalogue.find("gemini-2.5-flash-image-preview") is not None
    assert KEY not in repr(client)


def test_the_environment_is_read(monkeypatch):
    """Without arguments the environment says which key and which gateway."""
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    monkeypatch.setenv("TOAPIS_BASE_URL", "http://127.0.0.1:9/v1")
    assert AsyncToAPIs().base_url == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": None},
        {"api_key": "sk 1"},
        {"base_url": "http://toapis.com"},
        {"base_url": 7},
        {"timeout": 0},
        {"max_retries": -1},
        {"rate_limits": "fast"},
        {"rate_limits": 5},
        {"validation": "lax"},
        {"validation": None},
    ],
    ids=str,
)
def test_wrong_settings_are_told_at_once(wrong):
    """A setting that cannot be right is named before any input or output, with what to do."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncToAPIs(**{"api_key": KEY, **wrong})
    assert caught.value.hint


@pytest.mark.parametrize("limits", ["auto", "default", "vip", "svip", None, RateLimits(
    submit_per_second=1, submit_burst=1, query_per_second=1, query_burst=1)])  # fmt: skip
def test_every_documented_limit_is_taken(limits):
    """Tiers by name, limits by number, learning, and none."""
    AsyncToAPIs(api_key=KEY, rate_limits=limits)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_concurrency": 0},
        {"max_concurrency": 1.5},
        {"max_concurrency": True},
        {"download_workers": 0},
        {"patience_seconds": 0},
        {"patience_seconds": "long"},
        {"patience_seconds": float("nan")},
        {"max_cost_usd": "much"},
        {"max_cost_usd": -1},
        {"max_cost_usd": float("nan")},
        {"max_cost_usd": Decimal("sNaN")},
        {"on_unknown": "guess"},
    ],
    ids=str,
)
def test_wrong_session_settings_are_told_at_once(tmp_path, wrong):
    """A session's settings are checked when it is made, and the directory is not touched."""
    with pytest.raises(ConfigurationError):
        AsyncToAPIs(api_key=KEY).session(tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_amounts_are_exact(tmp_path):
    """A cap given as a float is the amount that was written, not the nearest binary one."""
    for given in (0.1, "0.1", Decimal("0.1")):
        session = AsyncToAPIs(api_key=KEY).session(tmp_path, max_cost_usd=given)
        assert Decimal("0.1") == session.settings.max_cost_usd


async def test_a_lent_session_stays_open(live):
    """Whoever opened the aiohttp session closes it; files go over another one, without the key."""
    async with aiohttp.ClientSession() as http_session:
        async with live(client={"http_session": http_session}) as (sim, client):
            await client.images.generate(prompt="a fox")
            assert sim.books.requests["submit"] + sim.books.requests["query"] >= 2
        assert not http_session.closed


async def test_its_own_sessions_are_closed(live):
    """Leaving the client closes what it opened: no task is left and no connection."""
    async with live() as (sim, _):
        before = {task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task.get_coro())}
        async with AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, polling=FixedPolling(0.05)) as client:
            await client.images.generate(prompt="a fox")
            transport = client._connections.transport._pool.session()
        assert transport.closed
        assert before == {task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task.get_coro())}
        await client.aclose()


async def test_it_is_closed_inside_a_cancelled_scope(live):
    """Time limits of anyio and a second cancellation leave no connection open either."""
    async with live(latency=Constant(30)) as (sim, _):
        settings = {"api_key": sim.api_key, "base_url": sim.base_url, "polling": FixedPolling(0.05)}
        with anyio.move_on_after(0.2):
            async with AsyncToAPIs(**settings) as limited:
                await limited.images.generate(prompt="a fox")
        assert limited._connections.transport._pool._closed
        assert limited._connections.transport._pool._sessions._opened == {}

        twice = AsyncToAPIs(**settings)

        async def work():
            async with twice:
                await twice.images.generate(prompt="a fox")

        task = asyncio.create_task(work())
        await asyncio.sleep(0.2)
        connections = [twice._connections.transport._pool.session()]
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert connections[0].closed


async def test_it_works_without_a_with_block(live, tmp_path):
    """Calls, downloads and sessions work on a client that was only made, and aclose() ends it."""
    async with live() as (sim, _):
        client = AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=FixedPolling(0.05))
        try:
            task = await client.images.generate(prompt="a fox")
            assert len(await client.images.download(task, tmp_path / "single")) == 1
            async with client.session(tmp_path / "many") as session:
                assert (await session.run([ImageRequest("a fox")])).complete
        finally:
            await client.aclose()


async def test_the_body_error_is_not_hidden(live):
    """An error in the body of the client comes out as it is."""
    with pytest.raises(KeyError, match="mine"):
        async with live() as (sim, _), AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url):
            raise KeyError("mine")


async def test_a_client_fixture_may_yield(live):
    """No task group lives in the client, so it can be opened in one task and closed in another."""

    async def fixture():
        async with live() as (_, client):
            yield client

    generator = fixture()
    client = await asyncio.create_task(anext(generator))
    assert (await client.images.generate(prompt="a fox")).completed
    with pytest.raises(StopAsyncIteration):
        await asyncio.create_task(anext(generator))


async def test_single_calls_raise_no_groups(live):
    """Whatever goes wrong in a single call arrives as one error of the family."""
    async with live(client={"api_key": "sk-wrong", "max_retries": 0}) as (_, client):
        for call in (
            client.images.generate(prompt="a fox"),
            client.images.submit(ImageRequest("a fox")),
            client.images.retrieve("tsk_1"),
            client.images.wait("tsk_1"),
            client.account.balance(),
            client.models.list(),
            client.uploads.image(b"no picture"),
        ):
            with pytest.raises(ToAPIsError):
                await call


def test_resources_are_made_once():
    """What is touched twice is the same: an upload is remembered, and a submission kept, in one place."""
    client = AsyncToAPIs(api_key=KEY)
    for name in ("images", "videos", "account", "models", "uploads"):
        assert getattr(client, name) is getattr(client, name)
    assert client.images._uploads is client.videos._uploads is client.uploads


def test_a_session_loads_no_other_verbs():
    """Making a client and a session does not load what only other calls need."""
    code = (
        "import sys; from toapis_async import AsyncToAPIs; AsyncToAPIs(api_key='sk-1').session('unused');"
        "print(*(name for name in ('images', 'videos', 'account', 'models')"
        " if f'toapis_async.client.{name}' in sys.modules))"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)

    assert (ended.stdout.strip(), ended.stderr) == ("", "")
