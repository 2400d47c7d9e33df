"""Personal contact data is found in its many spellings, and numbers that only look like it are left."""

import io
import json
import time
from collections import Counter

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text.masks import find, moved
from tests.real import real

FOUND = {
    "PHONE": [
        "03-1234-5678",
        "０３－１２３４－５６７８",
        "03(1234)5678",
        "（03）1234-5678",
        "090ー1234ー5678",
        "090 1234 5678",
        "09012345678",
        "0120-123-456",
        "0120-12-3456",
        "0800-123-4567",
        "0570-012-345",
        "+81-90-1234-5678",
        "+81 3 1234 5678",
        "+1 (555) 234-5678",
        "+44 20 7946 0958",
        "(555) 234-5678",
        "555-234-5678",
        "1-800-234-5678",
        "01 23 45 67 89",
        "010-1234-5678",
    ],
    "EMAIL": [
        "taro.yamada+x@example.co.jp",
        "taro＠example.jp",
        "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ",
        "taro[at]example.com",
        "taro（アット）example.com",
        "taro at example.com",
    ],
    "IP": ["133.11.0.1", "8.34.208.10", "2400:4050:1::1"],
}
LEFT = [
    "2024-01-02 03:04:05",
    "01-02-2024",
    "ISBN978-4-0116-9721-3",
    "ISBN 0201633612",
    "ISBN 0-201-63361-2",
    "〒100-0001",
    "JIS X 6303-2016",
    "1,234,567,890円",
    "0.1234567890",
    "円周率 3.14159265358979",
    "0312345678901",
    "127.0.0.1",
    "192.168.1.10",
    "10.0.0.1",
    "255.255.255.0",
    "192.0.2.1",
    "1.2.3.4",
    "バージョン 120.0.60.109",
    "v115.12.33.41",
    "1.3.6.1.4.1.311",
    "300.1.1.1",
    "1.3.10.2以前",
    "opencv>=4.11.0.86",
    "118.5.17.0",
    "git@github.com:a/b",
    "02 23 44 30 13 40 ac",
    "12:34:56",
    "std::vector::size",
    "2001:db8::1",
    "@taro_yamada",
    "logo@2x.png",
    "user@localhost",
    "00-0000-0000",
    "座標は35.2130,139.2028",
    "6116926839905478",
    "UTC+0900 2024",
    "第03-1234-567号",
]
PIECES = [*(text for texts in FOUND.values() for text in texts), *LEFT, "あ", " ", "\n", "-", "(", "."]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_spellings_are_found_whole(kind: str, text: str) -> None:
    for before, after in (("連絡先：", "まで"), ("（", "）。"), ("Tel: ", ", or"), ("\n", "\n")):
        if " at " in text and before == "\n":
            continue
        whole = before + text + after
        assert [(whole[a:b], k) for a, b, k in find(whole)] == [(text, kind)]


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert find(f"これは {text} です。") == []


def test_an_english_sentence_is_no_address() -> None:
    assert find("Please look at example.com and meet us at example.org.") == []


def test_labels_stuck_to_a_number() -> None:
    text = "TEL03-1234-5678 FAX.03-1234-5679"
    assert [text[a:b] for a, b, _ in find(text)] == ["03-1234-5678", "03-1234-5679"]


def test_kinds_can_be_left_out() -> None:
    assert find("a@example.com 03-1234-5678", ("PHONE",)) == [(14, 26, "PHONE")]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_places_are_in_order_and_inside_one_line(text: str) -> None:
    last = 0
    for start, end, _ in find(text):
        assert last <= start < end <= len(text)
        assert "\n" not in text[start:end]
        last = end


def test_offsets_move_with_the_masks() -> None:
    found = [(2, 12, "EMAIL"), (20, 25, "IP")]
    widths = {"EMAIL": 7, "IP": 4}
    assert [moved(at, found, widths) for at in (0, 2, 5, 12, 20, 24, 25, 30)] == [0, 2, 2, 9, 17, 17, 21, 26]


@pytest.mark.parametrize(
    "piece", ["0", "1 ", "a@", "@", "a", "0-", "1.", "((", "a at ", ":", "2001:", "+1 ", "090-1234-567 "]
)
def test_no_text_takes_quadratic_time(piece: str) -> None:
    began = time.process_time()
    find(piece * (200_000 // len(piece)))
    assert time.process_time() - began < 5


@pytest.mark.real
def test_recall_and_precision_on_labelled_japanese() -> None:
    right, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    with real("pii/pii-ja-synthetic.jsonl.zst").open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8", newline="\n"):
            row = json.loads(line)
            spans = {(s["start"], s["end"], s["label"]) for s in row["spans"] if s["label"] in FOUND}
            found = set(find(row["text"]))
            right.update(kind for _, _, kind in found & spans)
            missed.update(kind for _, _, kind in spans - found)
            wrong.update(kind for _, _, kind in found - spans)
    for kind in FOUND:
        assert right[kind] > 100
        assert right[kind] / (right[kind] + missed[kind]) >= 0.98, kind
        assert right[kind] / (right[kind] + wrong[kind]) >= 0.98, kind
