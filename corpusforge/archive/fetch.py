"""One page from the web, as a browser would be given it, to be tried."""

import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError

from corpusforge.archive.page import Capture
from corpusforge.storage import StoreError
from corpusforge.storage.addresses import shown
from corpusforge.storage.web import pool_for
from corpusforge.text.http import Fields, Message

CONNECT_SECONDS, SECONDS = 10.0, 30.0
"""For a connection, and for the whole page with its redirects."""
REDIRECTS = 5
CHUNK = 64 << 10
AGENT = f"CorpusForge/{version('corpusforge')} (try: one page for one person)"
DECODED = ("transfer-encoding", "content-length")
"""Header fields that speak of the body as it came over the wire."""


def fetched(url: str, most_bytes: int, seconds: float = SECONDS) -> Capture:
    """The answer to one request, its body cut off after ``most_bytes``; raises ``StoreError`` where none comes."""
    until = time.monotonic() + seconds
    headers = {"User-Agent": AGENT, "Accept": "text/html,*/*;q=0.5", "Accept-Encoding": "gzip, deflate, br"}
    limits = urllib3.Timeout(connect=CONNECT_SECONDS, total=seconds)
    retries = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=REDIRECTS)
    try:
        answer: Any = pool_for(url).request(
            "GET", url, headers=headers, timeout=limits, retries=retries, preload_content=False
        )
        body = _body(answer, most_bytes, until, url, seconds)
    except (HTTPError, ValueError) as error:
        raise StoreError(f"{shown(url)}: {_in_words(error)}") from None
    fields = tuple((k.lower(), v) for k, v in answer.headers.items() if k.lower() not in DECODED)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    address = urljoin(url, answer.url or url)
    whole = len(body) <= most_bytes
    return Capture(None, address, now, Message(answer.status, Fields(fields), body[:most_bytes]), None, whole)


def _body(answer: Any, most_bytes: int, until: float, url: str, seconds: float) -> bytes:
    got = bytearray()
    try:
        while len(got) <= most_bytes and (piece := answer.read1(CHUNK, decode_content=False)):
            got += piece
            if time.monotonic() > until:
                came = f"{len(got)} bytes came in {seconds:.0f} s, and no end"
                raise StoreError(f"{shown(url)}: {came}. Download it first")
    finally:
        answer.close()
    return bytes(got)


def _in_words(error: Exception) -> str:
    inner = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(inner, NameResolutionError):
        return "its host name is not known. Check the address and the network"
    if isinstance(error, ValueError):
        return "no web address. Check it"
    return f"no page came ({type(inner).__name__}: {inner}). Check the address and the network"
