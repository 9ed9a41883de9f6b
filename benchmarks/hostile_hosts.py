"""How much sixteen file hosts that drip for ever delay a hundred good images: ``python benchmarks/hostile_hosts.py``.

A session with its defaults, against the simulator; the time until the hundredth good image is saved, without the
dripping hosts and with them. The aim: at most 1.5 times.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from itertools import count, cycle

from toapis_async import AsyncToAPIs, ImageRequest
from toapis_async.testing import LogNormal, Scenario, Simulator

GOOD, HOSTILE = 100, 16
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
DRIPS = (
    (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    (HEAD, b"X: y\r\n"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", b"e"),
    (HEAD + b"Content-Length: 99999\r\n\r\n", b"\x89"),
    (HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\0\0\0\xff\xff"),
    (b"", b""),
)


async def hostile_host(stack, start, drop):
    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(start)
            while True:
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(0.5)
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stack.callback(server.close)
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.png"


async def seconds(hostile):
    async with AsyncExitStack() as stack:
        drips = [await hostile_host(stack, *drip) for _, drip in zip(range(hostile), cycle(DRIPS), strict=False)]
        numbers = count()

        def lead_astray(url):
            number = next(numbers)
            return drips[number] if number < hostile else url

        sim = await stack.enter_async_context(
            Simulator(Scenario(files="small", latency=LogNormal(6.0, 0.3), tier="svip"), seed=1)
        )
        client = AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rewrite_file_url=lead_astray)
        await stack.enter_async_context(client)
        out = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        session = await stack.enter_async_context(client.session(out))
        began, good = time.perf_counter(), 0
        stream = session.stream(ImageRequest(f"fox {number}") for number in range(GOOD + hostile))
        async for outcome in stream:
            good += outcome.ok
            if good == GOOD:
                break
        took = time.perf_counter() - began
        await stream.aclose()
        return took


async def main():
    without = await seconds(0)
    beside = await seconds(HOSTILE)
    print(f"{GOOD} good images: {without:.1f} s alone, {beside:.1f} s beside {HOSTILE} dripping hosts, "
          f"ratio {beside / without:.2f}")  # fmt: skip
    return beside / without > 1.5


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
