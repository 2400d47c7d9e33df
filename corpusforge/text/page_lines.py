"""The text of a page as lines, as a reader of its source would find them: everything, menus and footers too."""

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

SILENT = ("head", "script", "style", "noscript", "template", "svg", "textarea")
"""Elements whose content is no text of the page."""
INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd"),
    *("label", "mark", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup"),
    *("time", "tt", "u", "var", "wbr"),
}
"""Elements that begin no line."""


def page_lines(html: bytes) -> list[str]:
    """The lines of UTF-8 HTML, white space collapsed, empty ones left out; none where it cannot be parsed."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = document_fromstring(html, parser=parser)
    except (etree.LxmlError, ValueError):
        return []
    for element in tree.xpath("|".join(f"//{name}" for name in SILENT)):
        element.text, tail = None, element.tail
        del element[:]
        element.tail = tail
    pieces: list[str] = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if element.tag not in INLINE:
            pieces.append("\n")
        text = element.text if event == "start" else element.tail
        pieces.append(" ".join((text or "").split("\n")))
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return [line for line in lines if line]
