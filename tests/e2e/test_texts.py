"""Builds from texts that others extracted: nothing is lost whatever ids they have."""

import json
from pathlib import Path

import corpusforge as cf
from tests.numbered import RECIPE, text


def test_ids_that_begin_anew_in_each_file_lose_nothing(tmp_path: Path) -> None:
    for part in range(2):
        lines = [json.dumps({"id": n, "text": text(100 * part + n)}) for n in range(50)]
        (tmp_path / f"part-{part}.jsonl").write_text("\n".join(lines))
    (tmp_path / "numbered.yaml").write_text(RECIPE)
    run = cf.build(tmp_path / "numbered.yaml", inputs=[str(tmp_path)], root=tmp_path / "out", pool="serial")
    assert len({row["id"] for row in run.documents()}) == 100
