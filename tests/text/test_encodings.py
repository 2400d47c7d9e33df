"""Labels and tables against the WHATWG Encoding Standard's own index files."""

import json
import tarfile
from collections.abc import Iterable
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from corpusforge.text.encodings import BY_NAME, decode, encoding_of
from tests.real import real

UNREAD = {"iso-2022-cn", "iso-2022-cn-ext", "replacement", "x-user-defined"}
"""Labels that a browser answers with no text at all, and one that names no text."""
PUNCTUATION = set("～∥－￠￡￢")
"""Where JIS X 0208 and Microsoft's table differ: pages keep the character of the encoding they name."""
BIG5_SIGNS = set("‧﹑¯～⊕⊙∕﹨￥￠￡")


@cache
def tables() -> dict[str, Any]:
    packed = pa.CompressedInputStream(pa.OSFile(str(real("whatwg-encoding/indexes.tar.zst"))), "zstd")
    with tarfile.open(fileobj=packed, mode="r|") as archive:
        return {
            member.name.rpartition("/")[2]: json.load(archive.extractfile(member))  # type: ignore[arg-type]
            for member in archive
            if member.name.endswith(".json")
        }


def unlike(name: str, codes: Iterable[tuple[bytes, int | None]]) -> set[str]:
    """Characters of the standard's table that we read as something else."""
    return {chr(point) for code, point in codes if point is not None and decode(BY_NAME[name], code) != chr(point)}


@pytest.mark.real
def test_every_label_of_the_standard_is_known() -> None:
    for group in tables()["encodings.json"]:
        for encoding in group["encodings"]:
            name = encoding["name"].lower().removesuffix("-i").replace("gbk", "gb18030")
            for label in encoding["labels"]:
                found = encoding_of(f" {label.upper()}\n")
                if label in UNREAD:
                    assert found is None
                elif name != "replacement":
                    assert found is not None, label
                    assert found.name == name


@pytest.mark.real
def test_single_byte_tables_are_those_of_the_standard() -> None:
    indexes = {name: table for name, table in tables()["indexes.json"].items() if len(table) == 128}
    assert len(indexes) == 27
    for name, table in indexes.items():
        # What code pages leave out the web reads as control characters; here it is undecodable.
        differ = unlike(name.lower(), ((bytes((128 + k,)), point) for k, point in enumerate(table)))
        assert all("\x80" <= character < "\xa0" or character in "\u05ba\xa0" for character in differ), (name, differ)


@pytest.mark.real
def test_two_byte_tables_are_those_of_the_standard() -> None:
    index = tables()["indexes.json"]
    jis = index["jis0208"]
    half = [(k // 188, k % 188, point) for k, point in enumerate(jis) if k // 188 < 0x3C]
    shift = [(bytes((a + (0x81 if a < 31 else 0xC1), b + (0x40 if b < 63 else 0x41))), p) for a, b, p in half]
    assert unlike("shift_jis", shift) == set()
    rows = [(bytes((k // 94 + 0xA1, k % 94 + 0xA1)), point) for k, point in enumerate(jis[:8836])]
    assert unlike("euc-jp", rows) == PUNCTUATION
    seven = [(b"\x1b$B" + bytes(byte & 0x7F for byte in code) + b"\x1b(B", point) for code, point in rows]
    assert unlike("iso-2022-jp", seven) == PUNCTUATION
    more = ((b"\x8f" + bytes((k // 94 + 0xA1, k % 94 + 0xA1)), point) for k, point in enumerate(index["jis0212"]))
    assert unlike("euc-jp", more) == {"～"}
    korean = ((bytes((k // 190 + 0x81, k % 190 + 0x41)), point) for k, point in enumerate(index["euc-kr"]))
    assert unlike("euc-kr", korean) == set()
    chinese = enumerate(index["gb18030"])
    pairs = ((bytes((k // 190 + 0x81, k % 190 + (0x40 if k % 190 < 63 else 0x41))), point) for k, point in chinese)
    assert unlike("gb18030", pairs) == set()
    big5 = enumerate(index["big5"])
    codes = ((bytes((k // 157 + 0x81, k % 157 + (0x40 if k % 157 < 63 else 0x62))), point) for k, point in big5)
    assert unlike("big5", codes) == BIG5_SIGNS


def test_shift_jis_is_what_it_says_until_a_character_is_microsofts() -> None:
    label = encoding_of("x-sjis")
    assert label is not None
    assert decode(label, "夏〜秋".encode("shift_jis")) == "夏〜秋"
    assert decode(label, "①夏～秋".encode("cp932")) == "①夏～秋"
    microsoft = encoding_of("Windows-31J")
    assert microsoft is not None
    assert decode(microsoft, b"\x81\x60") == "～"


def test_bytes_that_mean_nothing_are_undecodable() -> None:
    assert decode(BY_NAME["shift_jis"], b"a\xa0b\xff") == "a\ufffdb\ufffd"
    assert decode(BY_NAME["euc-jp"], b"\xa4\xa2\xff\xa4\xa2") == "あ\ufffdあ"
    assert decode(BY_NAME["big5"], b"\xa4\x40\xff") == "一\ufffd"
    assert decode(BY_NAME["big5"], bytes.fromhex("877aa3e1")) == "㡵€"
