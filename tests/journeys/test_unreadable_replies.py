"""A gateway of which nothing can be read: charged for a few, not for all."""

import asyncio

import pytest

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.errors import ConfigurationError
from toapis_async.policy.money.asking import MOST_UNANSWERED, Unanswered, step_unanswered


async def test_a_run_stops_after_a_few(tmp_path, hurried_clock):
    """Every reply is broken, to submissions and to questions: a few were sent, and the run says why it stops."""
    posts = []

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        posts.extend([1] if head.startswith(b"POST") else [])
        writer.write(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with (
        server,
        AsyncToAPIs(
            api_key="sk-0123456789",
            base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            rate_limits=None,
            polling=FixedPolling(5.0),
            clock=hurried_clock(100),
        ) as client,
        client.session(tmp_path) as session,
    ):
        with pytest.raises(ConfigurationError, match="No reply to the first 3 submissions"):
            await session.run([ImageRequest(f"fox {n}") for n in range(40)])

    assert len(posts) == MOST_UNANSWERED


@pytest.mark.parametrize(
    ("given_up", "under_way", "answered", "step"),
    [
        (0, 0, False, Unanswered.SEND),
        (1, 1, False, Unanswered.SEND),
        (1, 2, False, Unanswered.WAIT),
        (0, 3, False, Unanswered.WAIT),
        (3, 0, False, Unanswered.STOP),
        (3, 9, True, Unanswered.SEND),
    ],
)
def test_what_is_risked(given_up, under_way, answered, step):
    """At most three at once or in vain, until one thing was read."""
    assert step_unanswered(given_up=given_up, under_way=under_way, answered=answered) is step
