"""Map passes that read a source: many small files share units, and several sources agree on their columns."""

from pathlib import Path

import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.inputs import InputError
from corpusforge.parts import RecipeError
from corpusforge.passes import map as map_pass
from corpusforge.passes.map import slices_of
from corpusforge.recipe import parse_recipe

RECIPE = """\
corpus: small
passes:
  - name: extract
    source: [{use: plain.PlainText, per: file}, {use: jsonl.Jsonl, columns: {%s: %s}}]
    stages: [{use: normal.Normalise}]
"""


def texts(folder: Path, count: int) -> Path:
    for number in range(count):
        (folder / f"{number:05d}.txt").write_text(f"これは{number}番目の文書です。" * (1 + number % 7))
    return folder


def test_many_small_files_share_units_and_few_do_not(tmp_path: Path) -> None:
    recipe = parse_recipe(RECIPE % ("score", "float64"))
    many = api.plan(recipe, [str(texts(tmp_path, 2500))]).source
    assert many is not None
    units = many.plan({})
    assert 700 < len(units) < 1500
    names = [piece.name for unit in units for piece in slices_of(unit)]
    assert names == [f"{number:05d}.txt" for number in range(2500)]
    few = api.plan(recipe, [str(tmp_path / "0000?.txt")]).source
    assert few is not None
    assert len(few.plan({})) == 10


def test_units_of_many_files_give_the_documents_of_units_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    texts(folder, 30)
    recipe = parse_recipe(RECIPE % ("score", "float64"))
    apart = cf.build(recipe, [str(folder)], tmp_path / "apart", pool="serial")
    monkeypatch.setattr(map_pass, "UNITS", 1)
    together = cf.build(recipe, [str(folder)], tmp_path / "together", pool="serial")
    assert [outcome.planned for outcome in (*apart.outcomes, *together.outcomes)] == [30, 1]
    assert list(together.documents()) == list(apart.documents())


def test_a_file_that_vanishes_fails_the_unit_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    texts(folder, 2)
    planned = api.plan(parse_recipe(RECIPE % ("score", "float64")), [str(folder)])

    def remove(event: str, facts: object) -> None:
        (folder / "00001.txt").unlink(missing_ok=True)

    with pytest.raises(cf.BuildFailed, match=r"extract/000001 \(00001\.txt bytes 0-\d+\): FileNotFoundError"):
        cf.build(planned.recipe, [str(folder)], tmp_path / "out", pool="serial", listen=remove)


def test_what_gave_no_document_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "これは文書です。"}\nno json\n')
    (tmp_path / "b.jsonl").write_text('{"text": "これも文書です。"}\n')
    made = cf.build(parse_recipe(RECIPE % ("score", "float64")), [str(tmp_path)], tmp_path / "out", pool="serial")
    (sample,) = made.report.samples["drop.source.bad_json"]
    assert (sample["source_file"], sample["source_offset"], sample["records"]) == ("a.jsonl", 0, 1)


def test_a_named_file_of_no_kind_of_several_is_refused_with_what_reads_it(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text("{}\n")
    (tmp_path / "d.bin").write_bytes(b"\0")
    with pytest.raises(InputError, match=r"^d\.jsonl is of no kind .* Recipes that do: text$"):
        api.plan("web_ja", [str(tmp_path / "d.jsonl")])
    with pytest.raises(InputError, match=r"^d\.bin is of no kind .* Write a recipe with the one source"):
        api.plan("web_ja", [str(tmp_path / "d.bin")])


def test_two_sources_that_differ_on_a_column_are_refused() -> None:
    jsonl, parquet = "{use: jsonl.Jsonl, columns: {score: int64}}", "{use: parquet.Parquet, columns: {score: string}}"
    text = f"corpus: two\npasses:\n  - name: extract\n    source: [{jsonl}, {parquet}]\n"
    with pytest.raises(RecipeError, match="Jsonl writes 'score' as int64, Parquet as string"):
        parse_recipe(text)
