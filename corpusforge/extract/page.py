"""A page as the extractor sees it, from bytes to blocks with features."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from corpusforge.extract.attributes import Attributes, read_attributes
from corpusforge.extract.blocks import Blocks, read_blocks
from corpusforge.extract.characters import decoded
from corpusforge.extract.features import features
from corpusforge.extract.markup import ELEMENT, END, KIND, OPEN, TAG_END, Markup, read_markup
from corpusforge.extract.surroundings import Floats, Surroundings, read_surroundings
from corpusforge.extract.tags import NUMBERS, Bytes
from corpusforge.extract.tree import Tree, read_tree


@dataclass(frozen=True)
class Page:
    """A page of UTF-8 HTML, read: its tags, tree, attributes and blocks."""

    markup: Markup
    tree: Tree
    attributes: Attributes
    blocks: Blocks

    @cached_property
    def title(self) -> Bytes:
        """The bytes of the first ``<title>``, as they stand."""
        tags = self.markup.tags
        titles = np.flatnonzero((tags[:, ELEMENT] == NUMBERS["title"]) & (tags[:, KIND] == OPEN))
        if not len(titles):
            return self.markup.html[:0]
        row = tags[titles[0]]
        content = self.markup.html[row[TAG_END] : row[END]]
        end = content.tobytes().rfind(b"</")
        return content[:end] if end >= 0 else content

    def texts(self) -> list[str]:
        """The text of each block."""
        data = self.blocks.text.tobytes()
        places = zip(self.blocks.start.tolist(), self.blocks.end.tolist(), strict=True)
        return [decoded(data[start:end]) for start, end in places]

    def surroundings(self, words: Floats) -> Surroundings:
        return read_surroundings(self.tree, self.attributes, self.blocks, words)

    def features(self, words: Floats) -> npt.NDArray[np.float32]:
        """The features of its blocks; ``words`` are the scores of names."""
        around = self.surroundings(words)
        return features(self.markup, self.tree, self.attributes, self.blocks, around, self.title)


def read_page(html: bytes) -> Page:
    """Read UTF-8 HTML of less than 2 GiB, whatever it is."""
    markup = read_markup(html)
    tree = read_tree(markup)
    return Page(markup, tree, read_attributes(markup, tree), read_blocks(markup, tree))
