"""Conversations: turns as structure and as text, whoever wrote them, and nothing left out without a count."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpusforge.sources import Slice
from corpusforge.sources.conversations import Conversations

Rows = list[dict[str, Any]]
SAID = [{"role": "user", "content": "こんにちは"}, {"role": "assistant", "content": "はい。\nどうぞ。"}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "from", "value", "text", "tool_calls"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


def read(folder: Path, *records: Any, source: Conversations | None = None) -> tuple[Rows, Counter[str]]:
    path = folder / "a.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records))
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    with path.open("rb") as file:
        for batch in (source or Conversations()).read(Slice("a.jsonl", "f", 0, path.stat().st_size), file, passed_over):
            rows += batch.to_pylist()
    return rows, passed_over


def test_turns_are_kept_as_structure_and_as_text(tmp_path: Path) -> None:
    (row,), _ = read(tmp_path, {"id": "1", "messages": SAID, "license": "CC0-1.0"})
    assert row["messages"] == SAID
    assert row["text"] == "user: こんにちは\n\nassistant: はい。\nどうぞ。"
    assert (row["left_out"], row["licence"], row["drop"]) == (0, "CC0-1.0", None)


def test_share_gpt_reads_as_the_same(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "こんにちは"}, {"from": "gpt", "value": "はい。\nどうぞ。"}]
    rows, _ = read(tmp_path, {"id": "1", "conversations": turns}, {"id": "1", "messages": SAID})
    assert rows[0]["messages"] == rows[1]["messages"] == SAID
    assert rows[0]["text"] == rows[1]["text"]
    (row,), _ = read(tmp_path, {"system": "Be kind.", "conversations": turns})
    assert row["messages"][0] == {"role": "system", "content": "Be kind."}


def test_parts_that_are_no_text_are_counted(tmp_path: Path) -> None:
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "it?"},
    ]
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}, {"id": "2"}]}
    (row,), _ = read(
        tmp_path, {"messages": [{"role": "user", "content": parts}, call, {"role": "tool", "content": "4"}]}
    )
    assert [turn["content"] for turn in row["messages"]] == ["What is\nit?", "", "4"]
    assert row["left_out"] == 3


def test_what_is_no_conversation_is_counted(tmp_path: Path) -> None:
    rows, counted = read(
        tmp_path,
        {"messages": "none"},
        {"messages": [{"role": "user"}, "no turn"]},
        {"messages": [{"role": 1, "content": "a"}]},
        {"messages": []},
        {"text": "no conversation"},
        {"messages": [{"role": "user", "content": " "}]},
        ["no object"],
    )
    assert rows == []
    assert counted == {"source.bad_messages": 3, "source.no_text": 3, "source.bad_json": 1}


def test_more_columns(tmp_path: Path) -> None:
    source = Conversations(columns={"lang": "string", "turns": "int32"})
    (row,), _ = read(tmp_path, {"messages": SAID, "lang": "ja", "turns": 2}, source=source)
    assert (row["lang"], row["turns"]) == ("ja", 2)
    for taken in ("messages", "text", "left_out"):
        with pytest.raises(ValidationError, match=taken):
            Conversations(columns={taken: "string"})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=JSON)
def test_whatever_stands_there_is_a_row_or_is_counted(tmp_path: Path, messages: Any) -> None:
    rows, counted = read(tmp_path, {"messages": messages})
    assert len(rows) + sum(counted.values()) == 1
    for row in rows:
        assert row["text"] == "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in row["messages"])
