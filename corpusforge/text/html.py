"""What can be told of a page of HTML without parsing it: its visible text, its title, the languages it declares."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import kernel
from corpusforge.text.references import unescaped

SKIPPED = (b"script", b"style", b"noscript", b"template", b"textarea", b"svg")
"""Elements whose content nobody reads; at most 8 letters each."""


def _names() -> NDArray[np.uint8]:
    rows = np.zeros((len(SKIPPED), 9), np.uint8)
    for row, name in zip(rows, SKIPPED, strict=True):
        row[0] = len(name)
        row[1 : 1 + len(name)] = np.frombuffer(name, np.uint8)
    return rows


_NAMES = _names()
_FIRST = np.isin(np.arange(256), _NAMES[:, 1])
"""Which bytes such a name may begin with."""


@kernel
def _named(data: NDArray[np.uint8], at: int, name: NDArray[np.uint8]) -> bool:
    """Whether the tag name at ``at`` is ``name`` (length first), in any case."""
    size = int(name[0])
    if at + size > len(data):
        return False
    for k in range(size):
        if data[at + k] | 0x20 != name[1 + k]:
            return False
    end = data[at + size] if at + size < len(data) else 62
    return not (48 <= end <= 57 or 65 <= end <= 90 or 97 <= end <= 122)


@kernel
def _strip(data: NDArray[np.uint8], names: NDArray[np.uint8], first: NDArray[np.bool_], out: NDArray[np.uint8]) -> int:
    """Copy text between tags to ``out`` until it is full, white space collapsed; give the bytes written."""
    at, size, put, most = 0, len(data), 0, len(out)
    space = True
    while at < size and put < most:
        byte = data[at]
        if byte != 60 or at + 1 >= size:  # not "<"
            white = byte <= 32
            if not (white and space):
                out[put] = 32 if white else byte
                put += 1
            space = white
            at += 1
            continue
        after = data[at + 1]
        if after == 33 and at + 3 < size and data[at + 2] == 45 and data[at + 3] == 45:  # <!--
            at += 4
            while at < size and not (data[at] == 62 and data[at - 1] == 45 and data[at - 2] == 45):
                at += 1
            at += 1
            continue
        letter = 65 <= after <= 90 or 97 <= after <= 122
        if not (letter or after == 47 or after == 33 or after == 63):  # a bare "<"
            out[put] = 60
            put += 1
            space = False
            at += 1
            continue
        skipped = -1
        if letter and first[after | 0x20]:
            for k in range(len(names)):
                if _named(data, at + 1, names[k]):
                    skipped = k
        while at < size and data[at] != 62:
            at += 1
        at += 1
        if skipped >= 0:
            while at < size and not (
                data[at] == 60 and at + 1 < size and data[at + 1] == 47 and _named(data, at + 2, names[skipped])
            ):
                at += 1
        if not space:
            out[put] = 32
            put += 1
            space = True
    return put


def visible_text(html: bytes, most_bytes: int) -> str:
    """The text between the tags of UTF-8 HTML, up to ``most_bytes`` of it; scripts, styles and comments left out."""
    out = np.empty(most_bytes, np.uint8)
    written = _strip(np.frombuffer(html, np.uint8), _NAMES, _FIRST, out)
    text = out[:written].tobytes().decode("utf-8", "ignore")
    return unescaped(text) if "&" in text else text


HEAD_BYTES = 16384
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)
_HTML = re.compile(rb"<html\b[^>]{0,2000}>", re.IGNORECASE)
_LANG = re.compile(rb"(?:\s|:)lang\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z]{2,3})\b", re.IGNORECASE)
_META = re.compile(rb"<meta\b[^>]{0,1000}(?:content-language|og:locale[\"'\s])[^>]{0,1000}>", re.IGNORECASE)
_NAMED_META = re.compile(rb"<meta\b[^<>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"\b(name|content)\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_CONTENT = re.compile(rb"\bcontent\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z]{2,3})\b", re.IGNORECASE)


def title_of(html: bytes) -> str:
    """The page's title as declared in its first bytes, white space collapsed; ``""`` if there is none."""
    found = _TITLE.search(html[: 4 * HEAD_BYTES])
    return " ".join(unescaped(found[1].decode("utf-8", "ignore")).split()) if found else ""


def metas(html: bytes, most_bytes: int) -> Iterator[tuple[str, str]]:
    """Name and content, both in small letters, of the ``<meta name>`` tags in the first bytes of a page."""
    for tag in _NAMED_META.finditer(html[:most_bytes]):
        values = {name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(tag[0])}
        if b"name" in values:
            name, content = (values.get(key, b"").decode("utf-8", "ignore") for key in (b"name", b"content"))
            yield unescaped(name).strip().lower(), unescaped(content).strip().lower()


def declared_languages(html: bytes) -> tuple[str, ...]:
    """Languages (two or three letters, small) of ``<html lang>``, ``xml:lang``, Content-Language, ``og:locale``."""
    head = html[:HEAD_BYTES]
    found: list[bytes] = []
    for tag in _HTML.finditer(head):
        found += _LANG.findall(tag[0])
    for tag in _META.finditer(head):
        found += _CONTENT.findall(tag[0])[:1]
    return tuple(dict.fromkeys(lang.decode().lower() for lang in found))
