"""Main text of a page by our own model."""

import re
from dataclasses import dataclass
from html import unescape

import numpy as np
import numpy.typing as npt
from numba import njit

from corpusforge.extract.blocks import IN_LINKS, WIDTH, WORDS
from corpusforge.extract.markup import ATTRIBUTES, TAG_END
from corpusforge.extract.network import TYPES, Network
from corpusforge.extract.page import Page, read_page
from corpusforge.extract.tags import NAMES
from corpusforge.extract.tree import Places

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
        _lines(page, chosen, chances[chosen]),
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


def _lines(page: Page, chosen: npt.NDArray[np.intp], scores: npt.NDArray[np.uint8]) -> list[Line]:
    blocks, found = page.blocks, list[Line]()
    data = blocks.text.tobytes()
    links = 255 * blocks.measures[chosen, IN_LINKS] // np.maximum(blocks.measures[chosen, WIDTH], 1)
    columns = (blocks.start[chosen].tolist(), blocks.end[chosen].tolist(), links.tolist(), scores.tolist())
    for path, start, end, in_links, score in zip(paths(page, blocks.element[chosen]), *columns, strict=True):
        text = data[start:end].decode("utf-8", "replace")
        text = unescape(text) if "&" in text else text
        lines = (line.rstrip() for line in text.split("\n"))
        found += (Line(line, path, in_links, score) for line in lines if line)
    return found


def paths(page: Page, elements: Places) -> list[str]:
    """Where elements hang: the nearest ones that break text, by name and first class, digits as 0, such as
    ``div.post>div.entry-0>p``."""
    rows = _around(page.tree.parent, page.tree.block, elements, PATH_ELEMENTS)
    names = {element: _name(page, element) for element in np.unique(rows).tolist()}
    return [">".join(names[element] for element in row if element) for row in rows.tolist()]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _around(parent: Places, block: Places, elements: Places, most: int) -> Places:
    """The nearest ``most`` elements around each one that break text, the outermost first; 0 where there are fewer."""
    found = np.zeros((len(elements), most), np.int32)
    for row in range(len(elements)):
        element = block[elements[row]]
        for place in range(most):
            found[row, most - 1 - place] = element
            if element > 0:
                element = block[parent[element]]
    return found


def _name(page: Page, element: int) -> str:
    row = page.markup.tags[page.tree.tag[element]]
    found = _CLASS.search(page.markup.html[row[ATTRIBUTES] : row[TAG_END]].tobytes())
    name = NAMES[page.tree.element[element]]
    if not found:
        return name
    first = (found[1] or found[2] or found[3] or b"").decode("utf-8", "replace")
    return f"{name}.{_DIGITS.sub('0', first)}"[:NAME_CHARACTERS] if first else name
