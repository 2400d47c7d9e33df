"""Conversations as JSON Lines, plain or compressed: their turns as structure and as text.

A slice owns the lines that begin in it. Offsets are those in the file, or in what a compressed file inflates to; such a
file is one slice.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass as simple_dataclass
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, Field, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.decoders import WINDOW_BYTES
from corpusforge.records.compressed import with_compressions
from corpusforge.records.mapping import Place, columns_of, found, row_of
from corpusforge.records.objects import BUILT_ON, documents, planned
from corpusforge.sources import Input, Slice

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())]))
OWN: dict[str, pa.DataType] = {"messages": MESSAGES, "left_out": pa.int32()}
ROLES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "developer": "system",
    "function": "tool",
    "function_response": "tool",
    "observation": "tool",
}
"""What data sets call the roles; any other name stays as it is."""
CALLS = ("tool_calls", "function_call", "audio", "images", "refusal", "reasoning_content")
"""Keys of a message that hold more than its content."""
TEXT = "text"


@simple_dataclass(frozen=True)
class Turn:
    """What one message says; ``left_out`` counts its parts that are not text."""

    role: str
    content: str
    left_out: int


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Conversations:
    """Conversations of JSON Lines files: ``{"messages": [{"role", "content"}, …]}``, or ShareGPT's ``{"conversations":
    [{"from", "value"}, …]}``, with the system's prompt among the turns or as ``system``.

    The column ``messages`` keeps the turns; ``text`` has each as ``role: content``, with a blank line between turns.
    Of a content that is a list of parts the texts are taken, one a line; ``left_out`` counts the other parts (images,
    audio, calls of tools), which are found again by ``source_file`` and ``source_offset``. Roles are ``system``,
    ``user``, ``assistant`` and ``tool``, or what else the data set calls them.

    ``messages``, ``system``, ``id``, ``url``, ``date``, ``title``, ``licence``, ``columns``, ``line_bytes``,
    ``window_bytes`` and the sizes of slices and batches are as those of ``jsonl.Jsonl``.
    """

    messages: Place = ("messages", "conversations", "conversation")
    system: Place = ("system", "system_prompt")
    id: Place = ("id", "conversation_id", "prompt_id")
    url: Place = "url"
    date: Place = ("date", "timestamp", "created")
    title: Place = "title"
    licence: Place = ("licence", "license")
    columns: dict[str, str] = Field(default_factory=dict)
    line_bytes: PositiveInt = 32 << 20
    window_bytes: PositiveInt = WINDOW_BYTES
    slice_bytes: PositiveInt = 32 << 20
    batch_rows: PositiveInt = 1024
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = with_compressions(".jsonl", ".ndjson", ".jsonlines", ".json")
    revision: ClassVar[int] = 1
    built_on: ClassVar[tuple[str, ...]] = BUILT_ON
    text: ClassVar[str] = TEXT

    def __post_init__(self) -> None:
        columns_of(self.columns)
        taken = sorted(OWN.keys() & self.columns.keys())
        if taken:
            raise ValueError(f"column {taken[0]} is filled by Conversations. Give the extra column another name")

    @property
    def writes(self) -> dict[str, pa.DataType]:
        given = columns_of(self.columns)
        return {**columns_of({}), **OWN, **{name: given[name] for name in self.columns}}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes`` of a plain file of lines; one of any other, or with ``limit``."""
        return planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS``, ``messages``, ``left_out`` and the extra columns for the lines that begin in the slice.

        A conversation in which half a surrogate pair became U+FFFD is dropped as ``source.lone_surrogate``. Counts in
        ``passed_over``: ``source.bad_json`` (no JSON object), ``source.not_utf8``, ``source.no_text`` (no turn says
        anything), ``source.bad_messages`` (no list of turns with a role and a content), ``source.too_large``,
        ``source.damaged_compression``, ``source.large_window`` and ``source.empty_file``.
        """
        yield from documents(self, piece, file, passed_over, self._row)

    def _row(self, record: dict[str, Any]) -> dict[str, Any] | str:
        """The columns of a conversation but those of its source, or why there is none."""
        turns = _turns(found(record, self.messages), found(record, self.system))
        if turns is None:
            return "bad_messages"
        text = "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)
        row = row_of(self, record | {TEXT: text}) if any(turn.content.strip() for turn in turns) else None
        if row is None:
            return "no_text"
        row["messages"] = [{"role": turn.role, "content": turn.content} for turn in turns]
        row["left_out"] = sum(turn.left_out for turn in turns)
        return row


def _turns(messages: Any, system: Any) -> list[Turn] | None:
    """The turns of a conversation; None where something is no turn."""
    if messages is None:
        return []
    if not isinstance(messages, list):
        return None
    turns = [_turn(message) for message in messages]
    first = [Turn("system", system, 0)] if isinstance(system, str) else []
    sound = [turn for turn in turns if turn is not None]
    return first + sound if len(sound) == len(turns) else None


def _turn(message: Any) -> Turn | None:
    if not isinstance(message, dict):
        return None
    role = message.get("role", message.get("from"))
    content = message.get("content", message.get("value"))
    if not isinstance(role, str) or not isinstance(content, str | list | None):
        return None
    parts = content if isinstance(content, list) else [content or ""]
    texts = [text for part in parts if (text := _text(part)) is not None]
    left_out = len(parts) - len(texts) + sum(_count(message.get(key)) for key in CALLS)
    return Turn(ROLES.get(role.lower(), role), "\n".join(texts), left_out)


def _text(part: Any) -> str | None:
    """The text of a part of a content; None for any other part."""
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else None


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(bool(value))
