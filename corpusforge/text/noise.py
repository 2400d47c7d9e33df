"""Which lines of a text are noise: menus, share and login lines, cookie notices, copyright, ads, links to elsewhere.

Precision first: a line goes only on evidence of its own (``SURE``), or in the company of others that are suspect
(``LIKELY``, ``LINKED``). Sentences, table rows, code and single ambiguous words stay. The word lists are our own; those
of the text's language and of English hold, those of all languages where the language is unknown or has none.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NONE, LINKED, LIKELY, SURE = range(4)

SHORT = 120
"""Characters of the longest line that can be noise by its words; half as many where words are not spaced."""
AD = 600
"""Characters of the longest line that can be an ad."""
MOSTLY_LINKS = 0.8
"""Share of link characters from which a line is a link."""
LINK_RUN = 3
"""Lines in a row that must be links before they go for that alone."""
FOLLOWERS = 12
"""Lines that can belong to the head of a list of related pages."""

_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SEPARATORS = re.compile(r"\s*[|｜│┃¦/›»>→·•・]+\s*|\s{2,}|\t|(?<=\S) ?[-–—] (?=\S)")
_PATH_SIGNS = re.compile(r"[>›»→]")
_SENTENCE_END = re.compile(r"[。．.!?！？:;，,、」』”\"…]['\")）」』]*$")
_COPYRIGHT = re.compile(r"^\W{0,3}(©|\(c\)\s|copyright\b[^a-z]{0,4}(©|\(c\)|\d{4})|copyrights?\s*\d{4}|\(c\)\d{4})")
_PRICE = re.compile(r"[¥$€£₩￥]\s?\d|\d\s?(円|元|원|€|eur\b|usd\b|руб|₽)|\d\s?%\s?(off|オフ|引)|\boff\b")
_DECORATION = re.compile(r"[【】★☆◆◇■□●○♪♥❤✨🎉🔥]")
_NOUN = re.compile(r"[ァ-ヺー]{3,}|[一-鿿]{2,}|[가-힣]{2,}|[^\W\d_]{4,}")
_PAGE_TOKEN = re.compile(r"\d{1,4}|[^\W\d_]+(?:[ -][^\W\d_]+)*|[«»‹›<>←→…|/\-–.\[\]()·]+")
_NUMBER = r"\d[\d,.]*\s?(?:万|億|千|k|m|만|тыс)?\+?"
_CJK = re.compile(r"[぀-ヿ㐀-鿿가-힣]")


@dataclass(frozen=True)
class Words:
    """The word lists that hold for a text."""

    alone: frozenset[str]
    weak: frozenset[str]
    heads: frozenset[str]
    home: frozenset[str]
    pages: frozenset[str]
    inside: tuple[str, ...]
    labels: tuple[str, ...]
    sale: tuple[str, ...]
    counter: re.Pattern[str]


@cache
def words_of(lang: str | None) -> Words:
    """The lists of a language together with English; of all languages where there is none."""
    table = json.loads(Path(__file__).with_name("noise_words.json").read_text("utf-8"))
    chosen = [table[lang], table["en"]] if lang in table else list(table.values())
    lists = {name: list(dict.fromkeys(fold(w) for entry in chosen for w in entry[name])) for name in table["en"]}
    keys = {name: frozenset(key for word in lists[name] if (key := key_of(word))) for name in lists}
    nouns = "|".join(re.escape(word) for word in sorted(lists["counters"], key=len, reverse=True))
    one = rf"(?:{_NUMBER}\s?(?:{nouns})|(?:{nouns})\s?[:(]?\s?{_NUMBER}\)?)"
    return Words(
        alone=keys["alone"],
        weak=keys["weak"],
        heads=keys["heads"],
        home=keys["home"],
        pages=keys["pages"],
        inside=tuple(lists["inside"]),
        labels=tuple(lists["labels"]),
        sale=tuple(lists["sale"]),
        counter=re.compile(rf"\W{{0,3}}{one}(?:[\W_]{{1,4}}{one})*\W{{0,3}}"),
    )


def fold(text: str) -> str:
    """NFKC and lower case: what words are compared in."""
    return unicodedata.normalize("NFKC", text).lower()


def key_of(line: str) -> str:
    """A line without signs and digits at its ends, with single spaces."""
    return " ".join(_EDGES.sub("", line).split())


def noise_lines(lines: Sequence[str], lang: str | None, links: Sequence[float | None]) -> list[bool]:
    """Which lines are noise. ``links`` is the share of link characters of each line, None where not known."""
    words = words_of(lang)
    folded = [fold(line).strip() for line in lines]
    whole = "\n".join(folded)
    inside = tuple(phrase for phrase in words.inside if phrase in whole)
    sale = tuple(word for word in words.sale if word in whole)
    levels = [_level(line, share, words, inside, sale) for line, share in zip(folded, links, strict=True)]
    _follow_heads(folded, links, levels, words)
    return _in_company(folded, levels)


def _level(line: str, share: float | None, words: Words, inside: tuple[str, ...], sale: tuple[str, ...]) -> int:
    """How much one line, folded and stripped, looks like noise by itself."""
    if not line or line[0] == "|" or len(line) > AD:
        return NONE
    if len(line) > 20 and _is_ad(line, sale):
        return SURE
    if len(line) > _longest(line):
        return SURE if len(line) < 2 * _longest(line) and _is_notice(line, inside) else NONE
    if _is_notice(line, inside) or _COPYRIGHT.match(line):
        return SURE
    key = key_of(line)
    if key in words.alone or key in words.heads or words.counter.fullmatch(line):
        return SURE
    if key in words.weak:
        return LIKELY
    ended = _SENTENCE_END.search(line) is not None
    if _is_pager(line, words) or (not ended and _is_labelled(line, words.labels)):
        return SURE
    if (level := NONE if ended else _menu(line, words, share)) > NONE:
        return level
    return LINKED if share is not None and share >= MOSTLY_LINKS and not ended else NONE


def _longest(line: str) -> int:
    return SHORT // 2 if _CJK.search(line) else SHORT


def _is_notice(line: str, inside: tuple[str, ...]) -> bool:
    return any(phrase in line for phrase in inside)


def _is_labelled(line: str, labels: tuple[str, ...]) -> bool:
    return line.startswith(labels)


def _is_pager(line: str, words: Words) -> bool:
    """Page numbers with at least one word or arrow for the page before or after, and nothing else."""
    tokens = _PAGE_TOKEN.findall(line)
    if len(tokens) < 2 or len(line) > 80:
        return False
    numbers = sum(token.isdecimal() for token in tokens)
    named = [token for token in tokens if token[0].isalpha()]
    known = all(token in words.pages or key_of(token) in words.alone for token in named)
    arrows = any(sign in line for sign in "«»‹›<>←→…")
    return known and len(set(named)) == len(named) and (len(named) > 1 or (numbers > 1 and (bool(named) or arrows)))


def _menu(line: str, words: Words, share: float | None) -> int:
    """A line of pieces: menu, breadcrumb, tags, row of share buttons."""
    pieces = [key_of(piece) for piece in _SEPARATORS.split(line)]
    pieces = [piece for piece in pieces if piece]
    if len(pieces) == 1:
        tokens = pieces[0].split(" ")
        return SURE if len(tokens) > 1 and all(_known(token, words) for token in tokens) else NONE
    if not pieces:
        return NONE
    known = sum(_known(piece, words) for piece in pieces)
    longest = max(len(piece) for piece in pieces)
    if known == len(pieces) or (len(pieces) > 2 and 2 * known >= len(pieces) and longest <= 30):
        return SURE
    if _PATH_SIGNS.search(line) and pieces[0] in words.home:
        return SURE if len(pieces) > 2 or (share or 0) > 0 else LIKELY
    linked = share is not None and share >= 0.5
    return SURE if linked and len(pieces) > 2 and longest <= 30 else NONE


def _known(piece: str, words: Words) -> bool:
    return piece in words.alone or piece in words.weak or piece in words.home


def _is_ad(line: str, sale: tuple[str, ...]) -> bool:
    """Sales words, prices and signs around a noun that comes again and again."""
    cues = sum(word in line for word in sale)
    price = _PRICE.search(line) is not None
    signs = len(_DECORATION.findall(line)) > 1
    if cues + price + signs < 2 or not cues:
        return False
    counts: dict[str, int] = {}
    for noun in _NOUN.findall(line):
        counts[noun] = counts.get(noun, 0) + 1
    times, noun = max(((times, noun) for noun, times in counts.items()), default=(0, ""))
    dense = times * len(noun) * 100 >= 12 * len(line)
    return times >= 3 and dense and line.count("。") < 2


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
    return line[0] != "|" and len(line) <= _longest(line) and not _SENTENCE_END.search(line)


def _in_company(lines: Sequence[str], levels: Sequence[int]) -> list[bool]:
    """What goes: sure lines, likely ones beside other likely or sure ones, links in a run of links."""
    noise = [level == SURE for level in levels]
    runs: list[list[int]] = [[]]
    for at, level in enumerate(levels):
        if level > NONE:
            runs[-1].append(at)
        elif lines[at] and runs[-1]:
            runs.append([])
    for run in runs:
        likely = sum(levels[at] >= LIKELY for at in run)
        for at in run:
            noise[at] |= levels[at] == LIKELY and (likely > 1 or len(run) >= LINK_RUN)
            noise[at] |= levels[at] == LINKED and len(run) >= LINK_RUN
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
