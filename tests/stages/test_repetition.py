"""Repetition is measured by name and judged by language."""

import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from corpusforge.stages.repetition import MEASURES, GopherRepetition
from tests.real import real

PROSE = (
    "When the ferry reached the island, the captain asked every passenger to wait below while two sailors tied the "
    "ropes. A boy with a grey cap ran along the pier and shouted that the market had already opened. Nobody listened "
    "to him, because the smell of fresh bread came over the water and made people forget their bags."
)


def batch(*rows: tuple[str, str | None]) -> pa.RecordBatch:
    texts, langs = zip(*rows, strict=True)
    return pa.RecordBatch.from_pydict(
        {"text": pa.array(texts, pa.large_string()), "lang": pa.array(langs, pa.string())}
    )


def test_prose_stays_and_copies_go() -> None:
    copies = "\n".join([PROSE] * 3)
    phrase = " ".join(f"buy cheap red shoes number {n}" for n in range(60))
    measured = GopherRepetition()(batch((PROSE, "en"), (copies, "en"), (phrase, "en"), ("", None)))
    drop = [reason and reason.removeprefix("GopherRepetition.") for reason in measured["drop"].to_pylist()]
    assert drop == [None, "high_dup_line_share", "high_top_2gram_share", None]
    assert measured["dup_line_share"].to_pylist()[1] == pytest.approx(0.667)
    assert measured["dup_5gram_share"].to_pylist()[0] == 0


def test_numbers_and_rules_on_lines_of_their_own_are_no_repetition() -> None:
    text = "\n".join(f"* * *\n2\n第{n}条の定めにより、市は公園{n}を{n}年ごとに直す。" for n in range(3, 9))
    assert GopherRepetition()(batch((text, "ja")))["dup_line_share"].to_pylist() == [0]


def test_japanese_ngrams_are_twice_as_long_in_characters() -> None:
    text = "春の海はひねもすのたりのたりかな" + "山路来て何やらゆかしすみれ草" + "ひねもすのたり"
    measured = GopherRepetition()(batch((text, "ja")))
    assert measured["top_3gram_share"].to_pylist()[0] == pytest.approx(12 / len(text), abs=1e-3)
    assert measured["dup_5gram_share"].to_pylist() == [0]


def test_limits_say_where_they_come_from_and_can_be_replaced() -> None:
    copies = "\n".join([PROSE] * 3)
    free = {f"{name}_at_most": None for name in MEASURES}
    rows = batch((copies, "en"), (copies, "xx"), ("กขค" * 40, "th"), ("語" * 9, "ja"))
    measured = GopherRepetition(thresholds={"all": free})(rows)
    assert measured["drop"].to_pylist() == [None] * 4
    assert measured["repetition_limits"].to_pylist() == ["en", "other", "th", "ja"]
    with pytest.raises(ValidationError, match="dup_lines_at_most"):
        GopherRepetition(thresholds={"ja": {"dup_lines_at_most": 0.1}})


def test_real_books_are_kept() -> None:
    with pa.input_stream(str(real("text-ja-aozora/aozora.jsonl.zst"))) as file:
        works = [json.loads(line)["text"] for line in file.read().decode().splitlines()[::20]]
    drop = GopherRepetition()(batch(*((text, "ja") for text in works)))["drop"]
    assert drop.null_count >= 0.98 * len(works)
