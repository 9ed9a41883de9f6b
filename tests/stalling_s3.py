"""A way to an S3 server on which objects get stuck half sent."""

import asyncio
from urllib.parse import urlsplit

from aiohttp import ClientSession, DummyCookieJar, web

_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding", "server", "date"}


class StallingS3:
    """Forwards everything, but of PUTs to a name with the suffix only so many; of the next it sends on half.

    The signature of a request counts the host it was made for, which moto does not check.
    """

    def __init__(self, endpoint, *, suffix, after):
        self.upstream, self.suffix, self.left, self.stalled = endpoint, suffix, after, asyncio.Event()

    async def __aenter__(self):
        self.session = ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self.handle)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.endpoint = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc_info):
        await self.runner.cleanup()
        await self.session.close()

    async def handle(self, request):
        body = await request.read()
        if request.method == "PUT" and request.path.endswith(self.suffix):
            self.left -= 1
            if self.left < 0:
                await self.stall(request, body)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = self.upstream + request.raw_path
        async with self.session.request(request.method, url, data=body or None, headers=headers) as reply:
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP}
            if request.method == "HEAD":
                kept["Content-Length"] = reply.headers.get("Content-Length", "0")
            return web.Response(status=reply.status, headers=kept, body=await reply.read())

    async def stall(self, request, body):
        place = urlsplit(self.upstream)
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        lines = [f"PUT {request.raw_path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body[: len(body) // 2])
        await writer.drain()
        self.stalled.set()
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()
