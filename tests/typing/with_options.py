"""A view of a client with other settings. Needs: AsyncToAPIs.with_options"""

from typing import assert_type

from toapis_async import AsyncToAPIs, FixedPolling


def view(client: AsyncToAPIs) -> None:
    patient = client.with_options(timeout=10, max_retries=0, polling=FixedPolling(5.0), default_headers={"X-Team": "a"})
    assert_type(patient, AsyncToAPIs)
