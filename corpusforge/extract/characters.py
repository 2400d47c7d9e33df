"""Bytes of a page's text as characters."""

import re

from corpusforge.text.references import unescaped

SIGNS = [bytes((byte,)).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)]
"""What windows-1252 has where Unicode has the C1 controls; the HTML standard reads references to these so."""
_C1 = re.compile("[\x80-\x9f]")
_HALF = re.compile("[\ud800-\udfff]")


def decoded(data: bytes) -> str:
    """The text of UTF-8 with character references; C1 controls are read as windows-1252."""
    text = unescaped(data.decode("utf-8", "replace"))
    return text if text.isascii() else _C1.sub(lambda found: SIGNS[ord(found[0]) - 128], text)


def whole(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def lines_of(text: str, is_code: bool = False) -> list[str]:
    """The lines of a block that are not blank, without the space that a page's source has behind a break; code keeps
    its indents."""
    lines = [line.rstrip() for line in text.split("\n")]
    return [line if is_code else line.lstrip(" ") for line in lines if line]
