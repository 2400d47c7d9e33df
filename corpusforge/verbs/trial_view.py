"""A trial for people: what every stage did, the lines that were left out, and the text with its edits."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from corpusforge.text.edits import Edit
from corpusforge.verbs.trial import Step, Trial

VALUE = 60
"""Characters of a column's value that are shown."""
LEFT_OUT, LINES = 40, 80
"""Lines that are shown of what was left out, and of the text and the comments; ``--json`` has all."""
STYLES = {"kept": "", "removed": "red strike", "put": "green"}
PLAIN = {"kept": "{}", "removed": "[-{}-]", "put": "{{+{}+}}"}
"""How pieces are told apart where there are no colours."""


class Piece(NamedTuple):
    """A stretch of text: ``kept`` from the extracted text, ``removed`` from it, or ``put`` by a stage."""

    state: str
    text: str


def pieces(extracted: str, edits: Sequence[Edit]) -> list[Piece]:
    """The extracted text with its edits beside each other; without ``put`` it is that text, without ``removed`` the
    final one (what a later stage took out again of what an earlier one had put is in neither)."""
    found = [Piece("kept", extracted)]
    for edit in edits:
        found = list(_edited(found, edit))
    merged = ((state, "".join(p.text for p in run)) for state, run in groupby(found, key=lambda p: p.state))
    return [Piece(state, text) for state, text in merged if text]


def _edited(found: Sequence[Piece], edit: Edit) -> Iterator[Piece]:
    """Pieces after one edit, whose offsets count what is not removed yet."""
    at, put = 0, False
    for piece in found:
        if piece.state == "removed":
            yield piece
            continue
        start, end = (min(max(edit[side] - at, 0), len(piece.text)) for side in ("start", "end"))
        within = at <= edit["start"] <= at + len(piece.text)
        yield Piece(piece.state, piece.text[:start])
        if piece.state == "kept":
            yield Piece("removed", piece.text[start:end])
        if within and not put:
            yield Piece("put", edit["put"])
            put = True
        yield Piece(piece.state, piece.text[end:])
        at += len(piece.text)


def show_trial(console: Console, trial: Trial) -> None:
    """Print a trial."""
    for line in _lines(trial, console.is_terminal and not console.no_color):
        console.print(line, soft_wrap=True)


def _lines(trial: Trial, colour: bool) -> Iterator[Text]:
    given = trial.given
    yield Text(f"{trial.file}, record {trial.record}: {given['url'] or '(no address)'}", style="bold")
    facts = ("id", "date", "title", "charset", "charset_by", "charset_score", "damage")
    yield Text("  " + ", ".join(f"{name} {_short(given[name])}" for name in facts if given.get(name) is not None))
    for name, steps in groupby(trial.steps, key=lambda step: step.step):
        yield Text(f"pass {name}")
        yield from map(_step, steps)
    yield from _left_out(trial.left_out, colour)
    if trial.text is not None:
        key = "" if colour or not trial.edits else ", [-removed-] and {+put+} by stages"
        yield Text(f"text{key}:", style="bold")
        yield from _text(pieces(trial.extracted or "", trial.edits), colour)
    if trial.comments:
        yield Text("comments:", style="bold")
        yield from _text([Piece("kept", trial.comments)], colour)
    yield _decision(trial)


def _step(step: Step) -> Text:
    told = [f"{name} {_short(value)}" for name, value in step.wrote.items()]
    if step.edits:
        removed, put = (sum(len(edit[side]) for edit in step.edits) for side in ("removed", "put"))
        told.append(f"{len(step.edits)} edits (-{removed:,} +{put:,} characters)")
    line = Text(f"  {step.stage:20} {step.ms:9.3f} ms  {', '.join(told)}".rstrip())
    return line.append(f"  drops it: {step.drop}", style="bold red") if step.drop else line


def _left_out(lines: Sequence[str], colour: bool) -> Iterator[Text]:
    if lines:
        yield Text(f"{len(lines)} lines of the page that are not in the text:", style="bold")
        yield from (Text(f"  - {line}", style="red" if colour else "") for line in lines[:LEFT_OUT])
        yield from _more(len(lines) - LEFT_OUT)


def _text(found: Sequence[Piece], colour: bool) -> Iterator[Text]:
    whole = Text()
    for piece in found:
        whole.append(
            piece.text if colour else PLAIN[piece.state].format(piece.text), STYLES[piece.state] if colour else ""
        )
    lines = whole.split("\n")
    yield from (Text("  ").append_text(line) for line in lines[:LINES])
    yield from _more(len(lines) - LINES)


def _more(lines: int) -> Iterator[Text]:
    if lines > 0:
        yield Text(f"  … {lines} more lines (--json has all)", style="dim")


def _decision(trial: Trial) -> Text:
    if trial.drop:
        return Text(f"dropped: {trial.drop}", style="bold red")
    rest = f"; not tried: {', '.join(trial.untried)} (they look at many documents)" if trial.untried else ""
    return Text(f"kept{rest}", style="bold green")


def _short(value: Any) -> str:
    if isinstance(value, str) and len(value) > VALUE:
        return f"({len(value):,} characters)"
    if isinstance(value, list):
        return f"({len(value):,})"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value).replace("\n", " ")
