"""``toapis batch -o s3://…``."""

import pytest

ENVIRONMENT = {"endpoint": "AWS_ENDPOINT", "region": "AWS_REGION", "access_key_id": "AWS_ACCESS_KEY_ID"}


@pytest.mark.s3
async def test_a_run_goes_into_a_bucket(toapis, gateway, prompts, quick, s3, tmp_path, monkeypatch):
    """Files go into the bucket that the environment leads to; resumed by the journal's directory, nothing is sent."""
    address, options = s3.new_bucket()
    for key, name in {**ENVIRONMENT, "secret_access_key": "AWS_SECRET_ACCESS_KEY"}.items():
        monkeypatch.setenv(name, options[key])
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    source = prompts(["a fox", "an owl"], "a.txt")
    async with gateway() as sim:
        journal = str(tmp_path / "runs")
        ended = await toapis("batch", str(source), "-o", address, "--journal", journal, *quick)
        assert ended.code == 0, ended.err
        assert {line.rpartition("/")[0] for line in ended.lines} == {address}
        again = await toapis("resume", journal, *quick)
        assert again.code == 0, again.err
        assert sim.books.posts == 2
    assert len(s3.names(address)) == 3


async def test_a_bucket_without_a_journal_is_a_mistake(toapis, prompts):
    """Without a place for the journal nothing is sent, and the option is named."""
    ended = await toapis("batch", str(prompts(["a fox"], "a.txt")), "-o", "s3://bucket/july")
    assert ended.code == 2
    assert "--journal" in ended.err
