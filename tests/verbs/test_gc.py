"""`gc` removes what nothing needs: every version that stays verifies, and goes on, as before."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.demo.write import write
from corpusforge.engine.attempt import Place, new_attempt
from corpusforge.engine.run import manifests
from corpusforge.storage import Store, Stored
from corpusforge.verbs import gc as module
from corpusforge.versions import finder
from tests.storage import s3

RECIPE = """\
corpus: c
passes:
  - name: extract
    source: {{use: warc.Warc}}
    stages: [{{use: main_text.MainText}}]
  - name: clean
    stages: [{{use: length.TooLong, at_most: {at_most}}}]
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("gc")
    write(made / "in", pages=8)
    return made


def build(pages: Path, root: str, at_most: int, inputs: str = "in", **more: str) -> cf.Run:
    recipe = pages / f"{at_most}.yaml"
    recipe.write_text(RECIPE.format(at_most=100_000 + at_most))
    return cf.build(recipe, [str(pages / inputs)], root, pool="serial", **more)  # type: ignore[arg-type]


def digests(corpus: str) -> dict[str, str]:
    found = {}
    for version in Store(corpus).folders(""):
        if Store(corpus).exists(f"{version}/recipe.json"):
            told = api.verify(f"{corpus}/{version}")
            assert not told["wrong"], version
            assert not told["undone"], version
            found[version] = told["digest"]
    return found


@pytest.fixture(params=["disk", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    if request.param == "disk":
        yield str(tmp_path / "out")
        return
    with s3.served():
        yield f"s3://{s3.BUCKET}/out"


def test_the_newest_the_named_and_what_they_name_stay(root: str, pages: Path) -> None:
    corpus = f"{root}/c"
    build(pages, root, 1)
    build(pages, root, 2, version="v1")
    for at_most in (3, 4, 5, 6):
        build(pages, root, at_most)
    before = digests(corpus)
    assert sorted(before) == ["dev-1", "dev-2", "dev-3", "dev-4", "dev-5", "v1"]
    dry = api.gc(corpus, dry_run=True)
    assert digests(corpus) == before
    removal = api.gc(corpus)
    assert removal.to_json() | {"dry_run": True} == dry.to_json()
    assert removal.kept == ["dev-3", "dev-4", "dev-5", "v1"]
    assert set(removal.removed) == {"dev-1", "dev-2"}
    # All versions took over the pages that dev-1 extracted, so its files of that pass stay.
    assert {f.name.split("/")[1] for f in removal.referred} == {"extract"}
    assert digests(corpus) == {v: before[v] for v in removal.kept}
    assert not any("clean" in f.name for f in Store(corpus).walk("dev-1"))
    assert not Store(corpus).exists("dev-2/recipe.json")
    again = api.gc(corpus)
    assert (again.files, len(again.referred)) == ([], len(removal.referred))
    assert build(pages, root, 7).version == "dev-6"
    assert list(cf.documents(f"{corpus}/v1"))


def test_files_go_when_the_last_version_that_names_them_goes(pages: Path, tmp_path: Path) -> None:
    corpus = str(tmp_path / "c")
    for at_most in (1, 2):
        build(pages, str(tmp_path), at_most)
    api.gc(corpus, keep=1)
    assert Store(corpus).folders("") == ["dev-1", "dev-2"]
    write(pages / "others", pages=8, seed=9)
    build(pages, str(tmp_path), 3, "others")
    assert any(line.startswith("dev-2: ") for line in api.collected(api.gc(corpus, keep=1)))
    assert Store(corpus).folders("") == ["dev-3"]
    assert api.verify(f"{corpus}/dev-3")["wrong"] == []


def test_a_base_of_a_kept_version_stays(pages: Path, tmp_path: Path) -> None:
    build(pages, str(tmp_path), 1)
    build(pages, str(tmp_path), 2, version="v1", base="dev-1")
    build(pages, str(tmp_path), 3)
    assert api.gc(str(tmp_path / "c"), keep=1).kept == ["dev-1", "dev-2", "v1"]


def test_young_versions_are_spared(pages: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "c"
    for at_most in (1, 2):
        build(pages, str(tmp_path), at_most)
    assert api.gc(str(corpus), keep=1, older_than=3600).kept == ["dev-1", "dev-2"]
    for file in (corpus / "dev-1").rglob("*"):
        os.utime(file, (time.time() - 7200,) * 2)
    assert api.gc(str(corpus), keep=1, older_than=3600).kept == ["dev-2"]


def test_only_what_attempts_left_a_day_ago_is_an_orphan(pages: Path, tmp_path: Path) -> None:
    run = build(pages, str(tmp_path), 1)
    folder = tmp_path / "c" / "dev-1" / "extract"
    before = api.verify(run.address)["digest"]
    young, old = new_attempt(), f"{int((time.time() - 100_000) * 1000):012x}0badcafe"
    names = [
        f"000000.{old}.kept.parquet",
        f".000000.{old}.swept.parquet.0123456789ab.part",
        f"000000.{young}.kept.parquet",
    ]
    names += [f"attempts/000000.{old}.mark", "notes.txt", ".000000.json.0123456789ab.part"]
    (folder / "attempts").mkdir()
    for name in names:
        (folder / name).write_bytes(b"12345")
        if young not in name:
            os.utime(folder / name, (time.time() - 100_000,) * 2)
    removal = api.gc(str(tmp_path / "c"))
    gone = {f.name.rpartition("extract/")[2] for f in removal.orphans}
    assert gone == {names[0], names[1], names[3], names[5]}
    assert sorted(p.name for p in folder.iterdir() if p.name in names) == sorted([names[2], "notes.txt"])
    assert not (folder / "attempts").exists()
    assert removal.to_json()["orphans"] == {"files": 4, "bytes": 20}
    assert api.verify(run.address)["digest"] == before


def test_nothing_is_removed_while_a_version_is_built(pages: Path, tmp_path: Path) -> None:
    for at_most in (1, 2):
        build(pages, str(tmp_path), at_most)
    manifest = tmp_path / "c" / "dev-2" / "clean" / "000000.json"
    data = manifest.read_bytes()
    manifest.unlink()
    with pytest.raises(api.VersionError, match="seems to be built now: it is unfinished, and was written to 0 min ago"):
        api.gc(str(tmp_path / "c"), keep=1)
    for file in (tmp_path / "c" / "dev-2").rglob("*"):
        os.utime(file, (time.time() - module.QUIET_SECONDS - 60,) * 2)
    assert "dev-1" in api.gc(str(tmp_path / "c"), keep=1).removed
    manifest.write_bytes(data)


def test_a_build_that_begins_meanwhile_keeps_what_it_takes_over(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(pages / "more", pages=8, seed=5)
    build(pages, str(tmp_path), 1)
    build(pages, str(tmp_path), 2, "more")
    named = module._named
    begun: list[cf.Run] = []

    def racing(store: Store, files: Sequence[Stored]) -> set[str]:
        found = named(store, files)
        if not begun:
            begun.append(build(pages, str(tmp_path), 3))
        return found

    monkeypatch.setattr(module, "_named", racing)
    removal = api.gc(str(tmp_path / "c"), keep=1)
    assert begun[0].outcomes[0].adopted > 0
    assert "dev-1" in removal.removed
    assert api.verify(begun[0].address)["wrong"] == []


def test_a_build_that_has_only_begun_meanwhile_ends_it(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at_most in (1, 2):
        build(pages, str(tmp_path), at_most)
    named, store = module._named, Store(str(tmp_path / "c"))

    def racing(given: Store, files: Sequence[Stored]) -> set[str]:
        store.put_if_absent("dev-3/recipe.json", store.read("dev-2/recipe.json"))
        return named(given, files)

    monkeypatch.setattr(module, "_named", racing)
    files = {f.name for f in store.walk("dev-1")}
    with pytest.raises(api.VersionError, match="dev-3 seems to be built now"):
        api.gc(store.root, keep=1)
    assert files - {f.name for f in store.walk("dev-1")} == {"dev-1/recipe.json"}
    found = finder(Place(store, "dev-3"), "dev-1")
    assert found("extract", manifests(Place(store, "dev-1"), "extract")[0].identity) is None


def test_a_damaged_manifest_ends_it_before_anything_goes(pages: Path, tmp_path: Path) -> None:
    for at_most in (1, 2):
        build(pages, str(tmp_path), at_most)
    manifest = tmp_path / "c" / "dev-2" / "clean" / "000000.json"
    manifest.write_text("{")
    files = len(list((tmp_path / "c").rglob("*")))
    with pytest.raises(api.VersionError, match="is no manifest, so nothing is removed"):
        api.gc(str(tmp_path / "c"), keep=1)
    assert len(list((tmp_path / "c").rglob("*"))) == files


def test_what_is_no_corpus_is_said(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    with pytest.raises(api.VersionError, match="give ROOT/CORPUS"):
        api.gc(str(tmp_path))
