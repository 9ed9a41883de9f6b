"""How long the headers of a reply may be.

aiohttp stops at 8 kB a line and at 128 lines. Security policies and signed redirects pass both, and a reply that is
thrown away for its headers may be the only word about a task that is paid for.
"""

import inspect
from typing import TypedDict

import aiohttp


class HeaderLimits(TypedDict, total=False):
    """Arguments of an aiohttp request."""

    max_line_size: int
    max_field_size: int
    max_headers: int


HEADER_LIMITS: HeaderLimits = {"max_line_size": 65_536, "max_field_size": 65_536, "max_headers": 1000}
"""For each request, so that they hold in a session that was lent, too."""

if "max_headers" not in inspect.signature(aiohttp.ClientSession).parameters:
    del HEADER_LIMITS["max_headers"]  # before 3.14 aiohttp did not count lines
