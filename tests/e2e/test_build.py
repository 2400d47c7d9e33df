"""The whole chain on demo pages: the same bytes however it is run, nothing lost, everything accounted for."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.demo.write import write
from corpusforge.engine.run import manifests
from corpusforge.recipe import parse_recipe, shipped
from corpusforge.report.add import total

PAGES = 60
DECIDING = ("extract", "clean", "duplicates", "corpus", "tokens")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write(folder, pages=PAGES)
    return folder


@pytest.fixture(scope="module")
def serial(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> cf.Run:
    return cf.build("web_multi", inputs=[str(pages)], root=tmp_path_factory.mktemp("serial"), pool="serial")


def digests(run: cf.Run) -> dict[str, str]:
    found = cf.verify(run.address)
    assert not found["wrong"]
    assert not found["undone"]
    return {"version": found["digest"], **{p["pass"]: p["digest"] for p in found["passes"]}}


@pytest.mark.ray
@pytest.mark.parametrize("workers", [1, 2])
def test_ray_gives_the_same_digests_as_serial(pages: Path, serial: cf.Run, tmp_path: Path, workers: int) -> None:
    run = cf.build("web_multi", inputs=[str(pages)], root=tmp_path / "deep" / "root", workers=workers)
    assert digests(run) == digests(serial)


def test_order_and_place_of_the_input_files_decide_nothing(pages: Path, serial: cf.Run, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(pages, moved)
    files = [str(p) for p in moved.iterdir() if p.name.endswith((".warc", ".warc.gz"))]
    random.Random(7).shuffle(files)
    run = cf.build("web_multi", inputs=files, root=tmp_path / "root", pool="serial")
    assert digests(run) == digests(serial)


def test_every_record_is_kept_or_dropped_for_a_reason(serial: cf.Run) -> None:
    for step in ("extract", "clean", "corpus"):
        for manifest in manifests(serial.place, step):
            counts = manifest.counts
            drops = sum(v for k, v in counts.items() if k.startswith("drop."))
            assert counts["records"] == counts.get("kept", 0) + drops, f"{step}/{manifest.unit}"


def test_each_pass_reads_what_the_one_before_it_kept(serial: cf.Run) -> None:
    kept = {p.step: p.report.counts for p in api.report(serial.address)}
    assert kept["clean"]["records"] == kept["extract"]["kept"]
    assert kept["corpus"]["records"] == kept["clean"]["kept"]
    assert kept["tokens"]["documents"] == kept["corpus"]["kept"] > 0
    assert kept["tokens"]["train.tokens"] + kept["tokens"]["validation.tokens"] == kept["tokens"]["tokens"]


def test_a_finished_build_does_nothing_again(pages: Path, serial: cf.Run) -> None:
    again = cf.build("web_multi", inputs=[str(pages)], root=serial.root)
    assert (again.version, again.worked) == (serial.version, 0)


def test_documents_are_self_contained_and_hold_no_html(serial: cf.Run) -> None:
    found = list(serial.documents())
    assert len(found) == serial.outcomes[-1].manifests[0].counts["documents"] or found
    for row in found:
        assert {"id", "url", "text", "lang", "source_file", "source_offset", "cluster_id"} <= set(row)
        assert "html" not in row
        assert len(row["id"]) == 32


def test_kept_and_dropped_rows_are_the_rows_that_were_extracted(serial: cf.Run) -> None:
    extracted = sorted(r["id"] for r in cf.documents(f"{serial.address}/extract", ["id"]))
    later = [r["id"] for step in ("clean", "corpus") for r in cf.dropped(f"{serial.address}/{step}", ["id"])]
    final = [r["id"] for r in serial.documents(["id"])]
    assert sorted(later + final) == extracted


def test_shards_come_in_one_series_a_language(serial: cf.Run) -> None:
    for manifest in manifests(serial.place, "corpus"):
        lang = manifest.unit.rpartition("-")[0]
        rows = list(cf.documents(f"{serial.address}/corpus/{manifest.unit}", ["lang"]))
        assert {row["lang"].lower().replace("-", "_") for row in rows} <= {lang}


def test_a_new_threshold_reads_no_html_again(pages: Path, serial: cf.Run, tmp_path: Path) -> None:
    text = Path(shipped()["web_multi"]).read_text("utf-8")
    assert "at_least: 0.5}" in text
    changed = parse_recipe(text.replace("at_least: 0.5}", "at_least: 0.6}"))
    root = tmp_path / "root"
    shutil.copytree(serial.root, root)
    run = cf.build(changed, inputs=[str(pages)], root=root, pool="serial")
    outcomes = {o.step: o for o in run.outcomes}
    assert run.version == "dev-2"
    assert outcomes["extract"].worked == 0
    assert outcomes["extract"].adopted == outcomes["extract"].planned
    assert outcomes["clean"].worked == outcomes["clean"].planned
    assert digests(run)["extract"] == digests(serial)["extract"]


def test_a_changed_recipe_under_its_version_fails_before_work(pages: Path, tmp_path: Path) -> None:
    text = Path(shipped()["web_multi"]).read_text("utf-8")
    short = "\n".join(text.split("  - name: clean")[0].splitlines())
    cf.build(parse_recipe(short), inputs=[str(pages)], root=tmp_path, version="v1", pool="serial", limit=3)
    changed = parse_recipe(short.replace("{use: url.UrlRules}", "{use: url.UrlRules, most_characters: 1000}"))
    with pytest.raises(api.VersionError, match=r"most_characters was 2048 and is now 1000"):
        cf.build(changed, inputs=[str(pages)], root=tmp_path, version="v1", pool="serial", limit=3)


def test_the_report_of_the_corpus_is_the_sum_of_its_units(serial: cf.Run) -> None:
    whole = {p.step: p.report.to_json() for p in api.report(serial.address)}
    for step in ("extract", "clean", "corpus", "tokens"):
        units = [api.report(f"{serial.address}/{step}/{m.unit}")[0].report for m in manifests(serial.place, step)]
        assert total(reversed(units)).to_json() == whole[step]


def test_a_changed_byte_is_found(serial: cf.Run, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(serial.root, root)
    run = cf.Run(str(root), serial.corpus, serial.version)
    victim = run.place.store.path(manifests(run.place, "corpus")[0].file("kept.parquet").path)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    assert cf.verify(run.address)["wrong"] == [str(victim.relative_to(run.place.store.root))]


def test_an_orphan_is_listed_and_not_counted(serial: cf.Run, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(serial.root, root)
    run = cf.Run(str(root), serial.corpus, serial.version)
    run.place.store.path(run.place.name("clean", "000000.deadbeef.kept.parquet")).write_bytes(b"left behind")
    found = cf.verify(run.address)
    assert found["orphans"] == [run.place.name("clean", "000000.deadbeef.kept.parquet")]
    assert found["digest"] == cf.verify(serial.address)["digest"]


@pytest.fixture
def listened(pages: Path, tmp_path: Path) -> list[tuple[str, Any]]:
    events: list[tuple[str, Any]] = []
    cf.build(
        "web_ja",
        inputs=[str(pages), str(pages)],
        root=tmp_path,
        pool="serial",
        limit=2,
        listen=lambda event, facts: events.append((event, dict(facts))),
    )
    return events


def test_a_build_says_what_it_does(listened: list[tuple[str, Any]]) -> None:
    names = [event for event, _ in listened]
    assert names[0] == "start"
    assert names[-1] == "end"
    plans = [facts["step"] for event, facts in listened if event == "plan"]
    assert set(DECIDING) <= set(plans)
    assert json.dumps(listened[0][1]["plan"].making.inputs)
