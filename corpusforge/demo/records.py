"""WARC 1.1 records written with the standard library, so that equal pages give equal bytes (ISO 28500:2017)."""

import base64
import gzip
import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

BASE_TIME = datetime(2024, 5, 1)


def record_id(*names: object) -> str:
    """A stable urn for whatever is named."""
    digest = hashlib.blake2b(repr(names).encode(), digest_size=16).digest()
    return f"<urn:uuid:{uuid.UUID(bytes=digest, version=4)}>"


def record(kind: str, identity: str, number: int, block: bytes, headers: Mapping[str, str]) -> bytes:
    """One record; ``number`` of the page gives its date."""
    date = f"{(BASE_TIME + timedelta(seconds=number)).isoformat()}Z"
    lines = ["WARC/1.1", f"WARC-Type: {kind}", f"WARC-Record-ID: {identity}", f"WARC-Date: {date}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(block)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def sha1(data: bytes) -> str:
    """A digest as WARC files give it."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def response(payload: bytes, content_type: str, status: int, chunked: bool = False, gzipped: bool = False) -> bytes:
    """An HTTP response block; chunked and gzipped as a crawler that keeps the wire format writes it."""
    reason = {200: "OK", 404: "Not Found"}[status]
    headers = [f"HTTP/1.1 {status} {reason}", f"Content-Type: {content_type}", "Server: demo"]
    body = member(payload) if gzipped else payload
    if gzipped:
        headers.append("Content-Encoding: gzip")
    if chunked:
        headers.append("Transfer-Encoding: chunked")
        body = chunks(body)
    else:
        headers.append(f"Content-Length: {len(body)}")
    return "\r\n".join(headers).encode() + b"\r\n\r\n" + body


def request(host: str, path: str) -> bytes:
    """An HTTP request block."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: corpusforge-demo\r\nAccept: text/html\r\n\r\n".encode()


def chunks(body: bytes, size: int = 1500) -> bytes:
    """Chunked transfer coding (RFC 9112, §7.1)."""
    pieces = (body[i : i + size] for i in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def member(data: bytes) -> bytes:
    """A gzip member without a time."""
    return gzip.compress(data, compresslevel=6, mtime=0)
