"""Conversations of JSON Lines files, one a line, plain or compressed; what is wrong with a line is said with its cure.

Three shapes are known, line by line: messages (``messages`` or ``conversations`` with ``role`` and ``content`` or
``from`` and ``value``), a prompt and its completion, and Alpaca's instruction, input and output.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson

from corpusforge.records.compressed import BLOCK, Damaged
from corpusforge.records.lines import lines
from corpusforge.sources.conversations import ROLES
from corpusforge.storage import opened

LINE_BYTES = 32 << 20
"""Longest line."""
SHOWN = 80
"""Characters of a value that a message shows."""
LISTED = 20
"""Bad lines that a message lists."""
FOLLOWERS = {
    "": ("system", "user"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user", "tool"),
    "tool": ("tool", "assistant"),
}
"""The roles that may follow a role; none stands before the first."""
LISTS = ("messages", "conversations", "conversation")
PAIRS = (("prompt", "completion"), ("prompt", "response"))
TASKS = (("instruction", "input", "output"), ("instruction", "context", "response"))
"""Alpaca's keys, and Dolly's for the same."""

Message = dict[str, Any]
"""``role``, ``content`` and whatever else a template may ask for, such as ``tool_calls``."""


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True)
class Example:
    """A conversation that ends with the assistant's turn; ``shape`` is ``messages``, ``completion`` or ``alpaca``."""

    messages: tuple[Message, ...]
    place: Place
    shape: str
    tools: tuple[Any, ...] = ()


class Wrong(ValueError):
    """What is wrong with a conversation, the value and the cure."""

    def __init__(self, what: str, value: Any, cure: str) -> None:
        super().__init__(f"{what}: {shortened(value)}; {cure}")


class BadExampleError(ValueError):
    """Lines that cannot be learnt from, each with its file, its number, what is wrong and the cure."""


class Reading:
    """The examples of ``files``, in the order of the digests of their content, whatever they are called.

    A bad line ends the reading; with ``allow_bad`` so many are passed over and listed in ``bad``. ``shapes`` counts the
    lines of each shape. Raises ``ValueError`` for two files of the same content.
    """

    def __init__(self, files: Sequence[str], allow_bad: int = 0) -> None:
        self.files, self.allow_bad = _ordered(files), allow_bad
        self.shapes: Counter[str] = Counter()
        self.bad: list[str] = []

    def __iter__(self) -> Iterator[Example]:
        for file in self.files:
            yield from self._of_file(file)

    def refuse(self, place: Place, error: Wrong) -> None:
        """Count a bad line; raise ``BadExampleError`` when there are more than allowed."""
        self.bad.append(f"{place}: {error}")
        if len(self.bad) <= self.allow_bad:
            return
        if not self.allow_bad:
            raise BadExampleError(f"{self.bad[0]}. To go on without bad lines, set allow_bad to their number")
        listed = "\n".join(self.bad[-LISTED:])
        raise BadExampleError(f"{len(self.bad)} bad lines, more than allow_bad: {self.allow_bad}:\n{listed}")

    def _of_file(self, file: str) -> Iterator[Example]:
        number = 0
        with opened(file) as opened_file:
            try:
                for number, (_, _, data) in enumerate(lines(opened_file, file, 0, None, LINE_BYTES), 1):
                    found = self._of_line(Place(file, number), data)
                    if found is not None:
                        yield found
            except Damaged as error:
                raise ValueError(f"{file}: the compression is damaged after line {number}; copy it anew") from error

    def _of_line(self, place: Place, data: bytes | None) -> Example | None:
        if data is not None and not data.strip():
            return None
        try:
            record = _record(data)
            shape, messages = _conversation(record)
            tools = record.get("tools") or ()
            if not isinstance(tools, list | tuple):
                raise Wrong("tools is no list", tools, "write a list of tools, or leave the key out")
            check(messages)
        except Wrong as error:
            self.refuse(place, error)
            return None
        self.shapes[shape] += 1
        return Example(tuple(messages), place, shape, tuple(tools))


def check(messages: Sequence[Message]) -> None:
    """Raise ``Wrong`` unless roles follow as they may, each turn says something and the last is the assistant's."""
    roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        raise Wrong("no turn is the assistant's", roles, "add the response, or take the line away")
    for number, (before, role) in enumerate(pairwise(["", *roles]), 1):
        if role not in FOLLOWERS[before]:
            place = f"turn {number} follows {before}" if before else "the first turn"
            raise Wrong(f"{place} and is of role", role, f"here stands {' or '.join(FOLLOWERS[before])}")
    if roles[-1] != "assistant":
        raise Wrong("the last turn is not the assistant's but of role", roles[-1], "add the response, or cut the turn")
    for number, message in enumerate(messages, 1):
        if (
            message["role"] in ("user", "assistant")
            and not message["content"].strip()
            and not message.get("tool_calls")
        ):
            part = "response" if message["role"] == "assistant" else "prompt"
            raise Wrong(f"turn {number} is an empty {part}", message["content"], "fill it, or take the line away")


def shortened(value: Any) -> str:
    """A value as JSON, its beginning if it is long."""
    text = value if isinstance(value, str) else orjson.dumps(value, default=repr).decode()
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return repr(shown) if isinstance(value, str) else shown


def _ordered(files: Sequence[str]) -> list[str]:
    """Files by the digest of their content: a run whose files are renamed, moved or given in another order reads the
    same."""
    seen: dict[str, str] = {}
    for file in files:
        digest = _digest(file)
        if digest in seen:
            raise ValueError(f"{seen[digest]} and {file} have the same content; give one of them")
        seen[digest] = file
    return [seen[digest] for digest in sorted(seen)]


def _digest(file: str) -> str:
    found = hashlib.sha256()
    with opened(file) as content:
        for block in iter(lambda: content.read(BLOCK), b""):
            found.update(block)
    return found.hexdigest()


def _record(data: bytes | None) -> dict[str, Any]:
    if data is None:
        raise Wrong("the line has more bytes than", LINE_BYTES, "split it")
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        text = data.decode(errors="replace")
        cure = "write one object a line" if text.startswith("[") else "correct the line"
        raise Wrong(f"no JSON ({error})", text, cure) from error
    if not isinstance(record, dict):
        raise Wrong("no JSON object", record, "write one object a line")
    return record


def _conversation(record: dict[str, Any]) -> tuple[str, list[Message]]:
    """The shape of a line and its messages."""
    for key in LISTS:
        if key in record:
            return "messages", _system(record) + _messages(key, record[key])
    for prompt, completion in PAIRS:
        if prompt in record and completion in record:
            turns = [_turn("user", prompt, record), _turn("assistant", completion, record)]
            return "completion", _system(record) + turns
    for keys in TASKS:
        if keys[0] in record and keys[2] in record:
            return "alpaca", _system(record) + _task(record, *keys)
    raise Wrong(
        "no example, for its keys are",
        sorted(record),
        "an example has messages, or prompt and completion, or instruction and output",
    )


def _system(record: dict[str, Any]) -> list[Message]:
    """The system's turn that stands beside the others, if it says something."""
    return [_turn("system", "system", record)] if record.get("system") else []


def _turn(role: str, key: str, record: dict[str, Any]) -> Message:
    if not isinstance(record[key], str):
        raise Wrong(f"{key} is no text", record[key], "write a string, or the turns as messages")
    return {"role": role, "content": record[key]}


def _task(record: dict[str, Any], instruction: str, given: str, output: str) -> list[Message]:
    """Alpaca's turns; a template may ask for ``instruction`` and ``input`` apart from their joined content."""
    if record.get("history"):
        raise Wrong("history is not read", record["history"], "write the turns as messages")
    user, assistant = _turn("user", instruction, record), _turn("assistant", output, record)
    if not record.get(given):
        return [user, assistant]
    text = _turn("user", given, record)["content"]
    joined = f"{user['content']}\n\n{text}"
    return [{"role": "user", "content": joined, "instruction": user["content"], "input": text}, assistant]


def _messages(key: str, given: Any) -> list[Message]:
    if not isinstance(given, list) or not given:
        raise Wrong(f"{key} is no list of turns", given, "write [{role, content}, …]")
    return [_message(number, message) for number, message in enumerate(given, 1)]


def _message(number: int, given: Any) -> Message:
    """One turn with the names of roles that are used here; keys without a value are left out, as templates expect."""
    if not isinstance(given, dict):
        raise Wrong(f"turn {number} is no object", given, "write {role, content}")
    role = given.get("role", given.get("from"))
    known = ROLES.get(role.lower(), role.lower()) if isinstance(role, str) else role
    if not isinstance(known, str) or known not in FOLLOWERS or not known:
        raise Wrong(f"turn {number} has the unknown role", role, "use system, user, assistant or tool")
    content = given.get("content", given.get("value"))
    if content is None and given.get("tool_calls"):
        content = ""
    if not isinstance(content, str):
        raise Wrong(f"the content of turn {number} is no text", content, "write a string")
    rest = {name: value for name, value in given.items() if value is not None and name not in ("from", "value")}
    return {**rest, "role": known, "content": content}
