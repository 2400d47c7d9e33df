"""Languages: the model, the script checks, thresholds, and the bar on labelled sentences and real pages."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from corpusforge.models.language import identify
from corpusforge.stages.language import Language
from corpusforge.stages.main_text import MainText
from tests.real import real
from tests.stages.pages import html_batch, json_lines, real_pages


def texts(*given: str | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"text": pa.array(given, pa.large_string())})


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("吾輩は猫である。名前はまだ無い。", "ja"),
        ("東京都千代田区霞が関", "ja"),
        ("我们注意到，近年来人工智能技术的发展非常迅速。", "zh"),
        ("人們一定會懷念他為納稅人找到答案的能力，當然結果並沒那麼絕妙。", "zh"),
        ("모든 인간은 태어날 때부터 자유롭다 API v2", "ko"),
        ("WELCOME TO THE WORLD OF WINE AND CHEESE", "en"),
        ("Alle Menschen sind frei und gleich geboren.", "de"),
        ("", "und"),
        ("123 !? 👍", "und"),
    ],
)
def test_examples(text: str, lang: str) -> None:
    assert Language()(texts(text))["lang"].to_pylist() == [lang]


def test_thresholds_compare_the_stated_resolution() -> None:
    result = Language(keep=("ja", "en"), at_least=0.5)(texts("吾輩は猫である。", "Alle Menschen sind frei.", "1", None))
    other = "Language.other_language"
    assert result["drop"].to_pylist() == [None, other, other, other]
    assert Language(at_least=0.5)(texts("1"))["drop"].to_pylist() == ["Language.unsure"]
    for score in result["lang_score"].to_pylist():
        assert np.float32(round(score, 2)) == np.float32(score)


def test_lines_and_length_do_not_matter() -> None:
    line = "Il était une fois une petite fille de village, la plus jolie qu'on eût su voir."
    assert {lang for lang, _ in identify([line, f"{line}\n" * 3, f"{line}\r\n" * 900, f"\x00{line}"])} == {"fr"}


def test_a_second_language_is_seen_wherever_it_stands() -> None:
    english = "Call me Ishmael. Some years ago, never mind how long precisely, I thought I would sail about. " * 15
    german = "Alle Menschen sind frei und gleich an Würde und Rechten geboren; sie sind mit Vernunft begabt. " * 15
    mixed = german[:500] + english[:1000] + german[500:1000] + english[:1000]
    ((lang, score),) = identify([mixed])
    assert score < 0.9, lang


@pytest.mark.real
def test_labelled_sentences() -> None:
    rows = list(json_lines(real("lid-gold/lid-ud.jsonl.zst")))[::3]
    right: Counter[str] = Counter()
    count: Counter[str] = Counter(row["lang"] for row in rows)
    for row, (lang, _) in zip(rows, identify(row["text"] for row in rows), strict=True):
        right[row["lang"]] += lang == row["lang"].partition("-")[0]
    assert right.total() / count.total() >= 0.99
    for lang in ("ja", "zh-Hans", "zh-Hant", "ko", "en", "de"):
        assert right[lang] / count[lang] >= 0.98, lang


@pytest.mark.real
def test_real_pages_agree_with_their_manifest() -> None:
    pages = [p for shard in ("ja-web-00000", "multi-web-00000", "multi-open-00000") for p in real_pages(shard, 60)]
    found = Language()(MainText()(html_batch(*(html for html, _ in pages)))).to_pylist()
    sure = [
        (f["lang"], row["lang"]) for (_, f), row in zip(pages, found, strict=True) if f["lang_p"] >= 0.9 and row["text"]
    ]
    assert sum(one == other for one, other in sure) >= 0.97 * len(sure)
