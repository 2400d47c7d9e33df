"""Main text of a page by our own model."""

import re
from dataclasses import dataclass
from html import unescape

import numpy as np
import numpy.typing as npt

from corpusforge.extract.blocks import IN_LINKS, WIDTH, WORDS
from corpusforge.extract.markup import ATTRIBUTES, TAG_END
from corpusforge.extract.network import TYPES, Network
from corpusforge.extract.page import Page, read_page
from corpusforge.extract.tags import BLOCK, KINDS, NAMES

MODEL = "extractor.npz"
THRESHOLD = 102
"""Probability in 1/255 from which on a block is main text: .40, chosen on held-out development pages; from .30 to .50
the score hardly changes."""
PATH_ELEMENTS, NAME_CHARACTERS = 4, 24

_CLASS = re.compile(rb"""\sclass\s*=\s*(?:"\s*([^"\s]+)|'\s*([^'\s]+)|([^"'\s>]+))""", re.IGNORECASE)
_DIGITS = re.compile("[0-9]+")


@dataclass(frozen=True)
class Line:
    """A line of the text: where its block hangs in the page, the share of it in links and its probability, in 1/255."""

    text: str
    path: str
    links: int
    score: int


@dataclass(frozen=True)
class Extracted:
    """What was taken from a page: lines, the page's title, what kind of page it is, and how sure that is, 0 to 1."""

    lines: list[Line]
    title: str
    kind: str
    confidence: float

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def extract(html: bytes, network: Network, threshold: int = THRESHOLD) -> Extracted:
    """The main text of UTF-8 HTML."""
    return extracted(read_page(html), network, threshold)


def extracted(page: Page, network: Network, threshold: int = THRESHOLD) -> Extracted:
    """The main text of a page that was read."""
    chances, types = network(page.features(network.words))
    chosen = np.flatnonzero(chances >= threshold)
    title = " ".join(unescape(page.title.tobytes().decode("utf-8", "replace")).split())
    return Extracted(
        [line for number in chosen.tolist() for line in _lines(page, number, int(chances[number]))],
        title,
        TYPES[int(types.argmax())] if len(chances) else "",
        confidence(page.blocks.measures[:, WORDS], chances, threshold),
    )


def confidence(words: npt.NDArray[np.int32], chances: npt.NDArray[np.uint8], threshold: int = THRESHOLD) -> float:
    """The F1 that the chosen blocks have if each block is main text as often as its probability says."""
    chosen = chances >= threshold
    expected = float((words * (chances / 255.0)).sum())
    right = float((words * (chances / 255.0))[chosen].sum())
    both = float(words[chosen].sum()) + expected
    return 2 * right / both if both else 0.0


def _lines(page: Page, number: int, score: int) -> list[Line]:
    blocks = page.blocks
    data = blocks.text[blocks.start[number] : blocks.end[number]].tobytes()
    text = data.decode("utf-8", "replace")
    text = unescape(text) if "&" in text else text
    measured = blocks.measures[number]
    links = int(255 * measured[IN_LINKS] // max(measured[WIDTH], 1))
    where = path(page, int(page.tree.block[blocks.element[number]]))
    lines = (line.rstrip() for line in text.split("\n"))
    return [Line(line, where, links, score) for line in lines if line.strip()]


def path(page: Page, element: int) -> str:
    """The nearest elements that break text, by name and first class, digits as 0: ``div.post>div.entry-0>p``."""
    names: list[str] = []
    tree = page.tree
    while element > 0 and len(names) < PATH_ELEMENTS:
        if KINDS[tree.element[element]] & BLOCK:
            names.append(_name(page, element))
        element = int(tree.parent[element])
    return ">".join(reversed(names))


def _name(page: Page, element: int) -> str:
    row = page.markup.tags[page.tree.tag[element]]
    found = _CLASS.search(page.markup.html[row[ATTRIBUTES] : row[TAG_END]].tobytes())
    first = next((part for part in found.groups() if part), b"").decode("utf-8", "replace") if found else ""
    name = NAMES[page.tree.element[element]]
    return (f"{name}.{_DIGITS.sub('0', first)}" if first else name)[:NAME_CHARACTERS]
