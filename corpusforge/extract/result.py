"""What an engine gives for a page."""

from dataclasses import dataclass

import numpy as np

from corpusforge.text.block_ranges import Blocks


@dataclass(frozen=True)
class Lines:
    """Lines of a text, and for each where its block hangs in the page, the share of it in links and its probability,
    both in 1/255."""

    texts: list[str]
    paths: list[str]
    links: list[int]
    scores: list[int]

    @classmethod
    def at(cls, path: str, score: int, texts: list[str]) -> "Lines":
        """Lines of one place, without links."""
        return cls(texts, [path] * len(texts), [0] * len(texts), [score] * len(texts))

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    @property
    def blocks(self) -> Blocks:
        """One for each line, but for the empty ones of code."""
        sizes = np.array([len(text) for text in self.texts], np.int64)
        ends = np.cumsum(sizes + 1) - 1
        columns = (self.paths, (ends - sizes).tolist(), ends.tolist(), self.links, self.scores)
        if all(self.texts):
            return Blocks(*columns)
        return Blocks(*([value for value, text in zip(column, self.texts, strict=True) if text] for column in columns))


@dataclass(frozen=True)
class Result:
    """The main text, one paragraph a line, or None with the reason to ``drop`` the page.

    ``blocks`` is one for every line: path, offsets in characters, links and score in 1/255 (255 where an engine has
    none). ``confidence`` (0 to 1), ``page_type``, ``author``, ``published``, ``declared_lang`` and ``comments`` come
    from engines that tell them.
    """

    text: str | None
    title: str | None = None
    blocks: Blocks | None = None
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
