"""Text that was decoded in a wrong encoding and saved again: how to tell, and what its author wrote.

A piece is read back only if its characters give bytes, these bytes are text in the encoding that was meant, and that
text, misread in the same way, gives the piece again.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import kernel
from corpusforge.text.ascii import BLOCK, Bytes, is_ascii

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
_MISREAD_LEADS = np.isin(np.arange(256), [0x82, 0x83, 0x90, 0x91, *range(0xA0, 0xB0)])
"""Behind C3: the letters that the first bytes of UTF-8 are as windows-1252 (Â Ã Ð Ñ à … ï)."""
_CONTROL_LEAD, _LATIN_LEAD, _JAPANESE_LEAD = 0xC2, 0xC3, 0xE7
_JAPANESE_TAILS = np.array([int.from_bytes(character.encode()[1:]) for character in "縺繧繝"], np.uint16)
_NO_CONTROL = 0xA0
FEW_LEADS = 3


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


@dataclass(frozen=True)
class Suspect:
    """A text in UTF-8 that may be misread: its signs, and where what stands between tags has foreign characters."""

    utf8: bytes
    signs: int
    pieces: tuple[tuple[int, int], ...]


def suspect(utf8: bytes) -> Suspect:
    return Suspect(utf8, signs(utf8), _pieces(np.frombuffer(utf8, np.uint8)))


def signs(utf8: bytes) -> int:
    """Characters that are signs of misreading: C1 controls, pairs and triples of UTF-8 read as windows-1252, long runs
    of accents, kanji that stand for the first bytes of kana."""
    foreign = _foreign(np.frombuffer(utf8, np.uint8))
    western = sum(map(len, _UTF8_AS_WESTERN.findall(foreign)))
    latin = sum(len(run) for run in _TWO_BYTE_AS_LATIN.findall(foreign) if len(set(run)) >= FEW_DISTINCT)
    return max(2 * len(_C1.findall(foreign)), western, latin, 3 * len(_UTF8_AS_JAPANESE.findall(foreign)))


def _foreign(data: NDArray[np.uint8]) -> str:
    """The foreign characters, and a space behind each run of them: no sign has ASCII in it.

    Most pages are ASCII for the most part; NumPy finds the rest ten times as fast as a pattern does.
    """
    high = data >= 0x80
    kept = high.copy()
    kept[1:] |= high[:-1]
    return np.where(high[kept], data[kept], ord(" ")).astype(np.uint8).tobytes().decode("utf-8", "surrogatepass")


def may_be_misread(utf8: bytes) -> bool:
    """Whether valid UTF-8 has any sign of misreading: a tenth of the time that counting them takes."""
    return not utf8.isascii() and bool(_has_signs(np.frombuffer(utf8, np.uint8), _MISREAD_LEADS, _JAPANESE_TAILS))


@kernel
def _has_signs(data: Bytes, leads: NDArray[np.bool_], tails: NDArray[np.uint16]) -> bool:
    """Whether letters that are UTF-8 read as a Latin script, C1 controls or the kanji of misread kana are there."""
    latin = controls = japanese = 0
    is_latin = is_control = False
    size = len(data)
    for begin in range(0, size, BLOCK):
        if is_ascii(data[begin : begin + BLOCK]):
            continue
        for at in range(begin, min(begin + BLOCK, size)):
            lead = data[at]
            if lead == _LATIN_LEAD:
                latin += 1
                is_latin = is_latin or _is_western(data, at, leads) or _is_run_of_latin(data, at)
            elif lead == _CONTROL_LEAD and at + 1 < size:
                controls += 1
                is_control |= data[at + 1] < _NO_CONTROL
            elif lead == _JAPANESE_LEAD and at + 2 < size:
                tail = (int(data[at + 1]) << 8) | int(data[at + 2])
                japanese += tail == tails[0] or tail == tails[1] or tail == tails[2]
    return (is_latin and latin >= FEW_LEADS) or (is_control and controls >= FEW_LEADS) or japanese >= FEW_LEADS


@kernel
def _is_western(data: Bytes, at: int, leads: NDArray[np.bool_]) -> bool:
    """Whether a letter at C3 is the first byte of UTF-8 as windows-1252 has it, and what follows the second one."""
    if at + 2 >= len(data) or not leads[data[at + 1]]:
        return False
    third = data[at + 2]
    if third in (0xC2, 0xC5, 0xCB):
        return True
    fourth = data[at + 3] if at + 3 < len(data) else 0
    return (third == 0xE2 and fourth <= 0x84) or (third == 0xC6 and fourth == 0x92)


@kernel
def _is_run_of_latin(data: Bytes, at: int) -> bool:
    """Whether a letter at C3 and three more are bytes from A1 on as Latin-1 has them."""
    if at + 8 > len(data) or data[at + 1] == 0xBF:
        return False
    for place in range(at + 2, at + 8, 2):
        lead, after = data[place], data[place + 1]
        if not ((lead == _CONTROL_LEAD and after > 0xA0) or (lead == _LATIN_LEAD and after < 0xBF)):
            return False
    return True


def is_misread(text: str | bytes) -> bool:
    """Whether a large part of a text's foreign characters are signs of a wrong decoding; bytes are UTF-8."""
    utf8 = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    found = signs(utf8)
    foreign = int(np.count_nonzero(np.frombuffer(utf8, np.uint8) >= _CONTROL_LEAD))
    return found > FEW and found > SIGNS_PER_FOREIGN * foreign


def bytes_of(misread: Suspect, way: Way) -> bytes:
    """The bytes of all pieces that one way of misreading explains, a line each."""
    pieces = (_back(misread.utf8[start:end].decode(), way) for start, end in misread.pieces)
    return b"\n".join(data for data in pieces if data is not None)


def read_back(misread: Suspect, way: Way, decode: Callable[[bytes], str]) -> bytes | None:
    """A misread page as its author wrote it; None if more than a tenth of the signs stay. ``decode`` is strict."""
    parts: list[bytes] = []
    done = 0
    for start, end in misread.pieces:
        parts += (misread.utf8[done:start], _mended(misread.utf8[start:end], way, decode))
        done = end
    result = b"".join((*parts, misread.utf8[done:]))
    return result if signs(result) <= misread.signs * LEFT else None


def _pieces(data: NDArray[np.uint8]) -> tuple[tuple[int, int], ...]:
    """Ranges of what stands between tags and line ends and has foreign characters."""
    bounds = np.flatnonzero((data == ord("<")) | (data == ord(">")) | (data == ord("\n")))
    bounds = np.concatenate(([-1], bounds, [len(data)]))
    behind = np.unique(np.searchsorted(bounds, np.flatnonzero(data >= _CONTROL_LEAD)))
    return tuple(zip((bounds[behind - 1] + 1).tolist(), bounds[behind].tolist(), strict=True))


def _mended(piece: bytes, way: Way, decode: Callable[[bytes], str]) -> bytes:
    data = _back(piece.decode(), way)
    try:
        return piece if data is None else decode(data).encode(errors="replace")
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
