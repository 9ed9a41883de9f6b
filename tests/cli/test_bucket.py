"""``toapis batch -o s3://…``."""

import json

import pytest
from PIL import Image

ENVIRONMENT = {"endpoint": "AWS_ENDPOINT", "region": "AWS_REGION", "access_key_id": "AWS_ACCESS_KEY_ID"}


@pytest.fixture
def address(s3, monkeypatch):
    """Give a place in a bucket, to which the environment leads."""
    address, options = s3.new_bucket()
    for key, name in {**ENVIRONMENT, "secret_access_key": "AWS_SECRET_ACCESS_KEY"}.items():
        monkeypatch.setenv(name, options[key])
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return address


@pytest.mark.s3
async def test_a_run_goes_into_a_bucket(toapis, gateway, prompts, quick, s3, address, tmp_path):
    """Files go into the bucket that the environment leads to; resumed by the journal's directory, nothing is sent."""
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


@pytest.fixture
def run(s3, address, tmp_path):
    """``run(files)``: a bucket with a manifest of these files, of which the present ones are pictures."""

    def make(*uris, absent=()):
        store, lines = s3.store(address), []
        for number, uri in enumerate(uris):
            path = tmp_path / f"{number}.png"
            Image.new("RGB", (64, 36), (number, 0, 0)).save(path)
            file = {"path": "a.png", "bytes": path.stat().st_size, "sha256": f"{number:064}", "mime": "image/png"}
            lines.append({"id": uri, "status": "saved", "model": "m", "prompt": uri, "files": [{**file, "uri": uri}]})
            if uri not in absent and uri.startswith(f"{address}/"):
                store.put(uri.removeprefix(f"{address}/"), path.read_bytes())
        lines.append({"id": "b", "status": "failed", "error": {"type": "ServerError", "message": "no"}})
        store.put("manifest.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines).encode())
        return store

    return make


def files_of(page):
    """Return the files on a page, by their items."""
    text = page.read_text("utf-8").partition('id="data" type="application/json">')[2].partition("</script>")[0]
    return {item["id"]: item["files"][0] for item in json.loads(text)["items"] if "files" in item}


@pytest.mark.s3
async def test_a_gallery_of_a_bucket(toapis, address, run, tmp_path):
    """The pictures are copied beside the page, once; what is gone stays an address; nothing else lands anywhere."""
    here, gone = f"{address}/a.png", f"{address}/gone.png"
    odd = [f"{address}/..", "https://elsewhere.example/b.png", f"{address}/c\n.png"]
    run(here, gone, *odd, absent=[gone, *odd])
    out = tmp_path / "new" / "july"
    ended = await toapis("report", address, "-o", out, "--json")
    assert (ended.code, ended.document["items"]) == (0, 6), ended.err
    shown = files_of(out / "index.html")
    assert (shown[here]["path"], "thumbnail" in shown[here]) == ("./files/a.png", True)
    assert [gone, *odd] == [shown[uri]["name"] for uri in (gone, *odd)]
    assert [out / "files" / "a.png"] == list((out / "files").iterdir())
    assert "toapis resume JOURNAL --reason" in (out / "index.html").read_text()

    inode = (out / "files" / "a.png").stat().st_ino
    await toapis("report", address, "-o", out)
    assert inode == (out / "files" / "a.png").stat().st_ino


@pytest.mark.s3
async def test_a_gallery_of_a_bucket_without_its_files(toapis, address, run, tmp_path):
    """With ``--no-fetch`` only the manifest is read, and the page says where the files are."""
    run(f"{address}/a.png")
    ended = await toapis("report", address, "-o", tmp_path / "july", "--no-fetch")
    assert ended.code == 0, ended.err
    assert files_of(tmp_path / "july" / "index.html")[f"{address}/a.png"]["name"] == f"{address}/a.png"
    assert not (tmp_path / "july" / "files").exists()


@pytest.mark.s3
async def test_a_journals_directory_shows_what_is_in_the_bucket(toapis, address, run, s3, tmp_path):
    """``--fetch`` does the same for a run whose manifest is here."""
    store = run(f"{address}/a.png")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "manifest.jsonl").write_bytes(bytes(store.get("manifest.jsonl").bytes()))
    ended = await toapis("report", tmp_path / "runs", "--fetch")
    assert ended.code == 0, ended.err
    assert files_of(tmp_path / "runs" / "index.html")[f"{address}/a.png"]["path"] == "./files/a.png"


@pytest.mark.s3
async def test_a_buckets_manifest_as_a_table(toapis, address, run, tmp_path):
    """``toapis export`` reads it too."""
    parquet = pytest.importorskip("pyarrow.parquet")
    run(f"{address}/a.png")
    ended = await toapis("export", address, tmp_path / "july.parquet")
    assert ended.code == 0, ended.err
    rows = parquet.read_table(tmp_path / "july.parquet").to_pylist()
    assert [f"{address}/a.png", None] == [row["path"] for row in rows]
    assert [[f"{address}/a.png"], []] == [[file["path"] for file in row["files"]] for row in rows]


@pytest.mark.s3
@pytest.mark.parametrize("words", [("report", "-o", "new"), ("export", "july.parquet")])
async def test_a_bucket_without_a_manifest_is_said_so(toapis, address, words, tmp_path, monkeypatch):
    """Nothing was copied there yet, or it is another place."""
    monkeypatch.chdir(tmp_path)
    command, *rest = words
    ended = await toapis(command, address, *rest)
    assert (ended.code, "holds no manifest.jsonl" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("s3://bucket/july",), "-o"),
        (("s3://bucket/july", "-o", "july", "--watch"), "watch"),
        (("out", "-o", "july"), "-o"),
    ],
)
async def test_what_does_not_fit_a_bucket_is_refused(toapis, words, told, tmp_path, monkeypatch):
    """A page needs a place on this machine, and a bucket is not followed."""
    monkeypatch.chdir(tmp_path)
    ended = await toapis("report", *words)
    assert (ended.code, told in ended.err) == (2, True)
