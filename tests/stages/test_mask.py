"""Masking writes placeholders, says where, and moves the blocks."""

import json
from pathlib import Path

import pyarrow as pa

from corpusforge import api
from corpusforge.schema import BLOCK
from corpusforge.sources.conversations import MESSAGES
from corpusforge.stages.mask import MaskPersonal
from corpusforge.stages.prove import prove

TEXT = "連絡先: taro@example.co.jp\n電話 03-1234-5678 または +81-90-1234-5678\nIP 133.11.0.1 から"


def masked(stage: MaskPersonal) -> pa.RecordBatch:
    starts = [0, *(i + 1 for i, c in enumerate(TEXT) if c == "\n")]
    ends = [*(start - 1 for start in starts[1:]), len(TEXT)]
    blocks = [{"path": "p", "start": a, "end": b, "links": 0, "score": 255} for a, b in zip(starts, ends, strict=True)]
    batch = pa.RecordBatch.from_pydict(
        {
            "text": pa.array([TEXT, "猫", None], pa.large_string()),
            "title": pa.array(["山田 taro@example.com", None, "猫"], pa.string()),
            "blocks": pa.array([blocks, [], None], pa.list_(BLOCK)),
        }
    )
    return stage(batch)


def test_places_are_masked_and_recorded() -> None:
    result = masked(MaskPersonal())
    text = result["text"][0].as_py()
    assert text == "連絡先: <EMAIL>\n電話 <PHONE> または <PHONE>\nIP <IP> から"
    places = result["masked"][0].as_py()
    assert [p["kind"] for p in places] == ["EMAIL", "PHONE", "PHONE", "IP"]
    assert [text[p["start"] :].startswith(f"<{p['kind']}>") for p in places] == [True] * 4
    assert [p["length"] for p in places] == [18, 12, 16, 10]
    assert [text[b["start"] : b["end"]] for b in result["blocks"][0].as_py()] == text.split("\n")
    assert result["title"].to_pylist() == ["山田 <EMAIL>", None, "猫"]
    assert result["text"].to_pylist()[1:] == ["猫", None]
    assert result["masked"].to_pylist()[1:] == [[], []]


def test_kinds_are_options() -> None:
    result = masked(MaskPersonal(email=False, ip=False))
    assert result["text"][0].as_py().startswith("連絡先: taro@example.co.jp\n電話 <PHONE>")
    assert "133.11.0.1" in result["text"][0].as_py()


def test_other_columns_of_strings_are_masked_and_those_of_the_contracts_are_not() -> None:
    mail = "mail taro@example.co.jp"
    turns = [{"role": "user", "content": mail}, {"role": "tool", "content": None}]
    batch = pa.RecordBatch.from_pydict(
        {
            "id": pa.array(["a@example.com", None]),
            "url": pa.array(["mailto:a@example.com", None]),
            "text": pa.array([None, TEXT], pa.large_string()),
            "title": pa.array([None, None], pa.string()),
            "blocks": pa.nulls(2, pa.list_(BLOCK)),
            "messages": pa.array([turns, None], MESSAGES),
            "tags": pa.array([[mail, None], []], pa.list_(pa.string())),
            "colophon": pa.array([mail, None], pa.large_string()),
            "kind": pa.array([mail, None]).dictionary_encode(),
            "pairs": pa.array([[("k", mail)], None], pa.map_(pa.string(), pa.string())),
            "count": pa.array([1, None], pa.int64()),
        }
    )
    result = prove(MaskPersonal(), batch)
    assert result["messages"].to_pylist() == [[{"role": "user", "content": "mail <EMAIL>"}, turns[1]], None]
    assert result["tags"].to_pylist() == [["mail <EMAIL>", None], []]
    assert result["colophon"].to_pylist() == result["kind"].to_pylist() == ["mail <EMAIL>", None]
    assert result["pairs"].to_pylist() == [[("k", "mail <EMAIL>")], None]
    for name in ("id", "url", "count"):
        assert result[name].equals(batch[name])
    assert result["text"][1].as_py().startswith("連絡先: <EMAIL>")


def test_nothing_personal_is_written_of_a_conversation(tmp_path: Path) -> None:
    recipe = tmp_path / "c.yaml"
    recipe.write_text(
        "corpus: c\npasses:\n  - name: extract\n"
        "    source: {use: conversations.Conversations, columns: {owner: string}}\n"
        "    stages: [{use: normal.Normalise}, {use: mask.MaskPersonal}]\n"
    )
    said = {"messages": [{"role": "user", "content": "mail taro@example.co.jp"}], "owner": "jiro@example.co.jp"}
    (tmp_path / "c.jsonl").write_text(json.dumps(said))
    run = api.build(recipe, [str(tmp_path / "c.jsonl")], tmp_path / "out", pool="serial")
    (row,) = run.documents()
    assert row["messages"] == [{"role": "user", "content": "mail <EMAIL>"}]
    assert (row["owner"], row["text"]) == ("<EMAIL>", "user: mail <EMAIL>")
