"""An ARC file of version 1, one gzip member a record: pages with and without an HTTP head, DNS, an image."""

import gzip
from pathlib import Path

INFO = b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"


def record(url: str, block: bytes, kind: str = "text/html", date: str = "20060102030405", length: str = "") -> bytes:
    return f"{url} 192.0.2.9 {date} {kind} {length or len(block)}\n".encode() + block + b"\n"


def page(number: int) -> bytes:
    body = f"<html><title>{number}</title><p>本文 {number}</p></html>".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def pieces() -> list[bytes]:
    return [
        record("filedesc://sample.arc", INFO, "text/plain"),
        record("dns:arc.example", b"20060102030405\narc.example. A 192.0.2.9\n", "text/dns"),
        *(record(f"http://arc.example/{number}?q=a b", page(number)) for number in range(5)),
        record("http://arc.example/headless", b"<html><p>no head</p></html>"),
        record("http://arc.example/x.png", b"\x89PNG\r\n\x1a\n", "image/png"),
    ]


def sample(folder: Path) -> Path:
    path = folder / "sample.arc.gz"
    path.write_bytes(b"".join(gzip.compress(piece, mtime=0) for piece in pieces()))
    return path
