"""The format of Aozora Bunko: head, legend and colophon, ruby, notes, characters outside JIS X 0208, accents.

The rules are those of Aozora Bunko's own manual (https://www.aozora.gr.jp/annotation/). What a sign means is believed
as the legend of the file says it: without one, ``《》`` is ruby only around kana, and ``〔〕`` are brackets.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from corpusforge.text.normal import normalise, normalise_with

RULE = re.compile(r"-{20,}\s*")
LEGEND_LINES = 60
HEAD_LINES = 8
SOURCE_BOOK = re.compile(r"底本[：:]")
CREDITS = re.compile(r"(?:入力|校正)[：:]|青空文庫作成ファイル|このファイルは、インターネットの図書館")
COLOPHON_LINES = 30
"""Source books that stand so close together are of one colophon."""
HELPERS = ("訳", "編", "校訂", "校註", "校注", "撰")
"""How lines of the head end that name who translated or edited."""
CHARACTER = re.compile(r"※［＃([^［］]*)］")
NOTE = re.compile(r"［＃[^［］]*］")
PLACE = re.compile(r"、(?:第[34３４]水準)?([12])-(\d{1,2})-(\d{1,2})(?=、|$)")
UNICODE = re.compile(r"[UＵ][+＋]([0-9A-Fa-f]{4,6})")
NESTED = 4
MISSING = "〓"
"""The printers' sign for a character that they lack."""
SIGNS = "《》｜［］〔〕※＃"
_HIDE = str.maketrans(SIGNS, "".join(chr(0xFDD0 + n) for n in range(len(SIGNS))))
_HIDDEN = re.compile(f"[\ufdd0-{chr(0xFDD0 + len(SIGNS) - 1)}]")
"""Stand-ins, which are no characters in any text, for signs that a note puts into the text as such."""
RUBY = re.compile(r"(?:｜([^《》｜\n]+))?《([^《》\n]+)》")
ANY, NEVER = re.compile(".*"), re.compile("(?!)")
KANA = re.compile(r"[ぁ-ゖァ-ヺー・゛゜ゝゞヽヾ\u3000]+")
BRACKETED = re.compile(r"〔([^〔〕\n]*)〕")
BASES = re.compile(
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〆〇〻〓ヶヵ]+|[ぁ-ゖゝゞ]+|[ァ-ヺーヽヾ]+|[A-Za-z\u00c0-\u024f'.-]+"
    "|[Ａ-Ｚａ-ｚ]+|[0-9０-９]+|[\u0370-\u03ff]+|[\u0400-\u04ff]+|[^\\W\\d_]+"
)
BASE_LENGTH = 40
_MARKS = {
    "`": ("AEIOUaeiou", "\u0300"),
    "'": ("AEIOUYaeiouy", "\u0301"),
    "^": ("AEIOUaeiou", "\u0302"),
    "~": ("ANOano", "\u0303"),
    ":": ("AEIOUaeiouy", "\u0308"),
    "&": ("Aa", "\u030a"),
    "_": ("AEIOUaeiou", "\u0304"),
    ",": ("Cc", "\u0327"),
}
ACCENTS = {letter + sign: normalise(letter + mark) for sign, (letters, mark) in _MARKS.items() for letter in letters}
ACCENTS |= {"O/": "Ø", "o/": "ø", "s&": "ß", "AE&": "Æ", "ae&": "æ", "OE&": "Œ", "oe&": "œ", "!@": "¡", "?@": "¿"}
ACCENT = re.compile("|".join(map(re.escape, sorted(ACCENTS, key=len, reverse=True))))


@dataclass(frozen=True)
class Ruby:
    """A reading of ``text[start:end]``, in code points."""

    start: int
    end: int
    reading: str


@dataclass(frozen=True)
class Work:
    """A text in its stored form; ``missing`` counts the characters that no code is known for, written ``〓``."""

    title: str | None
    author: str | None
    text: str
    ruby: tuple[Ruby, ...]
    colophon: str | None
    missing: int


def work_of(raw: str) -> Work:
    """The work in a file. What has neither legend nor colophon has no head either: all of it is text."""
    every = _HIDDEN.sub("", raw).replace("\r\n", "\n").split("\n")
    end = _colophon(every)
    head, legend, body = _split(every[:end], end < len(every))
    accents = "アクセント分解" in legend
    names = [normalise(_read(_resolved([line], accents), KANA)[0]).strip() for line in head]
    title, author = _names([name for name in names if name])
    readable = (ANY if "《》" in legend else NEVER) if legend else KANA
    text, readings = _read(_resolved(body, accents), readable)
    offsets = [offset for one in readings for offset in (one.start, one.end)]
    text, offsets = normalise_with(text, offsets)
    places = zip(offsets[::2], offsets[1::2], readings, strict=True)
    ruby = tuple(Ruby(start, stop, normalise(one.reading)) for start, stop, one in places)
    colophon = normalise("\n".join(every[end:])).strip()
    return Work(title, author, text, ruby, colophon or None, text.count(MISSING))


def _colophon(lines: list[str]) -> int:
    """Where the colophon begins; the number of lines where there is none."""
    books = [number for number, line in enumerate(lines) if SOURCE_BOOK.match(line)]
    while len(books) > 1 and books[-1] - books[-2] <= COLOPHON_LINES:
        books.pop()
    credits = (number for number, line in enumerate(lines) if CREDITS.match(line))
    return books[-1] if books else next(credits, len(lines))


def _split(lines: list[str], has_colophon: bool) -> tuple[list[str], str, list[str]]:
    """The lines of the head, the legend, and the lines of the text."""
    rules = [number for number, line in enumerate(lines[:LEGEND_LINES]) if RULE.fullmatch(line)]
    if len(rules) >= 2 and any("【" in line for line in lines[rules[0] : rules[1]]):
        head = [line for line in lines[: rules[0]] if line.strip()]
        return head[:HEAD_LINES], "\n".join(lines[rules[0] : rules[1]]), head[HEAD_LINES:] + lines[rules[1] + 1 :]
    if not has_colophon:
        return [], "", lines
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    blank = next((number for number in range(first, len(lines)) if not lines[number].strip()), len(lines))
    if blank - first > HEAD_LINES or blank == len(lines):
        return [], "", lines
    return lines[first:blank], "", lines[blank:]


def _names(head: list[str]) -> tuple[str | None, str | None]:
    """Title, with subtitles behind it, and author; lines in Latin letters below a Japanese title say the same again."""
    if not head:
        return None, None
    japanese = [line for line in head[1:] if max(line) >= "\u3000"]
    lines = head[:1] + (japanese if max(head[0]) >= "\u3000" else head[1:])
    while len(lines) > 2 and lines[-1].endswith(HELPERS):
        lines.pop()
    if len(lines) == 1:
        return lines[0], None
    return "\u3000".join(lines[:-1]), lines[-1]


def _resolved(lines: list[str], accents: bool) -> str:
    """Lines with the characters that notes describe and without the notes; blank ends are taken off."""
    ready: list[str] = []
    for line in lines:
        noted = "［＃" in line
        if noted:
            line = _repeated(NOTE, "", _repeated(CHARACTER, _character, line))
        if not noted or line.strip():
            ready.append(BRACKETED.sub(_accents, line) if accents else line)
    return "\n".join(ready).rstrip().lstrip("\n")


def _repeated(pattern: re.Pattern[str], put: str | Callable[[re.Match[str]], str], line: str) -> str:
    """Notes stand in notes: the inner ones first."""
    for _ in range(NESTED):
        line, count = pattern.subn(put, line)
        if not count:
            break
    return line


def _character(found: re.Match[str]) -> str:
    """The character that a note describes, by its place in JIS X 0213 or in Unicode."""
    description = found[1]
    if place := PLACE.search(description):
        plane, row, cell = map(int, place.groups())
        code = bytes([0x8F] * (plane - 1) + [0xA0 + row, 0xA0 + cell]) if row <= 94 and cell <= 94 else b""
        character = code.decode("euc_jis_2004", "ignore")
        if character:
            return character.translate(_HIDE)
    if named := UNICODE.search(description):
        number = int(named[1], 16)
        if number < 0x110000 and not 0xD800 <= number < 0xE000:
            return chr(number).translate(_HIDE)
    return MISSING


def _accents(found: re.Match[str]) -> str:
    text, count = ACCENT.subn(lambda one: ACCENTS[one[0]], found[1])
    return text if count else found[0]


def _read(text: str, readable: re.Pattern[str]) -> tuple[str, list[Ruby]]:
    """The text without ruby, and the readings, those that are ``readable``."""
    pieces: list[str] = []
    readings: list[Ruby] = []
    size = position = 0
    for found in RUBY.finditer(text):
        before = text[position : found.start()] + (found[1] or "")
        length = len(found[1] or _base(before)) or (readable is ANY and len(before[-1:].strip()))
        if not readable.fullmatch(found[2]) or (not length and readable is not ANY):
            continue
        pieces.append(before)
        size += len(before)
        readings.append(Ruby(size - length, size, _shown(found[2])))
        position = found.end()
    return _shown("".join([*pieces, text[position:]])), readings


def _shown(text: str) -> str:
    return _HIDDEN.sub(lambda found: SIGNS[ord(found[0]) - 0xFDD0], text)


def _base(before: str) -> str:
    """The characters of one kind that the text ends with."""
    last = ""
    for found in BASES.finditer(before, max(0, len(before) - BASE_LENGTH)):
        last = found[0] if found.end() == len(before) else last
    return last
