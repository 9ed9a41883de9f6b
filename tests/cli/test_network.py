"""The way to the gateway, as the program is told it."""

from toapis_async.testing import Scenario, Simulator


async def test_a_proxy_and_an_authority_can_be_named(toapis, connect_proxy, monkeypatch):
    """Only the proxy knows where the gateway is, and only the file knows whom to trust."""
    async with (
        connect_proxy(names={"gateway.example": "127.0.0.1"}) as proxy,
        Simulator(Scenario(files="small"), tls=True, name="gateway.example") as sim,
    ):
        monkeypatch.setenv("TOAPIS_API_KEY", sim.api_key)
        address = ("--base-url", sim.base_url, "--proxy", proxy.url)
        well = await toapis("balance", *address, "--ca-file", sim.ca_file)
        ill = await toapis("balance", *address)

    assert well.code == 0, well.err
    assert ill.code != 0
    assert "--ca-file" in ill.err


async def test_a_file_without_certificates_is_named(toapis, tmp_path, monkeypatch):
    """Before anything is sent."""
    monkeypatch.setenv("TOAPIS_API_KEY", "sk-1")
    (tmp_path / "ca.pem").write_text("nothing")
    ended = await toapis("balance", "--ca-file", tmp_path / "ca.pem")

    assert ended.code == 2
    assert "ca.pem" in ended.err
