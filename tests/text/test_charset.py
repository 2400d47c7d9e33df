"""Charset decisions: every step decides what it should, and the text comes out as the author wrote it."""

import json
import random
import re
import tarfile
import time
import unicodedata
from collections import Counter
from typing import Any

import chardet
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import HTMLParser, fromstring

from corpusforge.sources import Slice
from corpusforge.sources.warc import Warc
from corpusforge.stages.main_text import MainText
from corpusforge.text.charset import decide
from corpusforge.text.encodings import BY_NAME, decode, encoding_of
from tests.real import real

JAPANESE = "国境の長いトンネルを抜けると雪国であった。夜の底が白くなった。信号所に汽車が止まった。" * 4
SAMPLES = {
    "shift_jis": ("cp932", JAPANESE),
    "euc-jp": ("euc_jp", JAPANESE),
    "iso-2022-jp": ("iso2022_jp", JAPANESE),
    "gb18030": ("gb18030", "国际社会在本次会议上通过了新的协定。与会各国就环境保护和经济合作广泛交换了意见。" * 3),
    "big5": ("big5", "國際社會在本次會議上通過了新的協定。與會各國就環境保護和經濟合作廣泛交換了意見。" * 3),
    "euc-kr": ("euc_kr", "국제 사회는 이번 회의에서 새로운 협정을 채택하였다. 참가국들은 의견을 나누었다. " * 3),
    "windows-1251": ("cp1251", "Международное сообщество приняло на этой встрече новое соглашение. " * 3),
    "koi8-r": ("koi8_r", "Международное сообщество приняло на этой встрече новое соглашение. " * 3),
    "windows-1252": ("cp1252", "Die Teilnehmer der Tagung erklärten: „Größe“ – für Köln. Übereinkommen. " * 3),
    "windows-1250": ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy. " * 5),
    "windows-1253": ("cp1253", "Η διεθνής κοινότητα ενέκρινε τη νέα συμφωνία στη συνάντηση. " * 3),
    "windows-1255": ("cp1255", "הקהילה הבינלאומית אימצה הסכם חדש בפגישה הזאת. " * 3),
    "windows-1256": ("cp1256", "اعتمد المجتمع الدولي اتفاقا جديدا في هذا الاجتماع. " * 3),
    "windows-874": ("tis_620", "ประชาคมระหว่างประเทศได้รับรองข้อตกลงใหม่ในการประชุมครั้งนี้ " * 3),
    "utf-8": ("utf-8", JAPANESE),
}


def page(text: str, codec: str, meta: str = "") -> bytes:
    return f"<html><head>{meta}<title>t</title></head><body>\n<p>{text}</p>\n</body></html>".encode(codec)


@pytest.mark.parametrize("name", SAMPLES)
def test_undeclared_text_is_recognised(name: str) -> None:
    codec, text = SAMPLES[name]
    decision = decide(page(text, codec), None)
    # chardet names the smaller of two sets that read the bytes alike.
    assert decision.charset in (name, {"windows-1255": "iso-8859-8"}.get(name))
    assert not decision.doubtful
    assert text in decision.text
    assert decision.by == ("utf-8" if name == "utf-8" else "statistical")
    assert decision.utf8.decode() == decision.text


@pytest.mark.parametrize("name", SAMPLES)
def test_the_header_then_the_page_decide(name: str) -> None:
    codec, text = SAMPLES[name]
    assert decide(page(text, codec), f'"{name.upper()}"').by == "http"
    by_meta = decide(page(text, codec, f"<META content='text/html; charset={name}'>"), None)
    assert (by_meta.charset, by_meta.by) == (name, "meta")


@pytest.mark.parametrize("wrong", ["utf-8", "iso-8859-1", "shift_jis", "euc-jp", "gb2312", "euc-kr", "big5", "koi8-r"])
@pytest.mark.parametrize(
    "name", ["shift_jis", "euc-jp", "iso-2022-jp", "gb18030", "big5", "euc-kr", "utf-8", "windows-1251"]
)
def test_a_wrong_declaration_is_corrected(name: str, wrong: str) -> None:
    codec, text = SAMPLES[name]
    decision = decide(page(text, codec), wrong)
    assert decision.charset == name
    assert text in decision.text
    declared = encoding_of(wrong)
    if declared is None or declared.name != name:
        assert decision.by == "corrected"


def test_a_wrong_header_gives_way_to_the_page() -> None:
    decision = decide(page(JAPANESE, "euc_jp", '<meta charset="euc-jp">'), "iso-8859-1")
    assert (decision.charset, decision.by) == ("euc-jp", "meta")


@pytest.mark.parametrize(
    ("codec", "mark"), [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")]
)
def test_a_byte_order_mark_decides(codec: str, mark: bytes) -> None:
    decision = decide(mark + page(JAPANESE, codec), "shift_jis")
    assert decision.by == "bom"
    assert decision.utf8 == page(JAPANESE, "utf-8")
    if codec != "utf-8":
        assert decide(page(JAPANESE, codec), None).utf8 == page(JAPANESE, "utf-8")


def test_labels_mean_what_pages_mean() -> None:
    assert "①㈱髙" in decide(page("①㈱髙" + JAPANESE, "cp932"), "Shift_JIS").text
    assert "똠방각하" in decide(page("똠방각하 " + SAMPLES["euc-kr"][1], "cp949"), "ks_c_5601-1987").text
    assert "“quoted” — €" in decide(page("“quoted” — €", "cp1252"), "iso-8859-1").text
    assert decide(b"<p>ascii</p>", "shift_jis").charset == "utf-8"
    assert decide(page("x", "utf-8", '<meta charset="utf-16">'), None).charset == "utf-8"


def test_extension_characters_are_read_in_every_japanese_encoding() -> None:
    assert decode(BY_NAME["euc-jp"], b"\xa4\xa2\xad\xa1\xfc\xe2\xa4\xa2") == "あ①髙あ"
    assert decode(BY_NAME["iso-2022-jp"], b'a\x1b$B$"-!$"\x1b(Bz') == "aあ①あz"
    assert decode(BY_NAME["euc-jp"], b"\x8e\xb1\x8f\xb0\xa1") == "ｱ丂"


def test_a_few_bad_bytes_cost_only_themselves() -> None:
    for codec, name in (("cp932", "shift_jis"), ("utf-8", "utf-8")):
        data = page(JAPANESE * 8, codec)
        at = data.index(b"</p>")
        decision = decide(data[:at] + b"\xff" + data[at:], name)
        assert (decision.charset, decision.doubtful) == (name, False)
        assert decision.text.count("\ufffd") == 1
        assert JAPANESE * 8 in decision.text
        cut = decide(data[: at - 1], name)
        assert (cut.charset, cut.doubtful) == (name, False)


def test_what_is_no_text_is_doubtful() -> None:
    noise = bytes((i * 197 + i * i * 31) % 256 for i in range(4000))
    assert decide(noise, None).doubtful
    assert decide(random.Random(1).randbytes(4000), "euc-jp").doubtful
    assert decide(b"\0\0\0\1" * 300, None).doubtful
    assert not decide("<p>© 2024 — déjà vu</p>".encode("cp1252"), None).doubtful


@pytest.mark.parametrize("label", [None, "euc-jp", "iso-2022-jp", "utf-8"])
def test_hostile_pages_take_no_time(label: str | None) -> None:
    noise = random.Random(1).randbytes(1 << 20)
    broken = page(JAPANESE, "euc_jp") + b"\xff" * (1 << 20)
    started = time.process_time()
    for payload in (noise, b"a" * (1 << 20) + b"\xe9", broken, b"\x1b$B\xff" * (1 << 18)):
        decide(payload, label)
    assert time.process_time() - started < 4


@given(
    st.binary(max_size=400), st.sampled_from([None, "utf-8", "shift_jis", "iso-2022-jp", "hz", "nonsense", "utf-16"])
)
def test_any_bytes_give_valid_utf8(data: bytes, label: str | None) -> None:
    decision = decide(data, label)
    assert decision.utf8.decode() == decision.text
    assert decision == decide(data, label)


def lines_of(name: str) -> list[dict[str, Any]]:
    data = pa.CompressedInputStream(pa.OSFile(str(real(name))), "zstd").read().decode()
    return [json.loads(line) for line in data.splitlines()]


def cases() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each row of the encoding cases, with its truth."""
    truth = {case["url"]: case for case in lines_of("encoding-cases/gt.jsonl.zst")}
    path = real("encoding-cases/encoding-cases.warc.gz")
    piece = Slice("cases", "f", 0, path.stat().st_size)
    with path.open("rb") as file:
        batches = list(Warc().read(piece, file, Counter()))
    rows = [(row, truth[row["url"]]) for batch in batches for row in MainText()(batch).to_pylist()]
    assert len(rows) == len(truth) == 85
    return rows


def paragraphs_of(page: bytes) -> str:
    tree = fromstring(page, parser=HTMLParser(encoding="utf-8"))
    return "\n".join(p.text_content() for p in tree.xpath("//*[@id='main']//p"))


def lines_in(text: str) -> set[str]:
    """Lines as extraction writes them: white space collapsed, composed, without invisible characters."""
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    lines = unicodedata.normalize("NFC", visible).splitlines()
    return {" ".join(line.split()) for line in lines if line.strip()}


@pytest.mark.real
def test_every_encoding_case_gives_its_text() -> None:
    exact = 0
    for row, case in cases():
        name, truth = case["case"], case["main_text"]
        if truth is None or "badbytes" in name:
            assert (
                row["drop"] == "source.doubtful_charset" or row["charset_score"] <= 0.9 or "\ufffd" not in row["text"]
            )
            continue
        assert row["drop"] is None, name
        assert paragraphs_of(row["html"]) == truth, name
        assert lines_in(truth) <= lines_in(row["text"]), name
        exact += 1
        if "mojibake" in name:
            assert (row["charset_by"], row["charset_score"] <= 0.9) == ("repaired", True)
    assert exact == 79


SUFFIX = re.compile("-(czech|hungarian|polish|slovak|slovene|bulgarian|russian|arabic|greek|turkish|hebrew|romanian)$")


def gold() -> list[tuple[str, bytes, str | None]]:
    """Name, bytes and text of each file; None where Python has no codec for its encoding (EUC-TW)."""
    files = []
    packed = pa.CompressedInputStream(pa.OSFile(str(real("charset-gold/charset-gold.tar.zst"))), "zstd")
    with tarfile.open(fileobj=packed, mode="r|") as archive:
        for member in archive:
            if not member.isfile():
                continue
            data = archive.extractfile(member).read()  # type: ignore[union-attr]
            codec = SUFFIX.sub("", member.name.split("/")[-2].lower())
            text = None if codec == "euc-tw" else data.decode(codec, "replace").removeprefix("\ufeff")
            files.append((member.name, data, text))
    return files


@pytest.mark.real
def test_gold_files_are_read_as_well_as_by_the_best_library() -> None:
    files = gold()
    ours = theirs = 0
    for name, data, truth in files:
        decision = decide(data, None)
        ours += decision.text == truth
        theirs += data.decode(chardet.detect(data)["encoding"] or "ascii", "replace").removeprefix("\ufeff") == truth
        if re.search("\ufffd|[\uff66-\uff9f]{10}", decision.text):
            assert decision.score <= 0.9, name
        if truth is None:
            assert decision.doubtful, name
    assert len(files) == 269
    assert ours >= theirs >= 265


@pytest.mark.parametrize(("sentences", "cuts", "charset"), [(1, 2, "utf-8"), (4, 10, "utf-8"), (1, 30, None)])
def test_damaged_utf8_is_utf8_however_short(sentences: int, cuts: int, charset: str | None) -> None:
    text = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗い所で泣いていた。" * sentences
    step = len(text) // cuts or 1
    cut = b"".join(letter.encode()[: 2 if n % step == 0 else 3] for n, letter in enumerate(text))
    decision = decide(b"<meta charset=utf-8><p>" + cut, None)
    assert (decision.charset == "utf-8") == (charset == "utf-8")
    if charset:
        assert decision.utf8.decode().count("\ufffd") >= cuts
        assert decision.score == 0.5
