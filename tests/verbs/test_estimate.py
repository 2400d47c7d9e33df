"""An estimate is near what a build then does, changes nothing of it, and is made only where it is worth its seconds."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.demo.write import write
from corpusforge.engine.run import manifests
from corpusforge.verbs import build as module
from corpusforge.verbs.estimate import Estimate
from corpusforge.verbs.sample import NoSample
from tests.real import real

TEXTS = "corpus: t\npasses: [{name: read, source: jsonl.Jsonl, stages: [{use: length.TooLong}]}]"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("estimate")
    write(made / "in", pages=400)
    return made / "in"


def test_an_estimate_is_near_what_a_build_does(pages: Path, tmp_path: Path) -> None:
    found = api.estimate_of(api.plan("web_multi", [str(pages)]), workers=1)
    run = cf.build("web_multi", [str(pages)], tmp_path, pool="serial")
    extracted = manifests(run.place, "extract")
    rows = sum(m.counts["into.00.UrlRules"] for m in extracted)
    assert found.what == "pages"
    assert found.records == pytest.approx(rows, rel=0.5)
    spent = sum(m.cost["cpu_seconds"] for step in api.step_names(run.place) for m in manifests(run.place, step))
    assert spent / 4 < found.seconds < spent * 4
    files = [f for step in api.step_names(run.place) for m in manifests(run.place, step) for f in m.files]
    data = sum(f.bytes for f in files if f.role.startswith(("kept", "swept", "train", "validation")))
    assert data / 4 < found.written < data * 4


def test_texts_that_are_compressed_are_counted(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"{n} " + "text of a document " * (n % 50)}) for n in range(20_000)]
    (tmp_path / "t.yaml").write_text(TEXTS)
    for name, data in (
        ("a.jsonl", "\n".join(lines).encode()),
        ("b.jsonl.gz", gzip.compress("\n".join(lines).encode())),
    ):
        (tmp_path / name).write_bytes(data)
        found = api.estimate_of(api.plan(tmp_path / "t.yaml", [str(tmp_path / name)]))
        assert found.what == "documents"
        assert found.records == pytest.approx(20_000, rel=0.6), name


def test_a_limit_bounds_it(pages: Path) -> None:
    assert api.estimate_of(api.plan("web_multi", [str(pages)], limit=5)).records <= 20


def test_build_tells_it_where_much_is_left_and_not_again(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def listen(event: str, facts: Any) -> None:
        if event == "note":
            told.append(facts["line"])

    def build(root: str, **more: bool) -> cf.Run:
        told.clear()
        return cf.build("web_multi", [str(pages)], tmp_path / root, pool="serial", limit=20, listen=listen, **more)  # type: ignore[arg-type]

    plain = build("plain", estimate=True)
    assert told == [], "the input is small"
    monkeypatch.setattr(module, "LARGE_BYTES", 1)
    run = build("told", estimate=True)
    assert len(told) == 1
    assert "pages, " in told[0]
    assert "1 worker (from a sample of" in told[0]
    assert api.verify(run.address)["digest"] == api.verify(plain.address)["digest"]
    assert build("told", estimate=True).worked == 0
    assert told == [], "nothing is left"
    build("quiet")
    assert told == []


def test_what_cannot_be_measured_is_said(pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom typing import ClassVar\nfrom pydantic.dataclasses import dataclass\n\n"
        "@dataclass(frozen=True)\nclass Deadly:\n    revision: ClassVar[int] = 1\n"
        "    reads: ClassVar[tuple] = ()\n    writes: ClassVar[dict] = {}\n"
        "    def __call__(self, batch):\n        os.abort()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "d.yaml").write_text('corpus: d\npasses: [{name: x, source: warc.Warc, stages: ["deadly:Deadly"]}]')
    with pytest.raises(NoSample, match="could not be measured"):
        api.estimate_of(api.plan(tmp_path / "d.yaml", [str(pages)]))


def test_lines_are_honest_and_short() -> None:
    found = Estimate("pages", 8406, 540.0, 0.3, 120_400_000, 2, 40, ("extract",))
    assert (
        found.line() == "about 8,400 pages, 9.0 min (6.3 min to 12 min), 120 MB, 2 workers (from a sample of 40 pages)"
    )
    small = Estimate("documents", 7, 0.2, 0.5, 12_000, 1, 7, ("read",))
    assert small.line() == "about 7 documents, 1 s, 0 MB, 1 worker (from a sample of 7 documents)"


@pytest.mark.real
def test_real_pages_are_counted_to_a_quarter() -> None:
    found = api.estimate_of(api.plan("web_multi", [str(real("warc"))]))
    assert found.records == pytest.approx(8406, rel=0.25)
