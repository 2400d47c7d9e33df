"""Marks of written language, by language."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from corpusforge.stages import quality
from corpusforge.stages.quality import MEASURES, GopherQuality
from tests.real import real

ENGLISH = "The boats came back with the tide, and the men carried baskets of fish to the market.\n" * 5
JAPANESE = "夕方になると船が港に戻り、男たちは魚の入った籠を市場まで運んだ。\n" * 5
CODE = "x = { a : 1 , b : 2 } ; y += 3 ; z [ 0 ] = x ; if ( y > z ) { k ++ ; }\n" * 5
MENU = "加湿器\n炊飯器\n掃除機\n電子レンジ\nオーブン\n" * 20
WORDS = "alpha beta gamma delta\n" * 20


def batch(*rows: tuple[str, str | None]) -> pa.RecordBatch:
    texts, langs = zip(*rows, strict=True)
    return pa.RecordBatch.from_pydict(
        {"text": pa.array(texts, pa.large_string()), "lang": pa.array(langs, pa.string())}
    )


def reasons(*rows: tuple[str, str | None]) -> list[str | None]:
    drop = GopherQuality()(batch(*rows))["drop"].to_pylist()
    return [reason and reason.removeprefix("GopherQuality.") for reason in drop]


def test_sentences_stay_and_the_rest_goes() -> None:
    assert reasons((ENGLISH, "en"), (JAPANESE, "ja"), (CODE, "en"), (MENU, "ja"), (WORDS, "en"), ("Hi.", "en")) == [
        None,
        None,
        "low_mean_word_length",
        "low_stop_words",
        "low_stop_words",
        "low_words",
    ]


def test_measures_of_english() -> None:
    text = "# The cat sat on the mat...\n- A dog and a cat\nIt's 42 o'clock, isn't it?"
    row = GopherQuality()(batch((text, "en"))).to_pylist()[0]
    assert row["words"] == 16
    assert row["stop_words"] == 2
    assert row["hash_share"] == pytest.approx(1 / 16, abs=1e-3)
    assert row["ellipsis_share"] == pytest.approx(1 / 16, abs=1e-3)
    assert row["bullet_line_share"] == row["ellipsis_line_share"] == pytest.approx(1 / 3, abs=1e-3)
    assert row["alphabetic_word_share"] == pytest.approx(15 / 18, abs=1e-3)
    assert row["punctuated_line_share"] == pytest.approx(2 / 3, abs=1e-3)
    assert row["newline_share"] == pytest.approx(2 / 16, abs=1e-3)


def test_measures_of_japanese() -> None:
    row = GopherQuality()(batch(("ねこがカメラを見た。\n終わり…", "ja"))).to_pylist()[0]
    assert row["hiragana_share"] == pytest.approx(7 / 14, abs=1e-3)
    assert row["katakana_share"] == pytest.approx(3 / 14, abs=1e-3)
    assert row["japanese_share"] == pytest.approx(12 / 14, abs=1e-3)
    assert row["mean_sentence_length"] == 7
    assert row["words"] == 6
    assert row["ellipsis_line_share"] == row["punctuated_line_share"] / 2


def test_fallbacks_and_overrides() -> None:
    rows = batch((ENGLISH, "xx"), (ENGLISH, None), ("မြန်မာစာသည် အက္ခရာဖြစ်သည်" * 9, "my"), (ENGLISH, "ja"))
    assert GopherQuality()(rows)["quality_limits"].to_pylist() == ["other", "other", "other_unspaced", "other"]
    strict = GopherQuality(thresholds={"all": {"words_at_least": 99}, "en": {"words_at_least": 100}})
    assert strict(batch((ENGLISH, "en")))["drop"].to_pylist() == ["GopherQuality.low_words"]
    short = GopherQuality(thresholds={"en": {"words_at_least": None}})(
        batch(("These are the boats of that town.", "en"))
    )
    assert short["drop"].to_pylist() == [None]
    with pytest.raises(ValidationError, match="wordy_at_least"):
        GopherQuality(thresholds={"en": {"wordy_at_least": 1}})


def test_the_table_limits_only_what_is_measured_and_names_its_sources() -> None:
    table = json.loads(Path(quality.__file__).with_name("thresholds.json").read_text("utf-8"))
    known = {f"{name}_{side}" for name in MEASURES for side in ("at_least", "at_most")}
    for lang, entry in table.items():
        limits = entry.get("GopherQuality", {})
        assert set(limits) <= known | {"source", "stop_word_list", "terminal_punctuation"}, lang
        assert all("source" in stage for name, stage in entry.items() if name != "unspaced"), lang


def test_real_news_are_kept() -> None:
    with pa.input_stream(str(real("text-ja-livedoor-news/livedoor-news.tar.zst"))) as file:
        packed = io.BytesIO(file.read())
    with tarfile.open(fileobj=packed) as archive:
        members = [m for m in archive if m.isfile() and m.name.endswith(".txt")][::20]
        texts = [archive.extractfile(m).read().decode().split("\n", 2)[2] for m in members]  # type: ignore[union-attr]
    drop = GopherQuality()(batch(*((text, "ja") for text in texts)))["drop"]
    assert drop.null_count >= 0.97 * len(texts)
