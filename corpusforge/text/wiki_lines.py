"""From rendered wikitext to lines: marks of headings, lists and gaps are resolved, what is left empty goes."""

import re

GAP, HEADING, LIST = "\x01", "\x02", "\x03"
"""Where a template was; before the level of a heading and its text; before an item of a list."""
SIGNS = r"\s、,;，；:：・/"
EMPTY_BRACKETS = re.compile(rf"[ \u3000]?[(（](?=[^()（）]*{GAP})[{SIGNS}{GAP}]{{0,40}}[)）]")
AFTER_OPEN = re.compile(rf"([(（])(?=[{SIGNS}]{{0,9}}{GAP})[{SIGNS}{GAP}]{{1,40}}")
BEFORE_CLOSE = re.compile(rf"[{SIGNS}]{{0,9}}{GAP}[{SIGNS}{GAP}]{{0,40}}([)）])")
SPACES = re.compile(rf"(?<=[ \u3000]){GAP}+[ \u3000]+|(?<=\n){GAP}+[ \u3000]+")
BULLET = re.compile(rf"[ \t]{{0,9}}{LIST}[\s{LIST}{GAP}]*")
BLANKS = re.compile(r"\n{3,}")


def lines_of(text: str) -> str:
    """The text, with at most one blank line between lines and none at its ends."""
    if GAP in text:
        for pattern, put in ((EMPTY_BRACKETS, ""), (AFTER_OPEN, r"\1"), (BEFORE_CLOSE, r"\1"), (SPACES, "")):
            text = pattern.sub(put, text)
    lines = [_line(line) for line in text.split("\n")]
    return BLANKS.sub("\n\n", "\n".join(_with_content(lines))).strip("\n")


def _line(line: str) -> str | None:
    """A line without marks, but that of a heading; None for one that held nothing but a gap or a list's mark."""
    if line.startswith(HEADING):
        return line.replace(GAP, "").replace(LIST, "").rstrip()
    marked = GAP in line or LIST in line
    line = BULLET.sub("- ", line, count=1).replace(GAP, "").replace(LIST, "").replace(HEADING, "").rstrip()
    return None if marked and line.strip(" -") == "" else line


def _with_content(lines: list[str | None]) -> list[str]:
    """The lines there are, headings without those that nothing stands under."""
    kept: list[str] = []
    below = 0
    for line in reversed(lines):
        if line is None:
            continue
        if not line.startswith(HEADING):
            kept.append(line)
            below = 9 if line.strip() else below
            continue
        level = int(line[1])
        if below > level and line[2:].strip():
            kept += [line[2:].strip(), ""]
            below = level
    return kept[::-1]
