"""Proxies on loopback, which lead names to where the test says."""

import asyncio
import base64
import struct
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address, IPv6Address

import attrs


@attrs.define
class Proxy:
    """A proxy that is the only one who knows some names.

    Attributes:
        names: what a name leads to; an address leads to itself.
        user, password: which it asks for, or None.
        refusal: an HTTP status or SOCKS reply with which it refuses everything, or None.
        asked: hosts and ports, in order.
        url: its address without credentials.

    """

    names: dict[str, str] = attrs.field(factory=dict)
    user: str | None = None
    password: str | None = None
    refusal: int | None = None
    asked: list[tuple[str, int]] = attrs.field(factory=list)
    url: str = ""

    async def opened(self, host, port):
        """Open the connection that is asked for; a name that nobody told it leads nowhere."""
        self.asked.append((host, port))
        where = self.names.get(host, host if host.replace(".", "").isdigit() or ":" in host else None)
        if where is None:
            raise OSError(f"{host} is unknown")
        return await asyncio.open_connection(where, port)


async def _pump(reader, writer):
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof() if writer.can_write_eof() else writer.close()


async def _tunnel(reader, writer, proxy, host, port, well, ill):
    try:
        far_reader, far_writer = await proxy.opened(host, port)
    except OSError:
        writer.write(ill)
        await writer.drain()
        return
    try:
        writer.write(well)
        pumps = [asyncio.ensure_future(_pump(*ends)) for ends in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)
    finally:
        far_writer.transport.abort()


async def _speak_http(reader, writer, proxy):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    wanted = None if proxy.user is None else base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    if wanted is not None and headers.get("proxy-authorization") != f"Basic {wanted}":
        proxy.asked.append((target, 407))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    elif proxy.refusal is not None:
        writer.write(f"HTTP/1.1 {proxy.refusal} No\r\nContent-Length: 0\r\n\r\n".encode())
    elif method == "CONNECT":
        host, _, port = target.rpartition(":")
        well, ill = b"HTTP/1.1 200 Connected\r\n\r\n", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
        await _tunnel(reader, writer, proxy, host.strip("[]"), int(port), well, ill)
    else:
        proxy.asked.append((target, 405))
        writer.write(b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def _speak_socks(reader, writer, proxy):
    _, methods = await reader.readexactly(2)
    offered = await reader.readexactly(methods)
    chosen = 0 if proxy.user is None else 2
    if chosen not in offered:
        writer.write(b"\x05\xff")
        return await writer.drain()
    writer.write(bytes((5, chosen)))
    if chosen:
        _, length = await reader.readexactly(2)
        user = (await reader.readexactly(length)).decode()
        password = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        fits = (user, password) == (proxy.user, proxy.password)
        writer.write(bytes((1, 0 if fits else 1)))
        if not fits:
            return await writer.drain()
    _, _, _, kind = await reader.readexactly(4)
    if kind == 3:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    else:
        size, form = (4, IPv4Address) if kind == 1 else (16, IPv6Address)
        host = str(form(await reader.readexactly(size)))
    (port,) = struct.unpack(">H", await reader.readexactly(2))
    end = b"\x00\x01\0\0\0\0\0\0"
    if proxy.refusal is not None:
        writer.write(bytes((5, proxy.refusal)) + end)
        return await writer.drain()
    return await _tunnel(reader, writer, proxy, host, port, b"\x05\x00" + end, b"\x05\x04" + end)


@asynccontextmanager
async def _serving(proxy, scheme, speak, ssl=None):
    tasks = set()

    async def serve(reader, writer):
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await speak(reader, writer, proxy)
        finally:
            writer.transport.abort()

    def accept(reader, writer):
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=ssl)
    proxy.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close their sockets in the next turn


def connect_proxy(ssl=None, **facts):
    """``async with connect_proxy(names={…}) as proxy``: an HTTP proxy that makes tunnels."""
    return _serving(Proxy(**facts), "http" if ssl is None else "https", _speak_http, ssl)


def socks_proxy(**facts):
    """``async with socks_proxy(names={…}) as proxy``: SOCKS 5, with names, addresses and passwords."""
    return _serving(Proxy(**facts), "socks5h", _speak_socks)
