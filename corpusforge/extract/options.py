"""What is written of a page besides its plain main text."""

from dataclasses import dataclass
from typing import Literal

Rule = Literal["model", "keep", "drop"]
"""Whether parts of one kind are main text: as the model says, always beside main text, or never."""


@dataclass(frozen=True)
class Options:
    """``markdown`` marks headings, lists, tables, code and quotes; ``links`` and ``images`` write addresses in the
    text, made absolute with ``url``. ``title_heading``, ``byline`` and ``captions`` say whether these are main text.
    ``comments`` asks for the comments of readers."""

    markdown: bool = False
    links: bool = False
    images: bool = False
    title_heading: Rule = "model"
    byline: Rule = "model"
    captions: Rule = "model"
    comments: bool = False
    url: str = ""

    @property
    def is_marked_up(self) -> bool:
        """Whether text is written with any marks."""
        return self.markdown or self.links or self.images


PLAIN = Options()
