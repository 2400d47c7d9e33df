"""Masking writes placeholders, says where, and moves the blocks."""

import pyarrow as pa

from corpusforge.schema import BLOCK
from corpusforge.stages.mask import MaskPersonal

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
