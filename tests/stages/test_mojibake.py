"""Pieces of mojibake in sound texts are read back by edits; sound texts stay."""

from typing import Any

import pyarrow as pa
import pytest

from corpusforge.schema import EDIT
from corpusforge.stages.mojibake import Mojibake
from corpusforge.stages.prove import prove
from corpusforge.text.edits import replay
from corpusforge.text.mojibake import WINDOWS


def mended(text: str | None) -> dict[str, Any]:
    schema = pa.schema({"text": pa.large_string(), "edits": pa.list_(EDIT), "drop": pa.string()})
    batch = pa.RecordBatch.from_pylist([{"text": text, "edits": [], "drop": None}], schema)
    row: dict[str, Any] = prove(Mojibake(), batch).to_pylist()[0]
    return row


def test_pieces_are_read_back_as_edits() -> None:
    quoted = WINDOWS.forth("国境の長いトンネル".encode())
    text = f"川端の書き出しは次の通りである。\n{quoted}を抜けると雪国であった。" + "普通の文章が続いている。" * 9
    row = mended(text)
    assert row["text"].splitlines()[1].startswith("国境の長いトンネルを抜けると")
    assert (row["repaired"], row["drop"]) == (1, None)
    assert replay(row["text"], row["edits"]) == text
    assert mended("Itâ€™s a naÃ¯ve piece of prose. " + "Plain words follow. " * 20)["text"].startswith("It’s a")


def test_pairs_are_mended_only_in_company() -> None:
    long = " Plain words follow here." * 20
    assert mended("Un cafÃ©, une Ã©cole et une Ã®le." + long)["text"].startswith("Un café, une école et une île.")
    for text in ("“ESPAÑ” fue el título.", "Â° est un signe.", "cafÃ© once"):
        assert mended(text + long)["text"] == text + long


@pytest.mark.parametrize("text", ["NÃO HÁ “AÇÃO”", "« à la “Ña” »", "普通の文章である。", "", None])
def test_sound_text_stays(text: str | None) -> None:
    assert (mended(text)["text"], mended(text)["edits"]) == (text, [])


def test_what_cannot_be_read_is_dropped() -> None:
    assert mended("縺ｮ縺ｯ繧医≧縺�繧九ユ繧ｹ繝�" * 3)["drop"] == "Mojibake.misread"
    lost = mended("文字\ufffd化け" * 10)
    assert (lost["drop"], lost["undecodable"]) == ("Mojibake.undecodable", 10)
