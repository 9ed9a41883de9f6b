"""The network of a client. Needs: AsyncToAPIs(proxy, ssl_context, default_headers, file_hosts, rewrite_file_url)"""

import ssl

from toapis_async import AsyncToAPIs

AsyncToAPIs(
    proxy="environment",
    ssl_context=ssl.create_default_context(),
    default_headers={"X-Team": "posters"},
    file_hosts={"files.example.com": ("files.example.org",)},
    rewrite_file_url=lambda url: url,
)
