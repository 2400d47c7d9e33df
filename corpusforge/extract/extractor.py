"""Main text of a page by our own model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from corpusforge.extract.blocks import IN_LINKS, WIDTH, WORDS
from corpusforge.extract.characters import decoded, lines_of
from corpusforge.extract.choice import chosen_blocks, comments
from corpusforge.extract.inline import Inline
from corpusforge.extract.markdown import Markdown, Piece
from corpusforge.extract.markup import ATTRIBUTES, TAG_END
from corpusforge.extract.network import TYPES, Network
from corpusforge.extract.options import PLAIN, Options
from corpusforge.extract.page import Page, read_page
from corpusforge.extract.result import Lines
from corpusforge.extract.tags import NAMES
from corpusforge.extract.tree import IN_PREFORMATTED, Places
from corpusforge.kernels import compiled

MODEL = "extractor.npz"
THRESHOLD = 102
"""Probability in 1/255 from which on a block is main text: .40, chosen on held-out development pages; from .30 to .50
the score hardly changes."""
Numbers = npt.NDArray[np.intp]
Text = tuple[str, int]
"""A line of text and the number of its block."""
FEW_BLOCKS, LEAST_WIDTH = 4, 4
"""Blocks up to which a page without main text is taken as it stands, and what it must have to say."""
PATH_ELEMENTS, NAME_CHARACTERS = 4, 24
CLASS_BYTES = 64
"""Bytes of a class up to which the name made of it is remembered."""

_CLASS = re.compile(rb"""\sclass\s*=\s*(?:"\s*([^"\s]+)|'\s*([^'\s]+)|([^"'\s>]+))""", re.IGNORECASE)
_DIGITS = re.compile("[0-9]+")


@dataclass(frozen=True)
class Extracted:
    """What was taken from a page: lines, the page's title, what kind of page it is, how sure that is, 0 to 1, and the
    comments of readers where they were asked for."""

    lines: Lines
    title: str
    kind: str
    confidence: float
    comments: str = ""

    @property
    def text(self) -> str:
        return self.lines.text


def extract(html: bytes, network: Network, options: Options = PLAIN) -> Extracted:
    """The main text of UTF-8 HTML."""
    return extracted(read_page(html), network, options)


def extracted(page: Page, network: Network, options: Options = PLAIN) -> Extracted:
    """The main text of a page that was read."""
    chances, types = network(page.features(network.words))
    wanted = chosen_blocks(page, chances >= THRESHOLD, options)
    chosen = np.flatnonzero(wanted)
    texts = written(page, chosen, options) if options.is_marked_up else plain(page, chosen)
    said = plain(page, np.flatnonzero(comments(page, wanted))) if options.comments else []
    return Extracted(
        _lines(page, chosen, chances, texts),
        " ".join(decoded(page.title.tobytes()).split()),
        TYPES[int(types.argmax())] if len(chances) else "",
        confidence(page.blocks.measures[:, WORDS], chances),
        "\n".join(text for text, _ in said),
    )


def short_page(page: Page) -> Lines:
    """All lines of a page of few blocks that are not links: where there is so little, it is what the page says."""
    blocks = page.blocks
    said = blocks.measures[:, WIDTH] > 2 * blocks.measures[:, IN_LINKS]
    if len(blocks) > FEW_BLOCKS or blocks.measures[said, WIDTH].sum() < LEAST_WIDTH:
        return Lines([], [], [], [])
    chosen = np.flatnonzero(said)
    return _lines(page, chosen, np.zeros(len(blocks), np.uint8), plain(page, chosen))


def confidence(words: npt.NDArray[np.int32], chances: npt.NDArray[np.uint8]) -> float:
    """The F1 that the chosen blocks have if each block is main text as often as its probability says."""
    chosen = chances >= THRESHOLD
    expected = float((words * (chances / 255.0)).sum())
    right = float((words * (chances / 255.0))[chosen].sum())
    both = float(words[chosen].sum()) + expected
    return 2 * right / both if both else 0.0


def plain(page: Page, chosen: Numbers) -> list[Text]:
    """The lines of blocks with their numbers."""
    data, found = page.blocks.text.tobytes(), list[Text]()
    places = zip(page.blocks.start[chosen].tolist(), page.blocks.end[chosen].tolist(), strict=True)
    # One call for all: no text of a page holds a zero character.
    texts = decoded(b"\0".join([data[start:end] for start, end in places])).split("\0") if len(chosen) else []
    for number, text, code in zip(chosen.tolist(), texts, _are_code(page, page.blocks.element[chosen]), strict=True):
        if "\n" in text:
            found += [(line, number) for line in lines_of(text, code)]
        elif line := text.rstrip() if code else text.rstrip().lstrip(" "):
            found.append((line, number))
    return found


def _are_code(page: Page, elements: Places) -> list[bool]:
    """Whether the lines in elements keep their blanks."""
    found: list[bool] = ((page.tree.inherited[elements] & IN_PREFORMATTED) > 0).tolist()
    return found


def written(page: Page, chosen: Numbers, options: Options) -> list[Text]:
    """The lines of blocks with marks, and the images between them."""
    inline, pieces = Inline(page, chosen, options), list[Piece]()
    holders = page.tree.block[page.blocks.element]
    for number in chosen.tolist():
        if pieces and pieces[-1].number == number - 1:
            pieces += (Piece(image.mark, number, image.element) for image in inline.before(number))
        pieces.append(Piece(inline.text(number), number, int(holders[number])))
    if options.markdown:
        return list(Markdown(page, pieces).lines())
    is_code = _are_code(page, np.array([piece.element for piece in pieces], np.intp))
    its = zip(pieces, is_code, strict=True)
    return [(line, piece.number) for piece, code in its for line in lines_of(piece.text, code)]


def _lines(page: Page, chosen: Numbers, chances: npt.NDArray[np.uint8], texts: Sequence[Text]) -> Lines:
    measures = page.blocks.measures[chosen]
    links = 255 * measures[:, IN_LINKS] // np.maximum(measures[:, WIDTH], 1)
    hangs = paths(page, page.blocks.element[chosen])
    at = np.searchsorted(chosen, np.array([number for _, number in texts], np.intp))
    columns = [hangs[place] for place in at.tolist()], links[at].tolist(), chances[chosen][at].tolist()
    return Lines([text for text, _ in texts], *columns)


def paths(page: Page, elements: Places) -> list[str]:
    """Where elements hang: the nearest ones that break text, by name and first class, digits as 0, such as
    ``div.post>div.entry-0>p``."""
    rows = _around(page.tree.parent, page.tree.block, elements, PATH_ELEMENTS)
    names = _names(page, np.unique(rows[rows > 0]))
    return [">".join([names[element] for element in row if element]) for row in rows.tolist()]


@compiled
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


def _names(page: Page, elements: Places) -> dict[int, str]:
    """The name and first class of each element."""
    html, tags = page.markup.html.data, page.markup.tags[page.tree.tag[elements]]
    columns = (elements, page.tree.element[elements], tags[:, ATTRIBUTES], tags[:, TAG_END])
    found = {}
    for element, number, start, end in zip(*(column.tolist() for column in columns), strict=True):
        given = _CLASS.search(html, start, end) if end - start > 1 else None
        first = (given[1] or given[2] or given[3] or b"") if given else b""
        found[element] = (_known_name if len(first) <= CLASS_BYTES else _name)(number, first)
    return found


def _name(element: int, first: bytes) -> str:
    """The name of an element whose first class is given, as it stands in a path."""
    name = NAMES[element]
    return f"{name}.{_DIGITS.sub('0', first.decode('utf-8', 'replace'))}"[:NAME_CHARACTERS] if first else name


_known_name = lru_cache(1 << 14)(_name)
