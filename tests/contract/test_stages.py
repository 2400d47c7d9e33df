"""Every stage there is keeps the contract, on pages and texts that are not kind to it."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

import corpusforge.stages
from corpusforge.schema import BLOCK, EDIT, MASKED
from corpusforge.stages.prove import prove

JA = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。"
EN = "It is a truth well acknowledged, that a single man in possession of a good fortune must be in want of a wife."
TEXTS = (
    JA * 12,
    "\n".join([JA, "ホーム > 製品 > 詳細", "シェアする | ツイート | いいね", JA, JA, "© 2024 Example Inc."]),
    "\n".join([EN] * 9 + ["Home | About | Contact", "Accept all cookies", EN]),
    "我们注意到，近年来人工智能技术的发展非常迅速，许多企业已经开始应用。" * 9,
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.\n" * 9,
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.\n" * 9,
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.\n" * 9,
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ\n" * 9,
    "👩‍👩‍👧‍👦🎉🇯🇵 " * 40,
    "ﾊﾝｶｸ ｶﾞｷﾞｸﾞ\u3000\r\nかか\u3099 e\u0301 a\x00b\ufeff  \n\n\n",
    "連絡先: taro@example.co.jp 電話 03-1234-5678、IP 133.11.0.1 まで",
    "",
    "\n",
    " ",
    "a",
    "あ" * 50_000,
    "買い物 " * 5_000,
    "12345 " * 300,
    "<html><body><p>markup & text</p>" * 30,
    "- item\n• item\n1. item\n" * 20,
    None,
)
PAGES = (
    f"<html lang='en'><head><title>猫</title></head><body><article><h1>猫</h1><p>{JA}</p><p>{JA * 3}</p></article>"
    "<nav><a href='/'>ホーム</a> | <a href='/a'>製品</a></nav></body></html>",
    f"<html><body><main><p>{EN}</p><p>{EN * 4}</p><ul><li>one</li><li>two</li></ul></main></body></html>",
    "<html><body>" + "<div>" * 500 + "deep" + "</div>" * 500 + "</body></html>",
    "<html><body>"
    + "<ruby>女教員<rp>(</rp><rt>おんなけういん</rt><rp>)</rp></ruby>の縊死と題する記事。" * 30
    + "</body></html>",
    "<html><body><table>" + "<tr><td>青森</td><td>1</td></tr>" * 50 + "</table></body></html>",
    "<p>no html at all",
    '{"json": true}',
    "",
    "<html><!-- never closed " + JA * 9,
    "<html><body><script>var a='<p>not text</p>';</script><p>a\x00b</p></body></html>",
    "<" * 5_000,
    "&#x41;&bogus;&amp" * 200,
    "\x00\x01\x02PNG",
    "<html xml:lang='ko'><body><p>" + "모든 인간은 태어날 때부터 자유롭다. " * 20 + "</p></body></html>",
    None,
)
URLS = ("https://www.example.com/a", "ftp://x/y", "http://[bad", "https://例え.jp/" + "x" * 3000, "", None)


def given() -> pa.RecordBatch:
    """A batch with every column a shipped stage may read, nulls and reasons among the rows."""
    rows = 300
    columns: dict[str, Any] = {
        "id": pa.array([f"{i:032x}" for i in range(rows)]),
        "url": pa.array([URLS[i % len(URLS)] for i in range(rows)], pa.string()),
        "date": pa.array([None] * rows, pa.string()),
        "html": pa.array([_bytes(PAGES[i % len(PAGES)]) for i in range(rows)], pa.large_binary()),
        "licence": pa.array([None] * rows, pa.string()),
        "source_file": pa.array(["made.warc"] * rows),
        "source_offset": pa.array(range(rows), pa.int64()),
        "source_length": pa.array([1] * rows, pa.int64()),
        "text": pa.array([TEXTS[i % len(TEXTS)] for i in range(rows)], pa.large_string()),
        "title": pa.array([("猫 taro@example.com", "Cat", "", None)[i % 4] for i in range(rows)], pa.string()),
        "lang": pa.array([("ja", "ja", "en", "zh", "ko", "de", "ar", "th", "und", None)[i % 10] for i in range(rows)]),
        "lang_score": pa.array([0.9] * rows, pa.float32()),
        "blocks": pa.array([_blocks(TEXTS[i % len(TEXTS)], i) for i in range(rows)], pa.list_(BLOCK)),
        "masked": pa.array([[]] * rows, pa.list_(MASKED)),
        "edits": pa.array([[]] * rows, pa.list_(EDIT)),
        "drop": pa.array(["Earlier.reason" if i % 7 == 3 else None for i in range(rows)], pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


def _bytes(page: str | None) -> bytes | None:
    return None if page is None else page.encode()


def _blocks(text: str | None, row: int) -> list[dict[str, Any]] | None:
    if text is None:
        return None
    blocks, start = [], 0
    for number, line in enumerate(text.split("\n")):
        if line:
            end = start + len(line)
            links = 255 if (number + row) % 5 == 2 else 10
            blocks.append({"path": "div>p", "start": start, "end": end, "links": links, "score": 255})
        start += len(line) + 1
    return blocks


def stages() -> Iterator[type[Any]]:
    """Every stage class that a module of ``corpusforge.stages`` defines."""
    for module in pkgutil.iter_modules(corpusforge.stages.__path__):
        loaded = importlib.import_module(f"corpusforge.stages.{module.name}")
        for _, part in inspect.getmembers(loaded, inspect.isclass):
            if part.__module__ == loaded.__name__ and hasattr(part, "revision") and hasattr(part, "writes"):
                yield part


STAGES = tuple(stages())
"""Their defaults, and other settings where the default leaves something out."""
MORE = {
    "LanguageSniff": ({"keep": ("ja",)}, {"keep": ("en", "ko")}),
    "Language": ({"keep": ("ja",), "at_least": 0.5},),
    "UrlRules": ({"blocked": ("example.com",)},),
    "MainText": ({"favor": "precision", "most_elements": 60},),
    "MaskPersonal": ({"phone": False},),
}
CASES = [(stage, fields) for stage in STAGES for fields in ({}, *MORE.get(stage.__name__, ()))]


@pytest.mark.parametrize(("stage", "fields"), CASES, ids=[f"{s.__name__}-{n}" for n, (s, _) in enumerate(CASES)])
def test_a_stage_keeps_the_contract(stage: type[Any], fields: dict[str, Any]) -> None:
    prove(stage(**fields), given())


@pytest.mark.parametrize("stage", STAGES, ids=[stage.__name__ for stage in STAGES])
def test_a_stage_refuses_an_unknown_field_and_explains_itself(stage: type[Any]) -> None:
    with pytest.raises((ValidationError, TypeError), match="no_such_field"):
        TypeAdapter(stage).validate_python({"no_such_field": 1})
    assert (stage.__doc__ or "").strip().splitlines()[0]


def test_the_shipped_stages_are_found() -> None:
    names = {stage.__name__ for stage in STAGES}
    assert names >= {"UrlRules", "LanguageSniff", "MainText", "Normalise", "MaskPersonal", "Language"}


class _Forgetful:
    """A stage that breaks the contract in a way of its choice, to see that the proof notices."""

    revision = 1
    reads = ("text",)
    writes = {"text": pa.large_string(), "drop": pa.string()}  # noqa: RUF012

    def __init__(self, breach: str) -> None:
        self.breach, self.calls = breach, 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Forgetful)

    def __hash__(self) -> int:
        return 1

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.breach == "rows":
            return batch.slice(1)
        if self.breach == "state":
            self.calls += 1
            return batch
        text = [t and t[1:] for t in batch["text"].to_pylist()] if self.breach == "text" else batch["text"].to_pylist()
        drop = batch["drop"].to_pylist() if self.breach != "drop" else ["_Forgetful.mine"] * batch.num_rows
        if self.breach == "neighbours":
            drop = [old or f"_Forgetful.{batch.num_rows}" for old in drop]
        columns = {name: batch[name] for name in batch.schema.names}
        made = {"text": pa.array(text, pa.large_string()), "drop": pa.array(drop, pa.string())}
        return pa.RecordBatch.from_pydict({**columns, **made})


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("rows", "makes 299 rows"),
        ("state", "holds state"),
        ("text", "edits miss"),
        ("drop", "changes the drop reason"),
        ("neighbours", "in batches of 1"),
    ],
)
def test_the_proof_notices(breach: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        prove(_Forgetful(breach), given())
