"""Where the responses stand in the text of a conversation, each with the token that ends its turn.

A template with ``{% generation %}`` says it itself. With any other the text up to a turn, ready for the assistant, and
the text up to that turn's end are rendered: both must be beginnings of the whole, or the example is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpusforge.train.examples.reading import Message, Wrong
from corpusforge.train.examples.templates import BEGIN, CLOSE, END, MARKS, OPEN, Template

Turns = Literal["all", "last"]
Range = tuple[int, int]


@dataclass(frozen=True)
class Marked:
    """The text of a conversation: ``spans`` are responses in code points, ``spelled`` special tokens that a message
    spells, which are but text. ``ended`` says of each response whether its last token is a special one that ends it."""

    text: str
    spans: tuple[Range, ...]
    ended: tuple[bool, ...]
    spelled: tuple[Range, ...]


def marked(
    template: Template, special: re.Pattern[str], messages: Sequence[Message], tools: Sequence[Any], turns: Turns
) -> Marked:
    """The text of a conversation and its responses; raises ``Wrong`` where they cannot be told apart."""
    if _spells([*messages, *tools], MARKS):
        raise Wrong("a turn holds a noncharacter of Unicode, U+FDD0 to U+FDD3", list(messages), "take it out")
    rendered = template.render(messages, tools)
    text, generated = _between(rendered, BEGIN, END)
    spelled = _spelled(template, special, messages, tools, text)
    chosen = _chosen(messages, turns)
    if template.marks_responses:
        found = list(_of_marks(generated, messages, chosen, special, text, spelled))
    else:
        found = [_of_turn(template, special, messages, tools, turn, text, spelled) for turn in chosen]
    spans, ended = zip(*found, strict=True)
    return Marked(text, spans, ended, spelled)


def _chosen(messages: Sequence[Message], turns: Turns) -> list[int]:
    """The assistant's turns that are learnt; a turn of weight 0 is not."""
    own = [n for n, message in enumerate(messages) if message["role"] == "assistant" and message.get("weight", 1)]
    if not own:
        raise Wrong("no turn of the assistant has a weight but", 0, "give one the weight 1, or take the line away")
    return own if turns == "all" else own[-1:]


def _of_turn(
    template: Template,
    special: re.Pattern[str],
    messages: Sequence[Message],
    tools: Sequence[Any],
    turn: int,
    text: str,
    spelled: Sequence[Range],
) -> tuple[Range, bool]:
    """The response of one turn, up to the special token that ends it, or without one up to the end of what it says."""
    before = template.render(messages[:turn], tools, prompt=True)
    upto = text if turn + 1 == len(messages) else template.render(messages[: turn + 1], tools)
    if not (text.startswith(before) and text.startswith(upto) and len(before) < len(upto)):
        last = turn == len(messages) - 1
        what = f"the template {template.name} writes what leads to turn {turn + 1} otherwise when it asks for that turn"
        cure = "take a template that marks responses by {% generation %}" + ("" if last else ", or turns: last")
        raise Wrong(what, messages[turn]["content"], cure)
    end = len(upto.rstrip())
    if _ends_with_special(text, len(before), end, special, spelled):
        return (len(before), end), True
    return (len(before), _content_end(template, messages[: turn + 1], tools, text, len(before))), False


def _content_end(template: Template, messages: Sequence[Message], tools: Sequence[Any], text: str, start: int) -> int:
    """Where what the last turn says ends in the text."""
    *earlier, last = messages
    content = last["content"].rstrip()
    # Templates may strip what a turn says, so the mark stands before the white space at its end.
    space = last["content"][len(content) :]
    changed = {**last, "content": content + CLOSE + space}
    end = template.render([*earlier, changed], tools).rfind(CLOSE)
    if end <= start:
        cure = "take a template that does, or one that ends the turn by a special token"
        raise Wrong(f"the template {template.name} does not write what this turn says", last["content"], cure)
    return end + len(space) if text.startswith(space, end) else end


def _of_marks(
    generated: Sequence[Range],
    messages: Sequence[Message],
    chosen: Sequence[int],
    special: re.Pattern[str],
    text: str,
    spelled: Sequence[Range],
) -> Iterator[tuple[Range, bool]]:
    """The responses that the template marks, one a turn of the assistant."""
    own = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
    if len(generated) != len(own):
        raise Wrong(
            f"the template marks {len(generated)} responses by {{% generation %}} in a conversation that has",
            len(own),
            "mark each turn of the assistant once",
        )
    for turn, (start, end) in zip(own, generated, strict=True):
        if turn not in chosen:
            continue
        kept = start + len(text[start:end].rstrip())
        ended = _ends_with_special(text, start, kept, special, spelled)
        after = None if ended else special.match(text, end + len(text[end:]) - len(text[end:].lstrip()))
        if after is not None:
            cure = f"put {{% endgeneration %}} behind {after.group()}"
            raise Wrong(
                "a model trained by this template never stops: {% generation %} ends before", after.group(), cure
            )
        yield (start, kept if ended else end), ended


def _ends_with_special(text: str, start: int, end: int, special: re.Pattern[str], spelled: Sequence[Range]) -> bool:
    """Whether the last thing of a stretch is a special token that the template wrote."""
    last = None
    for last in special.finditer(text, start, end):  # noqa: B007
        pass
    return last is not None and last.end() == end and last.span() not in spelled


def _spelled(
    template: Template,
    special: re.Pattern[str],
    messages: Sequence[Message],
    tools: Sequence[Any],
    text: str,
) -> tuple[Range, ...]:
    """Where messages spell special tokens in the text."""
    if not _spells([*messages, *tools], special):
        return ()
    shown = [_with_marks(message, special) for message in messages]
    rendered = template.render(shown, _with_marks(tools, special))
    if MARKS.sub("", rendered) != text:
        found = [message["content"] for message in messages if _spells(message, special)]
        what = f"the template {template.name} takes a special token apart that a turn spells"
        raise Wrong(what, found, "take it out of the turn")
    return tuple(_between(rendered.replace(BEGIN, "").replace(END, ""), OPEN, CLOSE)[1])


def _spells(value: Any, special: re.Pattern[str]) -> bool:
    """Whether a text in the value has a match."""
    if isinstance(value, str):
        return special.search(value) is not None
    if isinstance(value, Mapping):
        return any(_spells(inner, special) for inner in value.values())
    return isinstance(value, list | tuple) and any(_spells(inner, special) for inner in value)


def _with_marks(value: Any, special: re.Pattern[str]) -> Any:
    """The value with marks around every special token that a text in it spells."""
    if isinstance(value, str):
        return special.sub(f"{OPEN}\\g<0>{CLOSE}", value)
    if isinstance(value, Mapping):
        return {key: _with_marks(inner, special) for key, inner in value.items()}
    return [_with_marks(inner, special) for inner in value] if isinstance(value, list | tuple) else value


def _between(text: str, first: str, last: str) -> tuple[str, list[Range]]:
    """The text without these marks, and what stood between them."""
    if first not in text:
        return text, []
    found: list[Range] = []
    kept: list[str] = []
    size = 0
    for number, part in enumerate(re.split(f"[{first}{last}]", text)):
        if number % 2:
            found.append((size, size + len(part)))
        kept.append(part)
        size += len(part)
    return "".join(kept), found
