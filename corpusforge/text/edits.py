"""Changes of a text, recorded so that they can be taken back.

A stage's edits are kept from the last place to the first: each one's offsets then hold both in the text that the stage
saw and in the text at the moment of the edit, and replaying the whole list backwards needs no grouping.
"""

from collections.abc import Iterable, Sequence
from typing import TypedDict


class Edit(TypedDict):
    """One change; offsets in code points of the text that the stage saw."""

    stage: str
    start: int
    end: int
    removed: str
    put: str


def apply(stage: str, text: str, changes: Iterable[tuple[int, int, str]]) -> tuple[str, list[Edit]]:
    """Replace ranges ``(start, end, put)`` that do not overlap; give the new text and the edits, last place first."""
    edits: list[Edit] = []
    for start, end, put in sorted(changes, reverse=True):
        edits.append(Edit(stage=stage, start=start, end=end, removed=text[start:end], put=put))
    pieces: list[str] = []
    position = 0
    for edit in reversed(edits):
        if edit["start"] < position:
            raise ValueError(f"{stage} changes {edit['start']}-{edit['end']}, which overlaps what stands before it")
        pieces += (text[position : edit["start"]], edit["put"])
        position = edit["end"]
    return "".join([*pieces, text[position:]]), edits


def replay(text: str, edits: Sequence[Edit]) -> str:
    """The text as it was before the edits: what the extraction pass wrote, if all of them are given."""
    for edit in reversed(edits):
        start = edit["start"]
        text = text[:start] + edit["removed"] + text[start + len(edit["put"]) :]
    return text
