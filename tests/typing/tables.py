"""Rows of a table as the requests of a session."""

from collections.abc import Iterator
from typing import assert_type

from toapis_async import AsyncToAPIs, ImageRequest, VideoRequest, rows


async def main() -> None:
    table = [{"caption": "a fox", "key": "f", "source": "zoo"}]
    requests = rows(table, columns={"prompt": "caption", "id": "key"}, context=["source"], model="gpt-image-1")
    assert_type(requests, Iterator[ImageRequest | VideoRequest])
    again = rows([("a fox", "f")], columns=("prompt", "id"), context="all", size="1:1", resolution="1K")
    async with AsyncToAPIs() as client, client.session("out") as session:
        async for outcome in session.stream(requests):
            print(outcome.item.request.context)
        await session.run(again)
