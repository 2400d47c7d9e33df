"""HTTP bodies: every coding, honest or not, gives the same page; damage keeps what came before; bombs stop."""

import gzip
import io
import random
import time
import zlib

import pytest
from fastwarc.stream_io import BrotliWriter, ZstdWriter
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.http import Fields, Message, decoded, fields_of, is_html, message_of, unchunked

PAGE = ("<!DOCTYPE html><p>" + "坂を下りやうとした時" * 50).encode()


def chunked(data: bytes, size: int = 100) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%X;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def bare(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def packed(writer: type, data: bytes) -> bytes:
    target = io.BytesIO()
    stream = writer(target)
    stream.write(data)
    stream.close()
    return target.getvalue()


def answer(body: bytes, **fields: str) -> Message:
    return Message(200, Fields(tuple((name.replace("_", "-"), value) for name, value in fields.items())), body)


BR, ZSTD = packed(BrotliWriter, PAGE), packed(ZstdWriter, PAGE)


@pytest.mark.parametrize(
    "message",
    [
        answer(PAGE),
        answer(gzip.compress(PAGE), content_encoding="gzip"),
        answer(gzip.compress(PAGE[:90]) + gzip.compress(PAGE[90:]), content_encoding="X-GZIP"),
        answer(zlib.compress(PAGE), content_encoding="deflate"),
        answer(bare(PAGE), content_encoding="deflate"),
        answer(BR, content_encoding="br"),
        answer(ZSTD, content_encoding="zstd"),
        answer(gzip.compress(gzip.compress(PAGE)), content_encoding="gzip, gzip"),
        answer(chunked(PAGE), transfer_encoding="chunked"),
        answer(chunked(gzip.compress(PAGE), 7), transfer_encoding="chunked", content_encoding="gzip"),
        answer(gzip.compress(PAGE), transfer_encoding="gzip"),
        answer(PAGE, content_encoding="gzip"),
        answer(PAGE, content_encoding="deflate"),
        answer(PAGE, content_encoding="br"),
        answer(PAGE, content_encoding="utf-8"),
        answer(PAGE, transfer_encoding="chunked"),
    ],
)
def test_every_coding_right_or_lying_gives_the_page(message: Message) -> None:
    assert decoded(message, 1 << 20).data == PAGE


@pytest.mark.parametrize("coded", [gzip.compress(PAGE), zlib.compress(PAGE)])
def test_a_body_cut_short_keeps_what_came_before(coded: bytes) -> None:
    coding = "gzip" if coded[:1] == b"\x1f" else "deflate"
    cut = decoded(answer(coded[:-20], content_encoding=coding), 1 << 20)
    assert cut.problem is None
    assert len(cut.data) > 20
    assert PAGE.startswith(cut.data)


def test_damage_in_the_middle_keeps_what_came_before() -> None:
    text = b"<p>" + random.Random(1).randbytes(40_000).hex().encode()
    coded = bytearray(gzip.compress(text))
    coded[len(coded) // 2 : len(coded) // 2 + 40] = bytes(40)
    result = decoded(answer(bytes(coded), content_encoding="gzip"), 1 << 20)
    assert len(result.data) > 20_000
    assert text.startswith(result.data[:20_000])
    cut = decoded(answer(chunked(text)[:500], transfer_encoding="chunked"), 1 << 20).data
    assert len(cut) > 400
    assert text.startswith(cut)


def test_what_cannot_be_decoded_says_why() -> None:
    assert decoded(answer(b"\x1f\x8b\x08garbage", content_encoding="gzip"), 1 << 20).problem == "broken_payload"
    assert decoded(answer(b"?", content_encoding="compress"), 1 << 20).problem == "unknown_coding"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_stops_at_the_limit(coding: str) -> None:
    bomb = b"<p>" + bytes(50_000_000)
    coded = {
        "gzip": lambda: gzip.compress(bomb),
        "deflate": lambda: zlib.compress(bomb),
        "br": lambda: packed(BrotliWriter, bomb),
        "zstd": lambda: packed(ZstdWriter, bomb),
    }[coding]()
    assert decoded(answer(coded, content_encoding=coding), 100_000).problem == "too_large"


@given(st.binary(max_size=500), st.integers(1, 50))
def test_chunks_of_any_size_give_the_body(data: bytes, size: int) -> None:
    assert unchunked(chunked(data, size)) == (data, None)


@given(st.binary(max_size=300))
def test_any_bytes_parse(data: bytes) -> None:
    message = message_of(b"HTTP/1.1 200 OK\r\n" + data)
    assert message.status == 200
    result = decoded(message, 1000)
    assert result.problem or len(result.data) <= 1000


def test_heads_are_read_as_they_come() -> None:
    folded = message_of(b"HTTP/1.1 200 OK\r\nContent-Type: text/html;\r\n charset=utf-8\r\n\r\nbody")
    assert folded.fields.first("content-type") == "text/html; charset=utf-8"
    assert folded.body == b"body"
    bare_lines = message_of(b"HTTP/2 404\nA: 1\na: 2\n\nbody")
    assert (bare_lines.status, bare_lines.fields.all("a"), bare_lines.body) == (404, ["1", "2"], b"body")
    headless = message_of(b"<html>")
    assert (headless.status, headless.body) == (200, b"<html>")
    assert fields_of("X-Title: 日本\r\nno colon\r\n".encode()).pairs == (("x-title", "日本"),)


@pytest.mark.parametrize(
    ("identified", "declared", "body", "html"),
    [
        (None, ["text/html; charset=x"], b"", True),
        (None, ["TEXT/HTML"], b"plain", True),
        (None, ["text/html", "application/pdf"], b"<p>", True),
        (None, ["application/xhtml+xml"], b"<?xml?>", True),
        (None, [], b"\n<!DOCTYPE html><html>", True),
        (None, ["application/octet-stream"], b"<!-- x -->\n<HTML lang=ja>", True),
        (None, ["application/xml"], b"<?xml version='1.0'?><html>", True),
        (None, ["application/xml"], b"<?xml version='1.0'?><rss>", False),
        (None, [], b"just text", False),
        (None, ["text/plain"], b"<html>", False),
        (None, ["text/html"], b"%PDF-1.5", False),
        ("text/html", ["text/plain"], b"<p>", True),
        ("application/rss+xml", ["text/html"], b"<rss>", False),
        ("text/plain", ["text/html"], b"text", True),
    ],
)
def test_what_is_html(identified: str | None, declared: list[str], body: bytes, html: bool) -> None:
    assert is_html(identified, declared, body) is html


def test_many_small_members_take_no_long_time() -> None:
    """Each member copied all that followed it."""
    start = time.process_time()
    many = Message(200, Fields((("content-encoding", "gzip"),)), gzip.compress(b"") * 100_000 + gzip.compress(PAGE))
    assert decoded(many, 1 << 20).data == PAGE
    assert time.process_time() - start < 2


@given(st.lists(st.binary(max_size=40_000), min_size=1, max_size=4), st.integers(1, 100), st.booleans())
def test_members_that_follow_each_other_are_one_body(bodies: list[bytes], rest: int, broken: bool) -> None:
    members = b"".join(gzip.compress(body, 0) for body in [PAGE, *bodies])
    fields = Fields((("content-encoding", "gzip"),))
    body = decoded(Message(200, fields, members[:-rest] if broken else members + b"x" * rest), 1 << 20)
    whole = PAGE + b"".join(bodies)
    assert whole.startswith(body.data) if broken else body.data == whole
    if broken and rest < len(gzip.compress(bodies[-1], 0)) - 1:  # of a member's mark two bytes are needed
        assert body.damage == "cut"
