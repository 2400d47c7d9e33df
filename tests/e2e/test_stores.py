"""Inputs and roots in stores and on the web: the same bytes as on disk, also when calls fail and workers are killed."""

import gzip
import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import corpusforge as cf
from corpusforge.cli import app
from corpusforge.demo.write import write
from corpusforge.engine.attempt import Place
from corpusforge.engine.run import run
from corpusforge.inputs import InputError
from corpusforge.ray_pool import RayPool
from corpusforge.recipe import parse_recipe
from corpusforge.storage import Store, StoreError
from tests.crash.passes import MEMORY, Perils, Resources
from tests.storage import s3
from tests.storage.site import folder_served

ROOT = f"s3://{s3.BUCKET}/roots"
CRAWL = f"s3://{s3.BUCKET}/crawl"
DOCS = Path(__file__).parents[2] / "docs" / "inputs.md"
AGAIN = """\
corpus: again
passes:
  - name: read
    source: {use: corpus.Corpus}
    stages:
      - {use: length.TooShort, at_least: 1}
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write(folder, pages=40)
    return folder


@pytest.fixture(scope="module")
def url(pages: Path) -> Iterator[str]:
    with s3.served() as made:
        for path in pages.iterdir():
            s3.client(made).upload_file(str(path), s3.BUCKET, f"crawl/{path.name}")
        yield made


@pytest.fixture(scope="module")
def on_disk(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> cf.Run:
    return cf.build("web_multi", inputs=[str(pages)], root=tmp_path_factory.mktemp("disk"), pool="serial")


@pytest.fixture(scope="module")
def in_store(url: str) -> cf.Run:
    return cf.build("web_multi", inputs=[CRAWL], root=ROOT, pool="serial")


def digests(run: cf.Run) -> dict[str, str]:
    found = cf.verify(run.address)
    assert not found["wrong"]
    assert not found["undone"]
    return {"version": found["digest"], **{p["pass"]: p["digest"] for p in found["passes"]}}


def test_a_root_in_a_store_gives_the_digests_of_one_on_disk(on_disk: cf.Run, in_store: cf.Run) -> None:
    assert digests(in_store) == digests(on_disk)
    assert in_store.address == f"{ROOT}/web_multi/dev-1"
    assert list(in_store.documents()) == list(on_disk.documents())
    assert in_store.report.to_json() == on_disk.report.to_json()
    assert cf.verify(f"{ROOT}/web_multi/dev")["orphans"] == []


def test_a_finished_build_in_a_store_does_nothing_again(pages: Path, in_store: cf.Run) -> None:
    again = cf.build("web_multi", inputs=[str(pages)], root=ROOT, pool="serial")
    assert (again.version, again.worked) == ("dev-1", 0)


def test_inputs_on_the_web_give_the_digests_of_those_on_disk(
    pages: Path, on_disk: cf.Run, url: str, tmp_path: Path
) -> None:
    names = sorted(p.name for p in pages.iterdir() if p.name.endswith((".warc", ".warc.gz")))
    (tmp_path / "warc.paths.gz").write_bytes(gzip.compress("\n".join(names).encode()))
    with folder_served(pages) as web:
        given = [f"@{tmp_path}/warc.paths.gz"]
        made = cf.build("web_multi", given, root=tmp_path / "out", pool="serial", input_base=web)
    assert digests(made) == digests(on_disk)


@pytest.fixture(scope="module")
def failing(url: str) -> Iterator[tuple[RayPool, dict[str, int]]]:
    """Ray whose workers, like this process, reach the store only over a proxy that fails; and what it did."""
    with s3.failing(url, 0.05, 0.01) as (proxied, counts), s3.environment(proxied):
        pool = RayPool(2, Resources(memory=MEMORY), None, print)
        try:
            yield pool, counts
        finally:
            pool.close()


@pytest.mark.ray
def test_a_record_that_kills_its_workers_is_found_and_dropped(failing: tuple[RayPool, dict[str, int]]) -> None:
    pool, _ = failing
    place = Place(Store(f"{ROOT}/perils"), "v1")
    done = run(Perils(("segfault", "none")), {}, place, lambda resources, units: pool)
    pool.release()
    counts = done.manifests[0].counts
    assert (counts["kept"], counts["drop.extract.killed_worker"]) == (9, 1)
    assert place.store.names("v1/perils/attempts") == []
    assert not list(place.store.scratch("v1/perils/attempts/x").parent.iterdir())


@pytest.mark.ray
def test_failing_calls_and_a_killed_worker_change_no_digest(
    on_disk: cf.Run, failing: tuple[RayPool, dict[str, int]]
) -> None:
    killed: list[int] = []

    def kill_once(event: str, facts: Any) -> None:
        if event == "done" and not killed:
            workers = [p for p in psutil.Process().children(recursive=True) if "ray::Worker" in " ".join(p.cmdline())]
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    _, counts = failing
    made = cf.build("web_multi", [CRAWL], root=f"{ROOT}/failing", workers=2, listen=kill_once)
    assert digests(made) == digests(on_disk)
    assert killed
    assert min(counts["errors"], counts["drops"], counts["lost"]) > 0


@pytest.mark.parametrize("given", ["dev", "dev-1", "dev-1/corpus"])
def test_an_earlier_corpus_is_read_by_its_manifests(in_store: cf.Run, on_disk: cf.Run, given: str) -> None:
    recipe = parse_recipe(AGAIN)
    made = cf.build(recipe, [f"{ROOT}/web_multi/{given}"], root=f"{ROOT}/{given.replace('/', '-')}", pool="serial")
    from_disk = cf.api.plan(recipe, [f"{on_disk.root}/web_multi/{given}"])
    assert from_disk.making.inputs == cf.api.plan(recipe, [f"{ROOT}/web_multi/{given}"]).making.inputs
    assert all(i["name"].startswith("web_multi/dev-1/corpus/") for i in from_disk.making.inputs)
    kept = {row["id"]: row["text"] for row in in_store.documents(["id", "text"])}
    assert {row["id"]: row["text"] for row in made.documents(["id", "text"])} == kept


def test_an_earlier_pass_without_documents_is_refused(on_disk: cf.Run) -> None:
    with pytest.raises(InputError, match="pass tokens holds no documents"):
        cf.api.plan(parse_recipe(AGAIN), [f"{on_disk.address}/tokens"])


def test_a_root_that_cannot_be_one_is_refused_before_work(pages: Path, url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no bucket 'nowhere'"):
        cf.build("web_ja", [str(pages)], root="s3://nowhere/out", pool="serial")
    with pytest.raises(StoreError, match="nothing can be written there"):
        cf.build("web_ja", [str(pages)], root="https://example.org/out", pool="serial")


def commands() -> list[str]:
    """The commands of the two sections of the page that are about places."""
    text = DOCS.read_text("utf-8")
    sections = [part for part in text.split("\n## ") if part.startswith(("Where inputs lie", "Roots on object"))]
    return [
        line
        for part in sections
        for block in re.findall(r"```sh\n(.*?)```", part, re.S)
        for line in block.split("\n")
        if line
    ]


def test_the_commands_of_the_docs_work(
    pages: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    amazon = s3.client(url)
    amazon.create_bucket(Bucket="my-bucket")
    first = min(pages.glob("*.warc.gz"))
    listing = gzip.compress(b"crawl/pages.warc.gz\n")
    for key, data in {"crawl/pages.warc.gz": first.read_bytes(), "lists/warc.paths.gz": listing}.items():
        amazon.put_object(Bucket="my-bucket", Key=key, Body=data)
        (tmp_path / key).parent.mkdir()
        (tmp_path / key).write_bytes(data)
    (tmp_path / "warc.paths.gz").write_bytes(listing)
    monkeypatch.chdir(tmp_path)
    assert len(commands()) >= 9
    with folder_served(tmp_path) as web:
        for line in commands():
            words = shlex.split(line.replace("https://data.example.org", web))
            assert words[0] == "corpusforge"
            more = ["--pool", "serial", "--limit", "3"] if words[1] == "build" else []
            assert not app([*words[1:], *more], standalone_mode=False), line
            printed = capsys.readouterr().out
            assert words[1] != "check" or "inputs: 1 file" in printed, line
