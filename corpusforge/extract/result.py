"""What an engine gives for a page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from corpusforge.text.block_ranges import Block


class Line(NamedTuple):
    """A line of the text: where its block hangs in the page, the share of it in links and its probability, in 1/255."""

    text: str
    path: str
    links: int
    score: int


@dataclass(frozen=True)
class Result:
    """The main text, one paragraph a line, or None with the reason to ``drop`` the page.

    ``blocks`` is one for every line: path, offsets in characters, links and score in 1/255 (255 where an engine has
    none). ``confidence`` (0 to 1), ``page_type``, ``author``, ``published``, ``declared_lang`` and ``comments`` come
    from engines that tell them.
    """

    text: str | None
    title: str | None = None
    blocks: list[Block] | None = None
    drop: str | None = None
    confidence: float | None = None
    page_type: str | None = None
    author: str | None = None
    published: str | None = None
    declared_lang: str | None = None
    comments: str | None = None


def dropped(reason: str) -> Result:
    """No text, for a reason."""
    return Result(None, drop=reason)


def blocks_of(lines: Iterable[Line]) -> list[Block]:
    """One for each line, but for the empty ones of code."""
    blocks, start = [], 0
    for line in lines:
        end = start + len(line.text)
        if end > start:
            blocks.append(Block(line.path, start, end, line.links, line.score))
        start = end + 1
    return blocks
