"""Which blocks of a page are taken: those that the model says, and kinds of parts that are always or never wanted."""

import numpy as np
import numpy.typing as npt

from corpusforge.extract.attributes import NOT_SHOWN, property_hash
from corpusforge.extract.blocks import IN_LINKS, WIDTH, WORDS
from corpusforge.extract.headings import title_overlap
from corpusforge.extract.options import Options, Rule
from corpusforge.extract.page import Page
from corpusforge.extract.surroundings import HEADING_LEVEL
from corpusforge.extract.tags import NUMBERS, Hashes, name_hash
from corpusforge.extract.tree import Places
from corpusforge.kernels import compiled

Flags = npt.NDArray[np.bool_]

BYLINE_WIDTH = 200
"""Width from which on a block is more than a byline."""
BYLINE_AWAY = 6
"""Blocks between a byline and the main text it belongs to."""
COMMENT_WIDTH = 20
"""Width outside of links that a comment has at least."""
REPEATED_WIDTH = 160
"""Width from which on a block that stands on the page twice is a copy; shorter lines are repeated for a reason. On held
out pages of WCXB it gains .003 of F1, on manuals that repeat their notes it costs up to .003."""
COPY_BYTES, PIECES, PIECE_BYTES, COPIED_SHARE = 4000, 32, 48, 0.6
"""A block of so many bytes is a copy if this share of so many pieces of it stands before it; the others may lie across
the ends of paragraphs."""
UNSEEN_SHARE, COMMENTS_SHARE = 0.1, 0.3
"""Shares of the words of main text up to which it is without what is not displayed, and without comments: on pages with
truth neither changes the F1 of a set by more than .0012 (the first would without a limit: scripts show articles)."""

_BYLINE, _COMMENTS = (
    np.array([hash_of(name) for name in names.split() for hash_of in (name_hash, property_hash)], np.uint32)
    for names in ("byline author authors dateline", "comments commentlist disqus")
)
"""What people call such parts in classes, ids, roles and properties, whatever language the page is in."""
_MENU = np.array([property_hash("navigation")], np.uint32)
_CAPTIONS = [NUMBERS[name] for name in ("figcaption", "caption")]
_IDLE = [NUMBERS[name] for name in ("form", "button", "nav", "label")]


def chosen_blocks(page: Page, main: Flags, options: Options) -> Flags:
    """``main`` without what nobody sees, links of menus, what readers wrote below it and what it says twice, with the
    parts that the options keep beside main text, and without those that they drop."""
    main = main & ~_minor(page, main, unseen(page), UNSEEN_SHARE) & ~menu_links(page)
    main &= ~_minor(page, main, commented(page), COMMENTS_SHARE)
    main &= ~repeated(page, main)
    chosen = main.copy()
    for rule, part, away in (
        (options.captions, captions, 1),
        (options.byline, bylines, BYLINE_AWAY),
        (options.title_heading, title_heading, len(main)),
    ):
        if rule != "model":
            _apply(chosen, main, part(page), rule, away)
    return chosen


def _minor(page: Page, main: Flags, part: Flags, share: float) -> Flags:
    """The part, if less than a share of the words of main text is in it: what holds more is the page itself, which a
    script is to show, or the posts of a forum."""
    words = page.blocks.measures[:, WORDS]
    is_minor = words[main & part].sum() < share * words[main].sum()
    return part if is_minor else np.zeros_like(part)


def _apply(chosen: Flags, main: Flags, part: Flags, rule: Rule, away: int) -> None:
    chosen[part] = False
    if rule == "keep":
        chosen |= part & _near(main & ~part, away)


def _near(main: Flags, away: int) -> Flags:
    """Blocks with main text at most so many blocks away."""
    places = np.flatnonzero(main)
    if not len(places):
        return main
    here = np.arange(len(main))
    after = places[np.minimum(np.searchsorted(places, here), len(places) - 1)]
    before = places[np.maximum(np.searchsorted(places, here, "right") - 1, 0)]
    near: Flags = np.minimum(abs(after - here), abs(here - before)) <= away
    return near


def captions(page: Page) -> Flags:
    """Blocks in captions of figures and tables."""
    return _of_blocks(page, _inside(page.tree.parent, np.isin(page.tree.element, _CAPTIONS)))


def bylines(page: Page) -> Flags:
    """Short blocks in elements that are named as bylines."""
    named = _inside(page.tree.parent, _named(page, _BYLINE))
    found: Flags = _of_blocks(page, named) & (page.blocks.measures[:, WIDTH] < BYLINE_WIDTH)
    return found


def title_heading(page: Page) -> Flags:
    """The heading that says the page's title best, if there is one."""
    found = np.zeros(len(page.blocks), np.bool_)
    level = HEADING_LEVEL[page.tree.element[page.tree.block[page.blocks.element]]]
    _, heading = title_overlap(page.blocks, level, page.title)
    if heading >= 0:
        found[heading] = True
    return found


def menu_links(page: Page) -> Flags:
    """Blocks in a ``<nav>`` or ``role="navigation"`` that are links and nothing else; on held-out pages that was right
    for 68 of 71."""
    measures = page.blocks.measures
    found: Flags = measures[:, IN_LINKS] >= measures[:, WIDTH]
    menus = (page.tree.element == NUMBERS["nav"]) | _named(page, _MENU)
    return found & _of_blocks(page, _inside(page.tree.parent, menus))


def unseen(page: Page) -> Flags:
    """Blocks that are not displayed unless a script does it."""
    return _of_blocks(page, _inside(page.tree.parent, (page.attributes.flags & NOT_SHOWN) != 0))


def repeated(page: Page, main: Flags) -> Flags:
    """Blocks of main text that say again what it has said: copies for another screen, for those without scripts or
    without a subscription, paragraph by paragraph or all in one."""
    data, found = page.blocks.text.tobytes(), np.zeros_like(main)
    said: set[bytes] = set()
    for number in np.flatnonzero(main & (page.blocks.measures[:, WIDTH] >= REPEATED_WIDTH)).tolist():
        start, end = int(page.blocks.start[number]), int(page.blocks.end[number])
        text = data[start:end]
        found[number] = text in said or (len(text) >= COPY_BYTES and _is_copied(text, data[:start]))
        said.add(text)
    return found


def _is_copied(text: bytes, before: bytes) -> bool:
    """Whether nearly all of some pieces of a text stand before it."""
    pieces = [text[at : at + PIECE_BYTES] for at in range(0, len(text) - PIECE_BYTES, len(text) // PIECES)]
    return sum(piece in before for piece in pieces) >= COPIED_SHARE * len(pieces)


def commented(page: Page) -> Flags:
    """Blocks in elements that are named after comments."""
    return _of_blocks(page, _inside(page.tree.parent, _named(page, _COMMENTS)))


def comments(page: Page, chosen: Flags) -> Flags:
    """Blocks that readers wrote below the ``chosen`` ones; what holds chosen ones is named so for another reason."""
    tree, measures = page.tree, page.blocks.measures
    named = _named(page, _COMMENTS) & ~_around(tree.parent, page.blocks.element[chosen])
    below = _inside(tree.parent, named) & ~_inside(tree.parent, np.isin(tree.element, _IDLE))
    is_heading = HEADING_LEVEL[tree.element[tree.block[page.blocks.element]]] > 0
    is_wide = measures[:, WIDTH] - 2 * measures[:, IN_LINKS] >= COMMENT_WIDTH
    found: Flags = _of_blocks(page, below) & is_wide & ~is_heading & ~chosen
    return found


def _of_blocks(page: Page, elements: Flags) -> Flags:
    found: Flags = elements[page.blocks.element]
    return found


def _named(page: Page, names: Hashes) -> Flags:
    return _having(page.attributes.words, page.attributes.first, names)


@compiled
def _having(words: Hashes, first: Places, names: Hashes) -> Flags:
    """Which elements have a word that is one of a few names."""
    found = np.zeros(len(first) - 1, np.bool_)
    for element in range(len(found)):
        for place in range(first[element], first[element + 1]):
            for name in names:
                if words[place] == name:
                    found[element] = True
    return found


@compiled
def _inside(parent: Places, wanted: Flags) -> Flags:
    """Which elements are wanted or in one that is."""
    found = wanted.copy()
    for element in range(1, len(parent)):
        found[element] |= found[parent[element]]
    return found


@compiled
def _around(parent: Places, elements: Places) -> Flags:
    """Which elements are among these or around one of them."""
    found = np.zeros(len(parent), np.bool_)
    for element in elements:
        while element >= 0 and not found[element]:
            found[element] = True
            element = parent[element]
    return found
