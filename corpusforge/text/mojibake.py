"""Text that was decoded in a wrong encoding and saved again: how to tell, and what its author wrote.

A piece is read back only if its characters give bytes, these bytes are text in the encoding that was meant, and that
text, misread in the same way, gives the piece again.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FEW = 8
"""So few signs prove nothing."""
SIGNS_PER_FOREIGN = 0.2
"""Share of a page's foreign characters that are signs of misreading, from which it is taken for misread."""
LEFT = 0.1
"""Share of the signs that may be left in a page that is read back: pieces of it may have lost characters."""

WESTERN = {byte: bytes((byte,)).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in range(0x80, 0x100)}
"""windows-1252 as the web reads it: bytes that it leaves out are C1 controls."""
_TABLE = "".join((*map(chr, range(0x80)), *WESTERN.values()))
_MAP = codecs.charmap_build(_TABLE)

_C1 = re.compile("[\x80-\x9f]")
_TAIL = re.escape("".join(WESTERN[byte] for byte in range(0x80, 0xC0))) + "\x80-\x9f"
_UTF8_AS_WESTERN = re.compile(f"[\xc2\xc3\xd0\xd1][{_TAIL}]|[\xe0-\xef][{_TAIL}]{{2}}")
_RUN = re.compile(f"(?:[\xc2\xc3\xd0\xd1][{_TAIL}]|[\xe0-\xef][{_TAIL}]{{2}})+")
_WESTERN_LEAD = re.compile("[\xc2\xc3\xd0\xd1\xe2-\xef][^ -~\n]")
SINGLES = 3
_TWO_BYTE_AS_LATIN = re.compile("[\xa1-\xfe]{6,}")
"""EUC, GB 2312, Cyrillic: no Latin script has so long runs of accents (decoration has, but of few characters)."""
FEW_DISTINCT = 4
_UTF8_AS_JAPANESE = re.compile("[縺繧繝荳蜈譁莠]")
"""Lead bytes E3 (kana) and E4-E7 (kanji) of UTF-8, read as Shift_JIS with the byte behind them."""
_WESTERN_SIGN = re.compile(rb"\xc3[\x82\x83\x90\x91\xa0-\xaf](?:\xc2[\x80-\xbf]|\xe2[\x80-\x84]|\xc5|\xc6\x92|\xcb)")
_C1_SIGN = re.compile(rb"\xc2[\x80-\x9f]")
_LATIN_RUN = re.compile(rb"\xc3[\x80-\xbe](?:\xc2[\xa1-\xbf]|\xc3[\x80-\xbe]){3}")
_JAPANESE_SIGNS = tuple(character.encode() for character in "縺繧繝")
_JAPANESE_LEAD = b"\xe7"
FEW_LEADS = 3
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_BOUND = re.compile("[<>\n]")


@dataclass(frozen=True)
class Way:
    """One way to misread: from bytes to what was shown, and back (``UnicodeError`` where that cannot be)."""

    forth: Callable[[bytes], str]
    back: Callable[[str], bytes]


LATIN = Way(lambda data: data.decode("latin-1"), lambda text: text.encode("latin-1"))
WINDOWS = Way(
    lambda data: codecs.charmap_decode(data, "strict", _TABLE)[0],
    lambda text: codecs.charmap_encode(text, "strict", _MAP)[0],
)
JAPANESE = Way(lambda data: data.decode("cp932"), lambda text: text.encode("cp932"))
WAYS = (WINDOWS, LATIN, JAPANESE)


def signs(text: str) -> int:
    """Characters that are signs of misreading: C1 controls, pairs and triples of UTF-8 read as windows-1252, long runs
    of accents, kanji that stand for the first bytes of kana."""
    foreign = " ".join(_FOREIGN.findall(text))  # no sign has ASCII in it
    western = sum(map(len, _UTF8_AS_WESTERN.findall(foreign)))
    latin = sum(len(run) for run in _TWO_BYTE_AS_LATIN.findall(foreign) if len(set(run)) >= FEW_DISTINCT)
    return max(2 * len(_C1.findall(foreign)), western, latin, 3 * len(_UTF8_AS_JAPANESE.findall(foreign)))


def may_be_misread(utf8: bytes) -> bool:
    """Whether UTF-8 has any sign of misreading: a tenth of the time that counting them takes."""
    latin, controls = utf8.count(b"\xc3"), utf8.count(b"\xc2")
    if latin >= FEW_LEADS and (_WESTERN_SIGN.search(utf8) or _LATIN_RUN.search(utf8)):
        return True
    if controls >= FEW_LEADS and _C1_SIGN.search(utf8):
        return True
    # Counting one byte is far faster than counting three, and most pages have few of the one.
    return utf8.count(_JAPANESE_LEAD) >= FEW_LEADS and sum(map(utf8.count, _JAPANESE_SIGNS)) >= FEW_LEADS


def is_misread(text: str) -> bool:
    """Whether a large part of a text's foreign characters are signs of a wrong decoding."""
    found = signs(text)
    return found > FEW and found > SIGNS_PER_FOREIGN * (len(text) - len(text.encode("ascii", "ignore")))


def bytes_of(text: str, way: Way) -> bytes:
    """The bytes of all pieces that one way of misreading explains, a line each."""
    return b"\n".join(data for start, end in _pieces(text) if (data := _back(text[start:end], way)) is not None)


def read_back(text: str, way: Way, decode: Callable[[bytes], str]) -> str | None:
    """A misread page as its author wrote it; None if more than a tenth of the signs stay. ``decode`` is strict."""
    parts: list[str] = []
    done = 0
    for start, end in _pieces(text):
        parts += (text[done:start], _mended(text[start:end], way, decode))
        done = end
    result = "".join((*parts, text[done:]))
    return result if signs(result) <= signs(text) * LEFT else None


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Ranges of what stands between tags and line ends and has foreign characters."""
    end = 0
    for found in _FOREIGN.finditer(text):
        if found.start() < end:
            continue
        start = max(end, *(text.rfind(mark, end, found.start()) + 1 for mark in "<>\n"))
        bound = _BOUND.search(text, found.end())
        end = bound.start() if bound else len(text)
        yield start, end


def _mended(piece: str, way: Way, decode: Callable[[bytes], str]) -> str:
    data = _back(piece, way)
    try:
        return piece if data is None else decode(data)
    except UnicodeDecodeError:
        return piece


def _back(piece: str, way: Way) -> bytes | None:
    """The bytes of a piece, if reading them in this way gives the piece again."""
    try:
        data = way.back(piece)
        return data if way.forth(data) == piece else None
    except UnicodeError:
        return None


def repairs(text: str) -> list[tuple[int, int, str]]:
    """Ranges of a text that are UTF-8 read as windows-1252, with what they mean.

    Runs of two signs and more stand for themselves; single pairs are mended only where a text has three of them.
    """
    if not _WESTERN_LEAD.search(text):
        return []
    found: list[tuple[int, int, str]] = []
    single = 0
    for run in _RUN.finditer(text):
        data = _back(run[0], WINDOWS)
        try:
            meant = "" if data is None else data.decode()
        except UnicodeDecodeError:
            continue
        if meant.isprintable() and meant:
            found.append((run.start(), run.end(), meant))
            single += len(run[0]) == 2
    return found if single >= SINGLES else [change for change in found if change[1] - change[0] > 2]
