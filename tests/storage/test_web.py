"""Files on web servers that cut, stall, refuse, change, or give no ranges, over real HTTP."""

import gzip
import hashlib
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from corpusforge.storage import Changed, StoreError, opened, read_spans, state_of, web
from tests.storage.s3 import running

DATA = random.Random(5).randbytes(3_000_000)
SPAN = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Site:
    """What the server does: files by path, and a fault that may happen to each request."""

    files: dict[str, bytes] = field(default_factory=lambda: {"/a.bin": DATA, "/empty.bin": b""})
    ranges: bool = True
    length: bool = True
    tag: str = '"v1"'
    coding: str = ""
    fault: Callable[[int, Any], bool] = lambda number, handler: False
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.asked.append(self.headers.get("Range", ""))
            if made.fault(len(made.asked), self):
                return
            data = made.files.get(self.path.partition("?")[0])
            if data is None:
                self.send_error(404)
                return
            give(self, made, data)

        def log_message(self, *_: Any) -> None:
            pass

    monkeypatch.setattr(web, "WAIT_SECONDS", 0.01)
    with running(Handler) as url:
        made.url = url
        yield made


def give(handler: Any, site: Site, data: bytes, cut: int | None = None) -> None:
    """Answer with the data or the part that was asked for; ``cut`` bytes of it only, then close."""
    span = SPAN.match(handler.headers.get("Range", "")) if site.ranges else None
    start, end = (int(span[1]), min(int(span[2]) + 1, len(data))) if span else (0, len(data))
    if span and start >= len(data):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(data)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    handler.send_response(206 if span else 200)
    if span:
        handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
    if site.tag:
        handler.send_header("ETag", site.tag)
    if site.coding:
        handler.send_header("Content-Encoding", site.coding)
    if site.length:
        handler.send_header("Content-Length", str(end - start))
    else:
        handler.send_header("Connection", "close")
        handler.close_connection = True
    handler.end_headers()
    if cut is not None:
        handler.close_connection = True
    try:
        handler.wfile.write(data[start:end][:cut])
    except ConnectionError:
        handler.close_connection = True


def refuse(handler: Any, status: int, **headers: str) -> bool:
    handler.send_response(status)
    for name, value in {"Content-Length": "0", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    return True


def whole(site: Site, name: str = "/a.bin") -> bytes:
    with opened(site.url + name) as file:
        return file.read()


def test_a_file_is_read_whole_from_anywhere_and_by_lines(site: Site) -> None:
    assert whole(site) == DATA
    with opened(f"{site.url}/a.bin") as file:
        file.seek(1_234_567)
        assert file.read(9) == DATA[1_234_567:1_234_576]
        file.seek(-5, 2)
        assert file.read() == DATA[-5:]
        file.seek(0)
        assert b"".join(file) == DATA


def test_ranges_grow_and_only_few_requests_are_made(site: Site) -> None:
    whole(site)
    assert len(site.asked) <= 6


def test_an_empty_file_and_its_state(site: Site) -> None:
    assert whole(site, "/empty.bin") == b""
    assert state_of(f"{site.url}/empty.bin")[0] == 0
    assert state_of(f"{site.url}/a.bin") == (len(DATA), f'{len(DATA)}-"v1"')


def test_spans_are_cut_off_at_the_end(site: Site) -> None:
    spans = read_spans(f"{site.url}/a.bin", [(0, 10), (len(DATA) - 5, len(DATA) + 5), (10, 10)])
    assert spans == [DATA[:10], DATA[-5:], b""]


def test_connections_that_are_cut_are_taken_up_where_they_broke(site: Site) -> None:
    def cut(number: int, handler: Any) -> bool:
        if number % 3 == 0:
            return False
        give(handler, site, DATA, cut=100_000)
        return True

    site.fault = cut
    assert whole(site) == DATA


def test_a_server_that_closes_without_a_word_is_asked_again(site: Site) -> None:
    def silent(number: int, handler: Any) -> bool:
        handler.close_connection = number % 2 == 1
        return number % 2 == 1

    site.fault = silent
    assert whole(site) == DATA


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(site: Site, status: int) -> None:
    site.fault = lambda number, handler: number % 3 == 1 and refuse(handler, status)
    assert whole(site) == DATA


def test_retry_after_is_kept(site: Site) -> None:
    site.fault = lambda number, handler: number == 1 and refuse(handler, 429, Retry_After="1")
    began = time.monotonic()
    state_of(f"{site.url}/a.bin")
    assert time.monotonic() - began >= 1


def test_a_server_that_stays_busy_is_one_clear_error(site: Site) -> None:
    site.fault = lambda number, handler: refuse(handler, 503)
    with pytest.raises(StoreError, match=r"/a\.bin: the server answers 503, 8 times"):
        state_of(f"{site.url}/a.bin?signature=secret")
    assert len(site.asked) == web.FAILURES


def test_stalled_bytes_are_asked_for_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "READ_SECONDS", 0.3)
    web._pool.cache_clear()

    def stall(number: int, handler: Any) -> bool:
        if number != 2:
            return False
        give(handler, site, DATA, cut=1000)
        handler.wfile.flush()
        time.sleep(1)
        return True

    site.fault = stall
    try:
        assert whole(site) == DATA
    finally:
        web._pool.cache_clear()


def test_trickling_bytes_are_given_up_with_a_cause(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "READ_SECONDS", 0.2)
    web._pool.cache_clear()

    def trickle(number: int, handler: Any) -> bool:
        if number == 1:
            return False
        handler.send_response(206)
        start = int(SPAN.match(handler.headers["Range"])[1])  # type: ignore[index]
        for name, value in {"Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}", "ETag": site.tag}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(DATA) - start))
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(20):
                handler.wfile.write(b"x")
                time.sleep(0.05)
        except ConnectionError:
            pass
        return True

    site.fault = trickle
    try:
        with pytest.raises(StoreError, match=r"given up at byte \d+ of 3000000: only \d+ bytes came"):
            whole(site)
    finally:
        web._pool.cache_clear()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_packed_file_stays_packed_whatever_its_server_calls_it(site: Site, ranges: bool) -> None:
    packed = gzip.compress(DATA)
    site.files["/a.gz"], site.coding, site.ranges = packed, "gzip", ranges
    with opened(f"{site.url}/a.gz") as file:
        assert file.read() == packed


def test_a_proxy_is_asked_for_the_hosts_it_is_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert state_of(f"{site.url}/a.bin")[0] == len(DATA)
    monkeypatch.setattr(web, "FAILURES", 1)
    with pytest.raises(StoreError, match="no answer"):
        state_of("http://elsewhere.invalid/a.bin")


def test_without_ranges_a_file_is_loaded_whole_also_over_cut_connections(site: Site) -> None:
    def cut(number: int, handler: Any) -> bool:
        if number not in (2, 3):
            return False
        give(handler, site, DATA, cut=500_000)
        return True

    site.ranges, site.fault = False, cut
    assert hashlib.sha256(whole(site)).digest() == hashlib.sha256(DATA).digest()
    site.fault = lambda number, handler: False
    assert read_spans(f"{site.url}/a.bin", [(5, 10), (1, 3)]) == [DATA[5:10], DATA[1:3]]


def test_without_ranges_a_connection_that_always_breaks_is_given_up(site: Site) -> None:
    def cut(number: int, handler: Any) -> bool:
        if number > 1:
            give(handler, site, DATA, cut=500_000)
        return number > 1

    site.ranges, site.fault = False, cut
    with pytest.raises(StoreError, match="given up at byte 500000 of 3000000"):
        whole(site)


def test_without_ranges_a_file_that_is_too_long_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SPOOL_BYTES", 1000)
    site.ranges = False
    with pytest.raises(StoreError, match=r"gives no ranges, and it has 3000000 bytes.*Download it first"):
        whole(site)


def test_without_a_length_a_file_is_refused(site: Site) -> None:
    site.ranges = site.length = False
    with pytest.raises(StoreError, match="does not say how long it is"):
        whole(site)


def test_a_file_that_changes_while_it_is_read_is_noticed(site: Site) -> None:
    with opened(f"{site.url}/a.bin") as file:
        file.read(10)
        site.tag = '"v2"'
        with pytest.raises(Changed, match=r"a\.bin changed while it was read"):
            file.read()


def test_a_file_without_a_tag_that_changes_its_length_is_noticed(site: Site) -> None:
    site.tag = ""
    with opened(f"{site.url}/a.bin") as file:
        file.read(10)
        site.files["/a.bin"] = DATA + b"more"
        with pytest.raises(Changed):
            file.read()


def test_refusals_are_told_in_plain_words_without_the_signature(site: Site) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no http://[^?]*/nowhere \(its server answers 404\)"):
        state_of(f"{site.url}/nowhere?signature=secret")
    site.fault = lambda number, handler: refuse(handler, 403)
    with pytest.raises(StoreError, match=r"/a\.bin: no access \(403\)"):
        state_of(f"{site.url}/a.bin")
    with pytest.raises(StoreError, match="its host name is not known"):
        state_of("http://no-such-host.invalid/a.bin")
    with pytest.raises(StoreError, match="no answer"):
        state_of("http://127.0.0.1:9/a.bin")


def test_a_signature_in_an_address_that_is_none_is_not_told() -> None:
    with pytest.raises(StoreError) as told:
        state_of("https://host:99999/a.jsonl?X-Amz-Signature=SECRET")
    assert "SECRET" not in str(told.value)
    assert "https://host:99999/a.jsonl is no address of a web server" in str(told.value)


def test_a_redirect_is_followed(site: Site) -> None:
    def elsewhere(number: int, handler: Any) -> bool:
        return handler.path == "/old.bin" and refuse(handler, 302, Location=f"{site.url}/a.bin")

    site.fault = elsewhere
    assert whole(site, "/old.bin") == DATA
