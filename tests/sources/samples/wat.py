"""Five pages as WAT lists them, plain: a record on the request and one on the response of each."""

import json
from pathlib import Path
from typing import Any


def record(number: int, envelope: dict[str, Any] | bytes, kind: str = "metadata") -> bytes:
    data = envelope if isinstance(envelope, bytes) else json.dumps({"Envelope": envelope}).encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://wat.example/{number}\r\n"
        f"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:wat-{number}>\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n\r\n"


def response(page: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "Payload-Metadata": {"HTTP-Response-Metadata": {"Headers": {}, **({"HTML-Metadata": page} if page else {})}}
    }


def page(title: str, description: str, links: int) -> dict[str, Any]:
    metas = [{"property": "og:title", "content": "x"}, {"name": "Description", "content": description}]
    return {"Head": {"Title": title, "Metas": metas}, "Links": [{"path": "A@/href", "url": "/x"}] * links}


def sample(folder: Path) -> Path:
    request = {"Payload-Metadata": {"HTTP-Request-Metadata": {"Headers": {}}}}
    pieces = [record(100, b"a: b", "warcinfo")]
    for number in range(5):
        pieces.append(record(10 + number, request))
        pieces.append(record(number, response(page(f"題名 {number}", f"About\n{number}", number))))
    path = folder / "sample.warc.wat"
    path.write_bytes(b"".join(pieces))
    return path
