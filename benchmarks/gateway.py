"""A bare gateway for load: accepts, finishes after a fixed time, serves one small picture. In its own process.

It counts what the clients did, so that a benchmark compares clients that did the same.
"""

import argparse
import asyncio
import json
import struct
import time
import zlib

from aiohttp import web


def png(size: int) -> bytes:
    """Make a valid PNG of about *size* bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"\0\x30\x60\x90", 0)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    padding = chunk(b"teXt", bytes(max(0, size - 80)))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + padding + chunk(b"IEND", b"")


class Gateway:
    """The application's state: when each task was accepted, and counts."""

    def __init__(self, latency: float, size: int) -> None:
        self.latency = latency
        self.picture = png(size)
        self.accepted: dict[str, tuple[float, str | None]] = {}
        self.counts = {"posts": 0, "looks": 0, "files": 0}

    async def create(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.counts["posts"] += 1
        task_id = f"tsk_img_{self.counts['posts']:026d}"
        reference = body.get("client_business_id")
        self.accepted[task_id] = (time.monotonic(), reference)
        return _json(
            {
                "id": task_id,
                "object": "generation.task",
                "model": body["model"],
                "status": "pending",
                "progress": 0,
                "created_at": int(time.time()),
                "client_business_id": reference,
                "metadata": {},
            }
        )

    async def status(self, request: web.Request) -> web.Response:
        self.counts["looks"] += 1
        task_id = request.match_info["id"]
        accepted_at, reference = self.accepted[task_id]
        task = {
            "id": task_id,
            "object": "generation.task",
            "model": "gemini-2.5-flash-image-preview",
            "status": "in_progress",
            "progress": 50,
            "created_at": int(time.time()),
            "client_business_id": reference,
        }
        if time.monotonic() - accepted_at >= self.latency:
            del self.accepted[task_id]
            self.accepted[task_id] = (accepted_at, reference)
            now = int(time.time())
            url = f"http://{request.host}/files/{task_id}.png"
            task |= {
                "status": "completed",
                "progress": 100,
                "completed_at": now,
                "expires_at": now + 86400,
                "result": {"type": "image", "data": [{"url": url}]},
            }
        return _json(task)

    async def file(self, request: web.Request) -> web.Response:
        self.counts["files"] += 1
        self.accepted.pop(request.match_info["id"].removesuffix(".png"), None)
        return web.Response(body=self.picture, content_type="image/png", headers={"ETag": '"one"'})

    async def books(self, request: web.Request) -> web.Response:
        counts, self.counts = self.counts, dict.fromkeys(self.counts, 0)
        self.accepted.clear()
        return _json(counts)


def _json(body: object) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), content_type="application/json")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=20_000)
    options = parser.parse_args()
    gateway = Gateway(options.latency, options.size)
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/images/generations", gateway.create)
    app.router.add_get("/v1/images/generations/{id}", gateway.status)
    app.router.add_get("/files/{id}", gateway.file)
    app.router.add_get("/books", gateway.books)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
