"""Noise lines are removed as edits that can be taken back."""

import pickle

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.schema import BLOCK, EDIT
from corpusforge.stages.noise import NoiseLines
from corpusforge.text.edits import replay

BODY = "庭の椿が今年も赤い花をつけたので、祖母に写真を送った。"


def batch(
    texts: list[str | None], blocks: list[list[dict[str, object]]] | None = None, edits: list[object] | None = None
) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "text": pa.array(texts, pa.large_string()),
            "lang": pa.array(["ja"] * len(texts), pa.string()),
            "blocks": pa.array(blocks or [None] * len(texts), pa.list_(BLOCK)),
            "edits": pa.array(edits or [None] * len(texts), pa.list_(EDIT)),
        }
    )


def test_lines_go_with_their_line_feeds_and_come_back() -> None:
    text = f"シェアする\nツイートする\n{BODY}\n続きを読む\n{BODY}\n無断転載を禁じます"
    cleaned = NoiseLines()(batch([text, BODY, None]))
    assert cleaned["text"].to_pylist() == [f"{BODY}\n{BODY}", BODY, None]
    assert cleaned["noise_lines"].to_pylist() == [4, 0, 0]
    assert cleaned["noise_characters"].to_pylist() == [len(text) - 2 * len(BODY) - 1, 0, 0]
    edits = cleaned["edits"].to_pylist()
    assert replay(cleaned["text"][0].as_py(), edits[0]) == text
    assert [len(e) for e in edits] == [3, 0, 0]
    assert cleaned["drop"].to_pylist() == [None] * 3


def test_pages_of_noise_are_dropped() -> None:
    mostly = "\n".join(["この記事をシェアする", "カートに入れる", "会員登録（無料）はこちら"] * 9 + ["短い本文。"])
    drop = NoiseLines()(batch(["ログイン | 会員登録\nカートに入れる", mostly]))["drop"].to_pylist()
    assert drop == ["NoiseLines.only_noise", "NoiseLines.mostly_noise"]
    assert NoiseLines(at_most=1)(batch([mostly]))["drop"].to_pylist() == [None]


def test_links_of_blocks_hold_only_before_other_edits() -> None:
    lines = ["薔薇", "百合", "菖蒲", "水仙", BODY]
    text = "\n".join(lines)
    starts = [sum(len(line) + 1 for line in lines[:at]) for at in range(5)]
    blocks = [
        {"path": "li", "start": start, "end": start + len(line), "links": 255 * (line != BODY), "score": 0}
        for start, line in zip(starts, lines, strict=True)
    ]
    edit = {"stage": "Other", "start": 0, "end": 1, "removed": "x", "put": ""}
    cleaned = NoiseLines()(batch([text, text], [blocks, blocks], [None, [edit]]))
    assert cleaned["text"].to_pylist() == [BODY, text]
    assert cleaned["edits"][1].as_py() == [edit]


@given(st.lists(st.sampled_from(["シェアする", "", BODY, "次へ", "関連記事", " 短い行 ", "続きを読む"]), max_size=12))
def test_edits_replay_and_rows_are_alone(lines: list[str]) -> None:
    text = "\n".join(lines)
    stage = NoiseLines()
    both = pickle.loads(pickle.dumps(stage))(batch([text, BODY]))
    assert both.slice(0, 1).to_pylist() == stage(batch([text])).to_pylist()
    assert replay(both["text"][0].as_py(), both["edits"][0].as_py()) == text
    assert both["noise_characters"][0].as_py() == len(text) - len(both["text"][0].as_py())
