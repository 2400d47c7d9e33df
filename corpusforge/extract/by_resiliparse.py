"""Main text by resiliparse, which is fast and keeps more than it should."""

from corpusforge.extract.result import Lines, Result, dropped
from corpusforge.text.html import title_of

NO_SCORE = 255
NOT_INSTALLED = "resiliparse is not installed: pip install 'corpusforge[resiliparse]'"


class Resiliparse:
    """Extracts with resiliparse's ``main_content``; raises ``ModuleNotFoundError`` where it is not installed."""

    def __init__(self) -> None:
        # Only where it is used: it is an extra.
        try:
            from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415
            from resiliparse.parse.html import HTMLTree  # noqa: PLC0415
        except ImportError as error:
            raise ModuleNotFoundError(NOT_INSTALLED) from error
        self._tree, self._extract = HTMLTree, extract_plain_text

    def __call__(self, html: bytes, place: str) -> Result:
        """The main text of a page; lines have no path, which resiliparse does not tell."""
        tree = self._tree.parse(html.decode("utf-8", "replace"))
        text = self._extract(tree, main_content=True, alt_texts=False) if html.strip() else ""
        lines = Lines.at("", NO_SCORE, [line.strip() for line in text.split("\n") if line.strip()])
        if not lines:
            return dropped("no_text")
        return Result(lines.text, title_of(html) or None, lines.blocks)
