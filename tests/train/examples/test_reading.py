"""Three shapes of examples are known; a bad line is named with its file, its number and the cure."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

pytest.importorskip("transformers")
from corpusforge.train.examples.reading import BadExampleError, Reading
from tests.train.examples.samples import TALK, file_of

pytestmark = pytest.mark.train
GOOD = {"prompt": "a?", "completion": "b."}


def turns(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in pairs]


@pytest.mark.parametrize(
    ("record", "shape", "expected"),
    [
        ({"messages": TALK}, "messages", TALK),
        (
            {"system": "S", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
            "messages",
            turns(("system", "S"), ("user", "Q"), ("assistant", "A")),
        ),
        ({"prompt": "Q", "completion": "A", "id": 7}, "completion", turns(("user", "Q"), ("assistant", "A"))),
        ({"instruction": "Q", "input": "", "output": "A"}, "alpaca", turns(("user", "Q"), ("assistant", "A"))),
        (
            {"instruction": "Q", "context": "C", "response": "A"},
            "alpaca",
            [{"role": "user", "content": "Q\n\nC", "instruction": "Q", "input": "C"}, *turns(("assistant", "A"))],
        ),
    ],
)
def test_shapes(record: Any, shape: str, expected: Any, tmp_path: Path) -> None:
    reading = Reading([file_of(tmp_path, [record])])
    assert [list(example.messages) for example in reading] == [expected]
    assert reading.shapes == {shape: 1}


def test_turns_of_tools_are_passed_on(tmp_path: Path) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "time", "arguments": {}}}]}
    answered = [*turns(("user", "Q")), call, *turns(("tool", "12:00"), ("assistant", "Noon."))]
    record = {"messages": answered, "tools": [{"name": "time"}]}
    (example,) = Reading([file_of(tmp_path, [record])])
    assert [message["role"] for message in example.messages] == ["user", "assistant", "tool", "assistant"]
    assert example.messages[1]["tool_calls"] == call["tool_calls"]
    assert example.tools == ({"name": "time"},)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"prompt": ',
            "no JSON (unexpected end of data: line 1 column 12 (char 11)): '{\"prompt\": '; correct the line",
        ),
        ("[1, 2]", "no JSON object: [1,2]; write one object a line"),
        (
            {"text": "x", "id": 1},
            'no example, for its keys are: ["id","text"]; an example has messages, or prompt and completion, or '
            "instruction and output",
        ),
        ({"prompt": "Q", "completion": 3}, "completion is no text: 3; write a string, or the turns as messages"),
        ({"prompt": "Q", "completion": " \n"}, "turn 2 is an empty response: ' \\n'; fill it, or take the line away"),
        ({"prompt": "", "completion": "A"}, "turn 1 is an empty prompt: ''; fill it, or take the line away"),
        ({"messages": []}, "messages is no list of turns: []; write [{role, content}, …]"),
        (
            {"messages": turns(("user", "Q"))},
            'no turn is the assistant\'s: ["user"]; add the response, or take the line away',
        ),
        (
            {"messages": turns(("user", "Q"), ("assistant", "A"), ("user", "R"))},
            "the last turn is not the assistant's but of role: 'user'; add the response, or cut the turn",
        ),
        (
            {"messages": turns(("user", "Q"), ("user", "R"), ("assistant", "A"))},
            "turn 2 follows user and is of role: 'user'; here stands assistant",
        ),
        (
            {"messages": turns(("assistant", "A"), ("user", "R"))},
            "the first turn and is of role: 'assistant'; here stands system or user",
        ),
        (
            {"messages": turns(("user", "Q"), ("narrator", "A"))},
            "turn 2 has the unknown role: 'narrator'; use system, user, assistant or tool",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            'the content of turn 1 is no text: [{"type":"image"}]; write a string',
        ),
        (
            {"instruction": "Q", "output": "A", "history": [["x", "y"]]},
            'history is not read: [["x","y"]]; write the turns as messages',
        ),
    ],
)
def test_a_bad_line_is_named_with_its_cure(line: Any, said: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, [GOOD, "", line])
    with pytest.raises(BadExampleError) as caught:
        list(Reading([path]))
    cure = "To go on without bad lines, set allow_bad to their number"
    assert str(caught.value) == f"{path}, line 3: {said}. {cure}"


def test_long_values_are_shortened(tmp_path: Path) -> None:
    path = file_of(tmp_path, ["x" * 5000])
    with pytest.raises(BadExampleError) as caught:
        list(Reading([path]))
    assert len(str(caught.value)) < len(path) + 300


def test_allowed_bad_lines_are_passed_over_and_listed(tmp_path: Path) -> None:
    path = file_of(tmp_path, ["{", GOOD, "{", GOOD])
    reading = Reading([path], allow_bad=2)
    assert [example.place.line for example in reading] == [2, 4]
    assert [line.split(": ")[0] for line in reading.bad] == [f"{path}, line 1", f"{path}, line 3"]
    with pytest.raises(BadExampleError, match=r"(?s)^2 bad lines, more than allow_bad: 1:\n.*line 1: .*\n.*line 3: "):
        list(Reading([path], allow_bad=1))


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_compressed_files(suffix: str, pack: Any, tmp_path: Path) -> None:
    path = tmp_path / f"examples.jsonl.{suffix}"
    path.write_bytes(pack("\n".join([json.dumps(GOOD)] * 3).encode()))
    assert [example.place.line for example in Reading([str(path)])] == [1, 2, 3]


def test_a_damaged_file_is_named_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode() * 1000)[:-20])
    with pytest.raises(ValueError, match=r"examples\.jsonl\.gz: the compression is damaged after line 0; copy it anew"):
        list(Reading([str(path)]))


def test_neither_the_order_of_files_nor_their_names_and_folders_matter(tmp_path: Path) -> None:
    records = [{"prompt": str(n), "completion": "A"} for n in range(3)]
    names = [("a", "b", "c"), ("c", "a", "b"), ("z/x", "b", "a")]
    (tmp_path / "z").mkdir()
    orders = []
    for given in names:
        paths = [file_of(tmp_path, [one], f"{name}.jsonl") for one, name in zip(records, given, strict=True)]
        for files in (paths, paths[::-1]):
            orders.append([example.messages[0]["content"] for example in Reading(files)])
    assert sorted(orders[0]) == ["0", "1", "2"]
    assert orders == [orders[0]] * 6


def test_the_same_content_twice_is_refused(tmp_path: Path) -> None:
    paths = [file_of(tmp_path, [GOOD], "a.jsonl"), file_of(tmp_path, [GOOD], "b.jsonl")]
    with pytest.raises(ValueError, match=r"a\.jsonl and .*b\.jsonl have the same content; give one of them"):
        Reading(paths)
