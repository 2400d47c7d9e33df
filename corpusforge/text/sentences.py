"""Where the sentences of a text end, by rule.

A line is a paragraph, so a line break ends a sentence, unless the line was wrapped: it ends in a comma, or has 40
characters or more and a small letter begins the next, and no empty line lies between. Within a paragraph a sentence
ends behind its last mark and the closing brackets and quotes that follow, not

- inside brackets of up to ``PROTECTED`` characters, and not behind a quote that hiragana go on from (「…。」と言った);
- at ！ or ？ before words of saying (！と叫んだ), at an ellipsis with text right behind it;
- at ``.``, ``!`` and ``?`` without white space behind them (3.5, a.b) or before a small letter, except next to
  Japanese and Chinese letters;
- at ``.`` behind an abbreviation, an initial, a number that begins the sentence (1. Introduction) or
  a German day (17. Oktober).

White space goes with the sentence behind it, line breaks go with the one they end. Every character belongs to a
sentence, and none is of white space only, unless the text is.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

PROTECTED = 200
"""Characters of a bracket whose sentences are not told apart; a longer one is a speech with sentences of its own."""
WRAPPED = 40
"""Characters of a line that may have been wrapped; the items of a list are shorter."""
NUMBER = 16
"""Characters of a number that begins a sentence, white space counted."""

_BREAK = re.compile(r"[\n\r\v\f\x85\u2028\u2029](?:\s*[\n\r\v\f\x85\u2028\u2029])?")
_FULL = frozenset("。｡।॥؟۔።။។")
_LOUD = frozenset("！？")
_DOTS = frozenset("…‥")
_MARKS = re.compile(r"([。｡।॥؟۔።။។！？!?…‥.．]+)((?:[（(][笑泣涙汗爆怒謎苦嘘]+[）)])?[」』）)】》〉〕］\]｝}｣”’\"'»]*)")
_PAIRS = dict(zip("「『（(【《〈〔［[｛{｢", "」』）)】》〉〕］]｝}｣", strict=True))
_BRACKETS = re.compile("[" + re.escape("".join((*_PAIRS, *_PAIRS.values()))) + "]")
_SAYING = re.compile("って|と(?:いう|いっ|した|して|言|云|叫|聞|訊|尋|問|答|思|考|感|驚|述|語|呼|書)")
_DAY = re.compile(r"\b[0-9]{1,2}\Z")
_MONTH = re.compile("Januar|Februar|März|April|Mai|Juni|Juli|August|Septem|Oktober|Novem|Dezem")
_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*\Z")
_NUMBER = re.compile(r"\s*(?:[0-9０-９]{1,3}|[IVXivx]+)\Z")
NEVER = """mr mrs ms dr prof st sr sra dra ud hr fr gen col capt sgt lt maj rev hon gov sen rep messrs mt vs cf viz al
ca approx est dept univ assn bros jan feb mar apr jun jul aug sep sept oct nov dec fig figs eq eqs ref refs ed eds trans
vol vols inc ltd co corp"""
"""Abbreviations that seldom end a sentence."""
NUMBERED = "no nos nr p pp art sec ch chap"
"""Abbreviations before a number, words elsewhere."""
_NEVER, _NUMBERED = frozenset(NEVER.split()), frozenset(NUMBERED.split())


def sentence_ends(text: str) -> NDArray[np.int32]:
    """Code points of the text up to the end of each sentence, ascending; the last is the length of the text."""
    ends: list[int] = []
    before = 0
    for end in _candidates(text):
        if not text[before:end].isspace():
            ends.append(end)
            before = end
    if text and text[before:].isspace() and ends:
        ends.pop()
    if text and ends[-1:] != [len(text)]:
        ends.append(len(text))
    return np.array(ends, np.int32)


def _candidates(text: str) -> Iterator[int]:
    start = 0
    for match in _BREAK.finditer(text):
        if match.end() < len(text) and not _is_wrapped(text, start, match):
            yield from _inner_ends(text, start, match.start())
            yield match.end()
            start = match.end()
    yield from _inner_ends(text, start, len(text))


def _is_wrapped(text: str, start: int, match: re.Match[str]) -> bool:
    if match[0] not in ("\n", "\r\n"):
        return False
    line = text[max(start, text.rfind("\n", start, match.start()) + 1) : match.start()]
    last, after = line[-1:], text[match.end()]
    if last in ("、", "，", ","):
        return not after.isspace()
    return len(line) >= WRAPPED and after.islower() and not _MARKS.match(last)


def _inner_ends(text: str, start: int, stop: int) -> Iterator[int]:
    """Ends of sentences inside a paragraph, which is ``text[start:stop]``; its own end is not among them."""
    marks = list(_MARKS.finditer(text, start, stop))
    closed = _protected(text, start, stop) if marks else []
    openings = [opening for opening, _ in closed]
    last = start + len(text[start:stop].rstrip())
    begin, seen, quotes = start, start, 0
    for match in marks:
        quotes += text.count('"', seen, match.start(2))
        end = _behind_closers(match, quotes)
        seen = match.start(2)
        around = bisect_left(openings, end) - 1
        inside = around >= 0 and end <= closed[around][1]
        if end < last and not inside and _is_end(text, begin, match, end):
            yield end
            begin = end


def _behind_closers(match: re.Match[str], quotes: int) -> int:
    """The end of what closes behind the marks; a straight quote closes only if one was open."""
    at = match[2].find('"')
    return match.end() if at < 0 or quotes % 2 else match.start(2) + at


def _protected(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    """(opening, closing) of the outermost brackets whose inside is not looked at, in order."""
    waiting: dict[str, list[int]] = {closing: [] for closing in _PAIRS.values()}
    found = []
    for match in _BRACKETS.finditer(text, start, stop):
        if match[0] in _PAIRS:
            waiting[_PAIRS[match[0]]].append(match.start())
        elif waiting[match[0]]:
            opening = waiting[match[0]].pop()
            if match.start() - opening <= PROTECTED:
                found.append((opening, match.start()))
    outermost: list[tuple[int, int]] = []
    for opening, closing in sorted(found):
        if not outermost or closing > outermost[-1][1]:
            outermost.append((opening, closing))
    return outermost


def _is_end(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    marks, after = match[1], text[end]
    rest = text[end : end + 8].lstrip()
    if end > match.end(1) and _is_hiragana(after):
        return False
    if not _FULL.isdisjoint(marks):
        return True
    if not _LOUD.isdisjoint(marks):
        return not _SAYING.match(text, end)
    if rest[:1].islower():
        return False
    spaced = after.isspace()
    if not _DOTS.isdisjoint(marks) or marks.count(".") > 1:
        return spaced
    beside_wide = _is_wide(after) and not _SAYING.match(text, end)
    if marks[-1] in "!?":
        return spaced or beside_wide
    if match.start() - begin <= NUMBER and _NUMBER.match(text[begin : match.start()]):
        return False
    if marks == "．":
        return spaced or (beside_wide and not after.isdigit())
    if not spaced:
        return beside_wide and _is_wide(text[match.start() - 1 : match.start()])
    if _MONTH.match(rest) and _DAY.search(text[max(begin, match.start() - 3) : match.start()]):
        return False
    return not _is_abbreviation(text[max(begin, match.start() - 24) : match.start()], rest)


def _is_abbreviation(before: str, rest: str) -> bool:
    found = _WORD.search(before)
    if not found:
        return False
    word = found[0]
    if word.lower() in _NUMBERED:
        return rest[:1].isdigit()
    return "." in word or (len(word) == 1 and word != "I" and not _is_wide(word)) or word.lower() in _NEVER


def _is_hiragana(character: str) -> bool:
    return "\u3041" <= character <= "\u309f"


def _is_wide(character: str) -> bool:
    """Whether a character is of the scripts that write sentences without spaces: Han, kana, their punctuation."""
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\uffef" or character >= "\U00020000"
