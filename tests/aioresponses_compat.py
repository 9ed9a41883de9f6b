"""aioresponses 0.7.9 for aiohttp 3.14 and newer; to be removed once upstream has released its own answer.

Two things are missing there: the response's ``stream_writer``, and a parser to pause when a body is long.
"""

from functools import partialmethod
from inspect import signature
from unittest.mock import Mock

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aioresponses import aioresponses, core

_LONGEST_BODY = 2**30


class _Response(aiohttp.ClientResponse):
    if "stream_writer" in signature(aiohttp.ClientResponse.__init__).parameters:
        __init__ = partialmethod(aiohttp.ClientResponse.__init__, stream_writer=Mock())


def _unpaused_reader(loop=None):
    return aiohttp.StreamReader(ResponseHandler(loop=loop), limit=_LONGEST_BODY, loop=loop)


class MockedCalls(aioresponses):
    """``aioresponses`` that works, and that notes calls for which no answer was registered."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.unregistered = []

    def add(self, *args, **kwargs):
        super().add(*args, **{"response_class": _Response, **kwargs})

    async def match(self, method, url, **kwargs):
        answer = await super().match(method, url, **kwargs)
        if answer is None:
            self.unregistered.append((method, str(url)))
        return answer

    def start(self):
        super().start()
        self._reader, core.stream_reader_factory = core.stream_reader_factory, _unpaused_reader

    def stop(self):
        core.stream_reader_factory = self._reader
        super().stop()
