"""Normalising moves the blocks with the text."""

import pyarrow as pa

from corpusforge.schema import BLOCK
from corpusforge.stages.normal import Normalise


def test_text_title_and_blocks_move_together() -> None:
    text = "ﾊﾝｶｸ ｶﾞｷﾞ \r\nか\u3099き\x00く\n終わり"
    lines = ("ﾊﾝｶｸ ｶﾞｷﾞ ", "か\u3099き\x00く", "終わり")
    spans = [(text.index(line), text.index(line) + len(line)) for line in lines]
    blocks = [{"path": "p", "start": a, "end": b, "links": 7, "score": 255} for a, b in spans]
    batch = pa.RecordBatch.from_pydict(
        {
            "text": pa.array([text, None, ""], pa.large_string()),
            "title": pa.array(["ﾈｺ ", None, ""], pa.string()),
            "blocks": pa.array([blocks, None, []], pa.list_(BLOCK)),
        }
    )
    result = Normalise()(batch)
    stored = result["text"][0].as_py()
    assert stored == "ハンカク ガギ\nがきく\n終わり"
    assert [stored[b["start"] : b["end"]] for b in result["blocks"][0].as_py()] == stored.split("\n")
    assert result["text"].to_pylist()[1:] == [None, ""]
    assert result["title"].to_pylist() == ["ネコ", None, ""]
    assert result["blocks"].to_pylist()[1:] == [None, []]
