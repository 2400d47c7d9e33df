"""An earlier corpus as input: its documents come through as they are, and pieces of them lead back to them."""

import io
import re
import time
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from corpusforge.engine.tables import TableWriter
from corpusforge.schema import DOCUMENT, MASKED
from corpusforge.sources import Slice
from corpusforge.sources.corpus import Characters, Corpus, child_id, chunks
from corpusforge.text.edits import apply, replay

Rows = list[dict[str, Any]]


class Kept(io.BytesIO):
    """Bytes that stay when Parquet closes the file."""

    def close(self) -> None:
        pass


def shard(texts: list[str], **columns: pa.Array) -> bytes:
    """A kept file of documents that were once "old" where they are "new" now."""
    rows = []
    for number, text in enumerate(texts):
        changed, edits = apply("Renew", text, [(m.start(), m.end(), "new") for m in re.finditer("old", text)])
        rows.append(
            {
                "id": f"{number:032x}",
                "text": changed,
                "edits": edits,
                "lang": "ja",
                "source_file": "CC-MAIN.warc.gz",
                "source_offset": number * 1000,
                "source_length": 900,
            }
        )
    table = pa.Table.from_pylist(rows, pa.schema([f for f in DOCUMENT if f.name != "drop"]))
    for name, column in columns.items():
        table = table.append_column(name, column)
    file = Kept()
    with TableWriter(file, table.schema) as writer:
        for batch in table.to_batches():
            writer.write(batch)
    return file.getvalue()


def read(data: bytes, source: Corpus, limit: int | None = None) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for batch in source.read(Slice("a.kept.parquet", "f", 0, len(data), limit), io.BytesIO(data), passed_over):
        assert batch.schema.equals(pa.schema(list(source.writes.items())))
        rows += batch.to_pylist()
    return rows, passed_over


def test_documents_keep_id_lineage_edits_and_named_columns() -> None:
    masked = [{"kind": "EMAIL", "start": 0, "length": 9}]
    data = shard(
        ["old words, old", "plain"],
        quality=pa.array([0.5, None], pa.float32()),
        masked=pa.array([masked, []], pa.list_(MASKED)),
        left_behind=pa.array([1, 2]),
    )
    (one, two), passed_over = read(
        data, Corpus(columns={"quality": "float32", "masked": "masked", "not_there": "string"})
    )
    assert (one["id"], one["source_file"], one["source_offset"]) == ("0" * 32, "CC-MAIN.warc.gz", 0)
    assert (one["text"], replay(one["text"], one["edits"])) == ("new words, new", "old words, old")
    assert (one["quality"], one["masked"], one["not_there"], one["drop"]) == (0.5, masked, None, None)
    assert (two["quality"], two["lang"], two["source_offset"]) == (None, "ja", 1000)
    assert "left_behind" not in one
    assert passed_over == Counter()


def test_reasons_of_a_swept_file_do_not_come_back() -> None:
    data = shard(["a"], drop=pa.array(["TooShort.short"]))
    assert read(data, Corpus())[0][0]["drop"] is None


@pytest.mark.parametrize(
    ("split", "pieces"),
    [
        ("paragraphs", ["一\n二", "三", "四"]),
        ("lines", ["一", "二", "三", "四"]),
        ({"characters": 4}, ["\n 一\n", "二\n\n", "三 \n", " \n四\n"]),
    ],
)
def test_pieces_lead_back_to_their_document(split: Any, pieces: list[str]) -> None:
    text = "\n 一\n二\n\n三 \n \n四\n"
    source = TypeAdapter(Corpus).validate_python({"split": split})
    rows, passed_over = read(shard([text, " \n\n "]), source)
    assert [row["text"] for row in rows] == pieces
    assert passed_over == Counter({"source.no_text": 1})
    for number, row in enumerate(rows):
        assert row["id"] == child_id("0" * 32, number)
        assert text[row["parent_start"] :].startswith(row["text"])
        assert (row["parent"], row["source_file"], row["source_length"]) == ("0" * 32, "CC-MAIN.warc.gz", 900)
        assert (row["edits"], row["blocks"]) == ([], None)


@given(st.text(alphabet="a 猫。\n.", max_size=80), st.integers(1, 20))
def test_chunks_cover_the_text_and_keep_the_limit(text: str, characters: int) -> None:
    ranges = list(chunks(text, characters))
    assert all(0 < end - start <= characters for start, end in ranges)
    left = list(text)
    for start, end in ranges:
        left[start:end] = [" "] * (end - start)
    assert not "".join(left).strip()


@given(st.text(max_size=60), st.sampled_from(["paragraphs", "lines"]))
def test_pieces_have_every_character_but_white_space(text: str, split: Any) -> None:
    rows, _ = read(shard([text]), Corpus(split=split))
    assert "".join("".join(row["text"] for row in rows).split()) == "".join(text.split())


def test_chunks_end_where_something_ends() -> None:
    text = "一文目です。二文目はもっと長いです。end of it"
    assert [text[start:end] for start, end in chunks(text, 12)] == [
        "一文目です。",
        "二文目はもっと長いです。",
        "end of it",
    ]


def test_a_limit_counts_children_too() -> None:
    rows, _ = read(shard(["a\nb\nc", "d\ne"]), Corpus(split="lines"), limit=4)
    assert [row["text"] for row in rows] == list("abcd")


def test_a_file_that_is_no_corpus_counts_its_rows() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["x", "y"]}), file)
    assert read(file.getvalue(), Corpus()) == ([], Counter({"source.not_corpus": 2}))


def test_columns_are_checked_before_a_build() -> None:
    for fields in ({"columns": {"a": "number"}}, {"columns": {"text": "string"}}, {"split": {"characters": 0}}):
        with pytest.raises(ValidationError):
            TypeAdapter(Corpus).validate_python(fields)
    assert Corpus(split=Characters(characters=5)).writes["parent"] == pa.string()


OLD_PARAGRAPH = re.compile(r"\S(?:.*?)(?=\s*?\n[^\S\n]*\n|\s*\Z)", re.DOTALL)


@given(st.text(alphabet="ab\n \t\r\x1c\u3000"))
def test_paragraphs_are_what_stands_between_blank_lines(text: str) -> None:
    assert list(Corpus(split="paragraphs")._ranges(text)) == [match.span() for match in OLD_PARAGRAPH.finditer(text)]


@pytest.mark.parametrize("space", [" ", "\n ", "\n", " \r"])
def test_long_white_space_costs_no_time(space: str) -> None:
    text = "a" + space * 500_000 + "b"
    began = time.process_time()
    assert len(list(Corpus(split="paragraphs")._ranges(text))) in (1, 2)
    assert time.process_time() - began < 5
