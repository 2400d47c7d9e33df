"""Values of a tag's attributes, as the page's author meant them."""

import re

from corpusforge.extract.markup import ATTRIBUTES, TAG_END, Markup
from corpusforge.text.references import unescaped_value

MOST_CHARACTERS = 2000
"""Characters of a value; what is longer is not read."""

_PAIR = re.compile(
    rb"""([^\s"'<>/=]{1,60})\s{0,9}=\s{0,9}(?:"([^"]{0,2000})"|'([^']{0,2000})'|([^\s"'=<>`][^\s"'<>`]{0,1999}))"""
)


def values_of(markup: Markup, row: int) -> dict[str, str]:
    """Attributes of the tag in a row of ``markup.tags`` by name in small letters, white space collapsed; of a name that
    is given twice the first counts."""
    tag = markup.html[markup.tags[row, ATTRIBUTES] : markup.tags[row, TAG_END]].tobytes()
    found: dict[str, str] = {}
    for name, double, single, bare in _PAIR.findall(tag):
        value = (double or single or bare).decode("utf-8", "replace")
        found.setdefault(name.decode("utf-8", "replace").lower(), " ".join(unescaped_value(value).split()))
    return found
