"""Which lines of a text are noise: menus, share and login lines, cookie notices, copyright, ads, links to elsewhere.

Precision first: a line goes only on evidence of its own (``SURE``), or in the company of others that are suspect
(``LIKELY``, ``LINKED``). Sentences, table rows, code and single ambiguous words stay.
"""

import re
from collections.abc import Mapping, Sequence

from corpusforge.text.noise_words import CJK, COOKIES, Words, fold, key_of, words_of

NONE, LINKED, LIKELY, SURE = range(4)

SHORT = 120
"""Characters of the longest line that can be noise by its words; half as many where words are not spaced."""
AD = 600
"""Characters of the longest line that can be an ad."""
MOSTLY_LINKS = 0.8
"""Share of link characters from which a line is a link."""
RUN = 3
"""Suspect lines in a row that go without a sure one among them; one more where all are only links."""
CALLS = 12
"""Sales words, first in their lists, that make a line without a price or sign worth a look."""
CUES = 5
"""Sales words, price and signs that make a short line an ad though no noun is repeated."""
FOLLOWERS = 12
"""Lines that can belong to the head of a list of related pages."""

_ENDS = frozenset('。.!?:;,、」』”"…')
_CLOSING = "'\")）」』’"
_ARROWS = "«»‹›<>←→…"
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
    folded = [fold(line).strip() if len(line) <= AD else line for line in lines]
    present = words.found_in("\n".join(line for line in folded if len(line) <= 2 * SHORT))
    levels = [_level(line, share, present) for line, share in zip(folded, links, strict=True)]
    _follow_heads(folded, links, levels, words)
    return _in_company(folded, levels)


def _level(line: str, share: float | None, words: Words) -> int:
    """How much one line, folded and stripped, looks like noise by itself."""
    size = len(line)
    if not size or size > AD or line[0] == "|":
        return NONE
    if line.startswith(words.ads) or _is_notice(line, words) or (size > 20 and _is_ad(line, words.sale)):
        return SURE
    ended = _is_ended(line)
    if size > _longest(line) or (ended and size > SHORT // 2):
        return NONE
    if _COPYRIGHT.match(line) or _is_labelled(line, ended, words):
        return SURE
    line = _COUNT.sub("", line) or line
    key = key_of(line)
    if line[-1] not in ".。,、;" or line.endswith("..."):
        if key in words.alone or key in words.heads:
            return SURE
        if key in words.weak and not _DIGIT.search(line):
            return LIKELY
    if words.counter.fullmatch(line) or _is_pager(line, words):
        return SURE
    if ended:
        return NONE
    if (size <= SHORT // 2 and line.endswith(words.ends)) or _HASHTAGS.fullmatch(line):
        return SURE
    if level := _menu(line, key, words, share):
        return level
    return LINKED if _is_link(line, share) else NONE


def _is_link(line: str, share: float | None) -> bool:
    """Whether a short line is all link; an address spelt out is a reference, which a text may well list."""
    return share is not None and share >= MOSTLY_LINKS and 2 * len(line) <= _longest(line) and "://" not in line


def _longest(line: str) -> int:
    return SHORT // 2 if len(line) > SHORT // 4 and CJK.search(line) else SHORT


def _is_ended(line: str) -> bool:
    """Whether the line ends like a sentence, a clause or the head of a list."""
    return line[-1] in _ENDS or line.rstrip(_CLOSING)[-1:] in _ENDS


def _is_notice(line: str, words: Words) -> bool:
    """Rights, cookies, accounts: phrases of notices, which may stand in a sentence that is not much longer."""
    if not (words.inside or words.account or words.site) or len(line) > 2 * SHORT:
        return False
    spaced = CJK.search(line) is None
    letters = 14 if spaced else 8
    if any(len(line) <= 20 + letters * len(phrase) and phrase in line for phrase in words.inside):
        return True
    if words.site and any(word in line for word in COOKIES) and any(phrase in line for phrase in words.site):
        return spaced or len(line) <= SHORT
    short = len(line) <= (90 if spaced else 45)
    named = short and any(phrase in line for phrase in words.account)
    return named and any(phrase in line for phrase in words.visitor)


def _is_labelled(line: str, ended: bool, words: Words) -> bool:
    """Tags, a category with several values, the head of related pages with a title behind it."""
    if not ended and line.startswith(words.labels):
        return True
    if not ended and line.startswith(words.category):
        return len(_VALUES.findall(line)) > 1
    head = _HEAD.match(line)
    return head is not None and key_of(head[0]) in words.heads and key_of(head[0]) != key_of(line)


def _is_pager(line: str, words: Words) -> bool:
    """Page numbers with at least one word or arrow for the page before or after, and nothing else."""
    first = line.split(maxsplit=1)[0].rstrip(":")
    if len(line) > 80 or not (first[:1] in _ARROWS or first[:1].isdecimal() or first in words.pages):
        return False
    tokens = _PAGE_TOKEN.findall(line)
    numbers = [int(token) for token in tokens if token.isdecimal()]
    if numbers != sorted(set(numbers)) or any(number > 9999 for number in numbers):
        return False
    named = [token for token in tokens if token[0].isalpha()]
    known = all(token in words.pages or key_of(token) in words.alone for token in named)
    arrows = any(sign in line for sign in _ARROWS)
    return (
        known and len(set(named)) == len(named) and (len(named) > 1 or (len(numbers) > 1 and (bool(named) or arrows)))
    )


def _menu(line: str, key: str, words: Words, share: float | None) -> int:
    """A line of pieces: menu, breadcrumb, tags, row of share buttons."""
    pieces = (
        [piece for part in _SEPARATORS.split(line) if (piece := key_of(part))] if _SEPARATORS.search(line) else [key]
    )
    if len(pieces) == 1:
        return SURE if _is_row(pieces[0].split(" "), words) else NONE
    if not pieces or not key:
        return NONE
    known = sum(_known(piece, words) for piece in pieces)
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
    at = phrases = covered = 0
    while at < len(tokens):
        longest = min(5, len(tokens) - at)
        size = next((n for n in range(longest, 0, -1) if _known(" ".join(tokens[at : at + n]), words)), 0)
        phrases += size > 0
        covered += size
        at += size or 1
    return phrases > 1 and 4 * covered >= 3 * len(tokens)


def _known(piece: str, words: Words) -> bool:
    return piece in words.alone or piece in words.weak or piece in words.home


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


def line_links(ranges: Sequence[tuple[int, int]], blocks: Sequence[Mapping[str, int]]) -> list[float | None]:
    """The link share of each line: that of the block which covers its middle, None where no block does."""
    shares: list[float | None] = [None] * len(ranges)
    at = 0
    for block in sorted(blocks, key=lambda block: (block["start"], block["end"])):
        while at < len(ranges) and ranges[at][1] < block["start"]:
            at += 1
        line = at
        while line < len(ranges) and ranges[line][0] < block["end"]:
            middle = (ranges[line][0] + ranges[line][1]) // 2
            if block["start"] <= middle < max(block["end"], block["start"] + 1) and block["links"] is not None:
                shares[line] = block["links"] / 255
            line += 1
    return shares
