"""Files on web servers: read by ranges, taken up where a connection broke off, never written."""

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, BinaryIO
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError

from corpusforge.storage.addresses import shown
from corpusforge.storage.failures import Changed, StoreError

FAILURES = 8
"""Answers in a row without a new byte before a file is given up."""
CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
SLOWEST = 20_000
"""Bytes a second: an answer that brings fewer, over ``READ_SECONDS`` at least, is asked for anew."""
WAIT_SECONDS, LONGEST_WAIT = 0.5, 120.0
"""The first wait before a request is repeated, twice as long each time; Retry-After counts up to the longest."""
PASSING = (408, 425, 429, 500, 502, 503, 504)
SPOOL_BYTES = 2 << 30
"""What a file may have whose server gives no ranges: it is loaded whole into a temporary file each time."""
CHUNK = 64 << 10
CONNECTIONS = 128
"""Connections to one server that are kept open: 16 inputs are fingerprinted at once, 8 blocks of each."""


@dataclass(frozen=True)
class WebRanges:
    """A file on a web server as it was when it was opened; ``ranged`` says whether its server gives parts of it."""

    url: str
    size: int
    tag: str
    ranged: bool

    @property
    def state(self) -> str:
        return f"{self.size}-{self.tag}"

    def fetch(self, start: int, end: int) -> bytes:
        got = bytearray()
        for piece in _pieces(self, start, end):
            got += piece
        return bytes(got)

    def spooled(self) -> BinaryIO:
        """The whole file in a temporary one."""
        if self.size > SPOOL_BYTES:
            raise StoreError(
                f"{shown(self.url)}: its server gives no ranges, and it has {self.size} bytes, more than "
                f"{SPOOL_BYTES} that are loaded whole. Download it first"
            )
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (the reader closes it)
        for piece in _pieces(self, 0, self.size, file):
            file.write(piece)
        file.seek(0)
        return file  # type: ignore[return-value]


def found(url: str) -> WebRanges:
    """Ask for the first byte: the answer says how long the file is and whether there are ranges."""
    answer = _asked(url, "bytes=0-0")
    headers = answer.headers
    answer.drain_conn() if answer.status == 206 else answer.close()
    tag = headers.get("ETag") or headers.get("Last-Modified") or ""
    length = headers.get("Content-Range", "").rpartition("/")[2] if answer.status in (206, 416) else ""
    if length.isdecimal():
        return WebRanges(url, int(length), tag, True)
    length = headers.get("Content-Length", "")
    if answer.status != 200 or not length.isdecimal():
        raise StoreError(f"{shown(url)}: its server does not say how long it is. Download it first")
    return WebRanges(url, int(length), tag, False)


def _pieces(file: WebRanges, start: int, end: int, spool: IO[bytes] | None = None) -> Iterator[bytes]:
    """The bytes of a span; a connection that breaks is opened again where it broke, or at 0 without ranges."""
    at, failures, cause = start, 0, ""
    while at < end:
        if failures >= FAILURES:
            raise StoreError(f"{shown(file.url)}: given up at byte {at} of {file.size}: {cause}")
        if failures:
            _wait(failures)
        if spool:
            at = spool.seek(0)
        answer = _asked(file.url, f"bytes={at}-{end - 1}" if file.ranged else "", file)
        began, first, slow, cause = time.monotonic(), at, False, "the connection was cut"
        try:
            while at < end and not slow and (piece := answer.read1(CHUNK, decode_content=False)[: end - at]):
                yield piece
                at += len(piece)
                slow = _too_slow(at - first, time.monotonic() - began)
        except HTTPError as error:
            cause = f"{type(error).__name__}: {error}"
        finally:
            answer.release_conn() if at >= end and file.ranged else answer.close()
        if slow:
            cause = f"only {at - first} bytes came in {READ_SECONDS:.0f} s"
        kept = file.ranged and not slow and at - first >= CHUNK
        failures = 1 if kept else failures + 1


def _too_slow(size: int, seconds: float) -> bool:
    return seconds > READ_SECONDS and size < SLOWEST * seconds


def _asked(url: str, span: str, before: WebRanges | None = None) -> Any:
    """An answer with a body to read; waits and asks again while the server is busy."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "corpusforge", **({"Range": span} if span else {})}
    for failures in range(1, FAILURES + 1):
        try:
            answer: Any = pool_for(url).request(
                "GET", url, headers=headers, preload_content=False, retries=_redirects()
            )
        except (HTTPError, ValueError) as error:
            cause, wait = _no_answer(url, error), None
        else:
            if answer.status not in PASSING:
                return _accepted(url, answer, before)
            cause, wait = f"the server answers {answer.status}", answer.headers.get("Retry-After")
            answer.close()
        if failures < FAILURES:
            _wait(failures, wait)
    raise StoreError(f"{shown(url)}: {cause}, {FAILURES} times. Try again later")


def _accepted(url: str, answer: Any, before: WebRanges | None) -> Any:
    """The answer, if it is one that was asked for and about the same file as ``before``."""
    status, headers = answer.status, answer.headers
    if before is None and status == 416:
        return answer
    if before and status in (200, 206, 412, 416):
        tag = headers.get("ETag") or headers.get("Last-Modified") or ""
        length = headers.get("Content-Range", "").rpartition("/")[2] if status == 206 else headers.get("Content-Length")
        same = status == (206 if before.ranged else 200) and length in (str(before.size), "*")
        if not same or tag != before.tag:
            answer.close()
            raise Changed(f"{shown(url)} changed while it was read. Leave it as it is and build again")
    if status in (200, 206):
        return answer
    answer.close()
    if status in (404, 410):
        raise FileNotFoundError(f"there is no {shown(url)} (its server answers {status})")
    if status in (401, 403):
        raise StoreError(f"{shown(url)}: no access ({status}). Check the address, or use one that is signed")
    raise StoreError(f"{shown(url)}: the server answers {status} {answer.reason or ''}".rstrip())


def _no_answer(url: str, error: Exception) -> str:
    """What went wrong, in words; raises at once where asking again is of no use."""
    inner = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(inner, NameResolutionError):
        raise StoreError(f"{shown(url)}: its host name is not known. Check the address and the network") from None
    if isinstance(error, ValueError):
        # The library's own words hold the whole address, which may be signed.
        raise StoreError(f"{shown(url)} is no address of a web server. Check it") from None
    if "certificate verify failed" in str(inner):
        raise StoreError(f"{shown(url)}: its certificate cannot be verified ({type(inner).__name__})") from None
    return f"no answer ({type(inner).__name__})"


def _wait(failures: int, asked: str | None = None) -> None:
    """Wait as long as the server asks for in seconds, else a little longer each time."""
    seconds = WAIT_SECONDS * 2 ** (failures - 1) * (0.5 + random.random())
    if asked and asked.isdecimal():
        seconds = max(seconds, float(asked))
    time.sleep(min(seconds, LONGEST_WAIT))


def _redirects() -> urllib3.Retry:
    return urllib3.Retry(
        total=None, connect=0, read=0, redirect=10, status=0, other=0, respect_retry_after_header=False
    )


def pool_for(url: str) -> Any:
    """Connections for an address, through the proxy that the environment names for it."""
    parts = urllib3.util.parse_url(url)
    bypassed = not parts.host or proxy_bypass(parts.host)
    return _pool(None if bypassed else getproxies().get(parts.scheme or ""))


@cache
def _pool(proxy: str | None) -> Any:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    if proxy:
        return urllib3.ProxyManager(proxy, timeout=timeout, maxsize=CONNECTIONS)
    return urllib3.PoolManager(timeout=timeout, maxsize=CONNECTIONS)
