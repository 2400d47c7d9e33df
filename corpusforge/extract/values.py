"""Values of a tag's attributes, as the page's author meant them."""

import re

from corpusforge.extract.markup import ATTRIBUTES, TAG_END, Markup
from corpusforge.text.references import unescaped_value

MOST_BYTES = 2000
"""Bytes of a value; one that is longer counts as empty."""

_PAIR = re.compile(rb"""([^\s"'<>/=]{1,60})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`][^\s"'<>`]*))""")


def values_of(markup: Markup, row: int) -> dict[str, str]:
    """Attributes of the tag in a row of ``markup.tags`` by name in small letters, white space collapsed; of a name that
    is given twice the first counts."""
    tag = markup.html[markup.tags[row, ATTRIBUTES] : markup.tags[row, TAG_END]].tobytes()
    found: dict[str, str] = {}
    for name, double, single, bare in _PAIR.findall(tag):
        data = double or single or bare
        value = data.decode("utf-8", "replace") if len(data) <= MOST_BYTES else ""
        found.setdefault(name.decode("utf-8", "replace").lower(), " ".join(unescaped_value(value).split()))
    return found
