"""Which lines of a text are noise: menus, share and login lines, cookie notices, copyright, ads, links to elsewhere.

Precision first: a line goes only on evidence of its own (``SURE``), or in the company of others that are suspect
(``LIKELY``, ``LINKED``). Sentences, table rows, code and single ambiguous words stay.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled
from corpusforge.text import noise_marks
from corpusforge.text.noise_marks import AD, ARROWS, CLOSERS, ENDS, SHORT, line_marks
from corpusforge.text.noise_words import CALLS, Words, fold, key_of, words_of

Offsets = NDArray[np.int64]

NONE, LINKED, LIKELY, SURE = range(4)

MOSTLY_LINKS = 0.8
"""Share of link characters from which a line is a link."""
RUN = 3
"""Suspect lines in a row that go without a sure one among them; one more where all are only links."""
CUES = 5
"""Sales words, price and signs that make a short line an ad though no noun is repeated."""
FOLLOWERS = 12
"""Lines that can belong to the head of a list of related pages."""

_ENDS = frozenset(ENDS)
_CJK = re.compile(r"[぀-ヿ㐀-鿿가-힣]")
_SEPARATORS = re.compile(r"\s*[|｜│┃¦/›»>→·•・]+\s*|\s{2,}|\t|(?<=\S) [-–—] (?=\S)")
_HARD = re.compile(r"[|｜│>›»]|\s{2,}")
_PATH_SIGNS = re.compile(r"[>›»→]")
_COPYRIGHT = re.compile(
    r"[\s\-–—•・|\"“]{0,3}(©|\(c\)\s|copyrights?\b[^a-z]{0,4}(©|\(c\)|\d{4})|\(c\)\d{4})|.{0,40}©\s?\d{4}"
)
_SALE_SIGN = re.compile(r"[¥$€£₩%円元원₽【★☆◆◇♪♥✨🎉🔥]")
_PRICE = re.compile(r"[¥$€£₩]\s?\d|\d\s?(?:円|元|원|€|eur\b|usd\b|руб|₽)|\d\s?%\s?(?:off|オフ|引)|-\s?\d+\s?%")
_DECORATION = re.compile(r"[【】★☆◆◇■□●○♪♥❤✨🎉🔥]")
_NOUN = re.compile(r"[ァ-ヺー]{3,}|[一-鿿]{2,}|[가-힣]{2,}|[^\W\d_]{4,}")
_COUNT = re.compile(r"\s*[(\[]\s*\d+[^)\]]{0,8}[)\]]$")
_DIGIT = re.compile(r"\d")
_HASHTAGS = re.compile(r"(?:#[^\W\d_][\w・-]{0,14}(?: [\w-]+){0,2}#?[\s,、]*){2,}")
_HEAD = re.compile(r"[\s【\[■□●▼▶◆★>・-]{0,3}[\w\s]{2,40}[:】\]]")
_VALUES = re.compile(r"[,、/|・ ]+")
_PAGE_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:[ -][^\W\d_]+)*|[«»‹›<>←→…|/\-–.\[\]()·]+")


def noise_lines(lines: Sequence[str], lang: str | None, links: Sequence[float | None]) -> list[bool]:
    """Which lines are noise. ``links`` is the share of link characters of each line, None where not known."""
    words = words_of(lang)
    folded = _folded(lines)
    marks = line_marks("\n".join(folded), len(folded), words.index)
    levels = [NONE] * len(folded)
    for at, (is_loud, share) in enumerate(zip(marks.loud.tolist(), links, strict=True)):
        if is_loud:
            levels[at] = level_of(folded[at], share, int(marks.bits[at]), int(marks.inside[at]), words)
        elif share is not None and share >= MOSTLY_LINKS:
            levels[at] = _level_of_link(folded[at], share)
    if not any(levels):
        return [False] * len(levels)
    _follow_heads(folded, links, levels, words)
    return _in_company(folded, levels)


def _folded(lines: Sequence[str]) -> list[str]:
    """The lines in the form in which they are compared; one that is too long to be noise stays as it is."""
    return [fold(line).strip() if len(line) <= AD else line for line in lines]


def level_of(line: str, share: float | None, marks: int, inside: int, words: Words) -> int:
    """How much one line, folded and stripped, looks like noise by itself."""
    size = len(line)
    if not size or size > AD or line[0] == "|":
        return NONE
    spaced = not marks & noise_marks.HAS_CJK
    if marks & noise_marks.ADS or _is_notice(size, spaced, marks, inside):
        return SURE
    if size > 20 and marks & (noise_marks.HAS_SALE_SIGN | noise_marks.CALL) and _is_ad(line, words.sale):
        return SURE
    ended = _is_ended(line)
    if size > (SHORT if spaced or size <= SHORT // 4 else SHORT // 2) or (ended and size > SHORT // 2):
        return NONE
    if (marks & noise_marks.RIGHTS and _COPYRIGHT.match(line)) or _is_labelled(line, ended, marks, words):
        return SURE
    if line[-1] in ")]":
        line = _COUNT.sub("", line) or line
    key = key_of(line)
    if line[-1] not in ".。,、;" or line.endswith("..."):
        if key in words.alone or key in words.heads:
            return SURE
        if key in words.weak and not _DIGIT.search(line):
            return LIKELY
    if (marks & noise_marks.HAS_DIGIT and words.counter.fullmatch(line)) or _is_pager(line, words):
        return SURE
    if ended:
        return NONE
    if (size <= SHORT // 2 and line.endswith(words.ends)) or _HASHTAGS.fullmatch(line):
        return SURE
    if level := _menu(line, key, words, share, marks):
        return level
    return LINKED if _is_link(line, share) else NONE


def _level_of_link(line: str, share: float) -> int:
    """The level of a line that is not loud (``text/noise_marks.py``)."""
    return LINKED if line and line[0] != "|" and _is_link(line, share) and not _is_ended(line) else NONE


def _is_link(line: str, share: float | None) -> bool:
    """Whether a short line is all link; an address spelt out is a reference, which a text may well list."""
    return share is not None and share >= MOSTLY_LINKS and 2 * len(line) <= _longest(line) and "://" not in line


def _longest(line: str) -> int:
    return SHORT // 2 if len(line) > SHORT // 4 and _CJK.search(line) else SHORT


def _is_ended(line: str) -> bool:
    """Whether the line ends like a sentence, a clause or the head of a list."""
    return line[-1] in _ENDS or line.rstrip(CLOSERS)[-1:] in _ENDS


def _is_notice(size: int, spaced: bool, marks: int, inside: int) -> bool:
    """Rights, cookies, accounts: phrases of notices, which may stand in a sentence that is not much longer.

    ``inside`` is the length of the longest of those that need no other.
    """
    if size > 2 * SHORT:
        return False
    if inside and size <= 20 + (14 if spaced else 8) * inside:
        return True
    if marks & noise_marks.SITE and marks & noise_marks.COOKIE:
        return spaced or size <= SHORT
    named = marks & noise_marks.ACCOUNT and marks & noise_marks.VISITOR
    return bool(named) and size <= (90 if spaced else 45)


def _is_labelled(line: str, ended: bool, marks: int, words: Words) -> bool:
    """Tags, a category with several values, the head of related pages with a title behind it."""
    if not ended and marks & noise_marks.LABEL:
        return True
    if not ended and marks & noise_marks.CATEGORY:
        return len(_VALUES.findall(line)) > 1
    head = _HEAD.match(line) if marks & noise_marks.HAS_HEAD_SIGN else None
    return head is not None and key_of(head[0]) in words.heads and key_of(head[0]) != key_of(line)


def _is_pager(line: str, words: Words) -> bool:
    """Page numbers with at least one word or arrow for the page before or after, and nothing else."""
    first = line.split(maxsplit=1)[0].rstrip(":")
    if len(line) > 80 or not (first[:1] in ARROWS or first[:1].isdecimal() or first in words.pages):
        return False
    tokens = _PAGE_TOKEN.findall(line)
    numbers = [int(token) for token in tokens if token.isdecimal()]
    if numbers != sorted(set(numbers)) or any(number > 9999 for number in numbers):
        return False
    named = [token for token in tokens if token[0].isalpha()]
    known = all(token in words.pages or key_of(token) in words.alone for token in named)
    arrows = any(sign in line for sign in ARROWS)
    return (
        known and len(set(named)) == len(named) and (len(named) > 1 or (len(numbers) > 1 and (bool(named) or arrows)))
    )


def _menu(line: str, key: str, words: Words, share: float | None, marks: int) -> int:
    """A line of pieces: menu, breadcrumb, tags, row of share buttons."""
    pieces = [key]
    if marks & noise_marks.HAS_PIECES and _SEPARATORS.search(line):
        pieces = [piece for part in _SEPARATORS.split(line) if (piece := key_of(part))]
    if len(pieces) == 1:
        return SURE if _is_row(pieces[0].split(" "), words) else NONE
    if not pieces or not key:
        return NONE
    known = sum(piece in words.known for piece in pieces)
    longest = max(len(piece) for piece in pieces)
    if known == len(pieces) and (len(pieces) > 2 or not _PATH_SIGNS.search(line)):
        return SURE
    if len(pieces) > 2 and 2 * known >= len(pieces) and longest <= 30 and _HARD.search(line):
        return SURE
    if _PATH_SIGNS.search(line) and pieces[0] in words.home:
        return SURE if len(pieces) > 2 or (share or 0) > 0 else LIKELY
    if share is None or share < 0.5 or len(pieces) < 3 or longest > 30 or "://" in line:
        return NONE
    return SURE if known or _PATH_SIGNS.search(line) else LINKED


def _is_row(tokens: list[str], words: Words) -> bool:
    """Whether words set apart by single spaces are a row of buttons: two phrases or more, and little else."""
    at = phrases = 0
    foreign = len(tokens) // 4
    while at < len(tokens):
        longest = min(words.openers.get(tokens[at], 0), len(tokens) - at)
        size = next((n for n in range(longest, 0, -1) if " ".join(tokens[at : at + n]) in words.known), 0)
        phrases += size > 0
        foreign -= not size
        if foreign < 0:
            return False
        at += size or 1
    return phrases > 1


def _is_ad(line: str, sale: tuple[str, ...]) -> bool:
    """Sales words, prices and signs around a noun that comes again and again."""
    if not (_SALE_SIGN.search(line) or any(word in line for word in sale[:CALLS])):
        return False
    if line[-1] in ".。" or line.count("。") > 1:
        return False
    cues = sum(word in line for word in sale)
    score = cues + min(len(_PRICE.findall(line)), 2) + (len(_DECORATION.findall(line)) > 1)
    if score < 2 or not cues:
        return False
    if score >= CUES and len(line) <= SHORT:
        return True
    nouns = dict.fromkeys(noun for run in _NOUN.findall(line) for noun in _beginnings(run))
    return any((times := line.count(noun)) >= 3 and times * len(noun) * 100 >= 12 * len(line) for noun in nouns)


def _beginnings(run: str) -> list[str]:
    """A run of letters and, where it is Han, its beginnings: what follows a noun there is not set apart."""
    return [run[:size] for size in range(2, min(len(run), 7))] + [run] if "一" <= run[0] <= "鿿" else [run]


def _follow_heads(lines: Sequence[str], links: Sequence[float | None], levels: list[int], words: Words) -> None:
    """Mark the lines under the head of a list of related pages.

    Links where links are known; else short lines without a sentence end, if at least two of them run to more noise or
    to the end of the text.
    """
    for head, line in enumerate(lines):
        if levels[head] != SURE or key_of(line) not in words.heads:
            continue
        found: list[int] = []
        for at in range(head + 1, len(lines)):
            if not lines[at]:
                continue
            if levels[at] >= LIKELY or len(found) == FOLLOWERS or not _is_follower(lines[at], links[at]):
                break
            found.append(at)
        else:
            at = len(lines)
        known = any(links[at] is not None for at in found)
        closed = at == len(lines) or levels[at] >= LIKELY
        if known or (closed and len(found) > 1):
            for follower in found:
                levels[follower] = SURE


def _is_follower(line: str, share: float | None) -> bool:
    if share is not None:
        return share >= 0.5
    return line[0] != "|" and len(line) <= _longest(line) and not _is_ended(line)


def _in_company(lines: Sequence[str], levels: Sequence[int]) -> list[bool]:
    """What goes: sure lines, likely ones beside a sure one or in a run, links in a run."""
    noise = [level == SURE for level in levels]
    runs: list[list[int]] = [[]]
    for at, level in enumerate(levels):
        if level > NONE:
            runs[-1].append(at)
        elif lines[at] and runs[-1]:
            runs.append([])
    for run in runs:
        sure = any(levels[at] == SURE for at in run)
        only_links = all(levels[at] == LINKED for at in run)
        for at in run:
            noise[at] |= len(run) >= RUN + only_links or (sure and levels[at] == LIKELY)
    return noise


def line_links(ranges: Offsets, starts: Offsets, ends: Offsets, links: Offsets) -> list[float | None]:
    """The link share of each line: that of the block which covers its middle, None where no block does.

    ``ranges`` are lines (start, end); ``links`` of a block are in 1/255, -1 where they are not known.
    """
    order = np.lexsort((ends, starts))
    found = _line_links(ranges, starts[order], ends[order], links[order]).tolist()
    return [None if share < 0 else share / 255 for share in found]


@compiled
def _line_links(ranges: Offsets, starts: Offsets, ends: Offsets, links: Offsets) -> Offsets:
    shares = np.full(len(ranges), -1, np.int64)
    at = 0
    for block in range(len(starts)):
        while at < len(ranges) and ranges[at, 1] < starts[block]:
            at += 1
        line = at
        while line < len(ranges) and ranges[line, 0] < ends[block]:
            middle = (ranges[line, 0] + ranges[line, 1]) // 2
            if starts[block] <= middle < max(ends[block], starts[block] + 1) and links[block] >= 0:
                shares[line] = links[block]
            line += 1
    return shares
