"""Texts with links and images in them (``[text](address)``) as a reader sees them: what is measured is what is said."""

import re

_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)|\]\([^()\s]*\)")


def without_addresses(text: str) -> str:
    """``[text](address)`` and ``![text](address)`` as ``text``."""
    return _LINK.sub(r"\1", text) if "](" in text else text
