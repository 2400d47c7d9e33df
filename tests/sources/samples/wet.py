"""Five texts as WET, one gzip member a record, with a description of the file before them."""

import gzip
from pathlib import Path

TEXTS = ("坂を下りやうとした時\n本文です。", "Plain words.", "", "Ünïcode für alle", "마지막 글")


def record(number: int, text: str) -> bytes:
    data = text.encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://wet.example/{number}\r\n"
        f"WARC-Date: 2026-01-0{number + 1}T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:wet-{number}>\r\n"
        f"WARC-Identified-Content-Language: jpn,eng\r\nContent-Type: text/plain\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n\r\n"


INFO = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 4\r\n\r\na: b\r\n\r\n"


def sample(folder: Path) -> Path:
    path = folder / "sample.warc.wet.gz"
    pieces = [INFO, *(record(number, text) for number, text in enumerate(TEXTS))]
    path.write_bytes(b"".join(gzip.compress(piece, mtime=0) for piece in pieces))
    return path
