"""A text with links in it is measured and cleaned as a reader sees it."""

from typing import Any

import pyarrow as pa
import pytest

from corpusforge.passes.map import complete
from corpusforge.stages.language import Language
from corpusforge.stages.length import TooShort
from corpusforge.stages.noise import NoiseLines
from corpusforge.stages.quality import GopherQuality
from corpusforge.stages.repetition import GopherRepetition

PLAIN = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n"
PLAIN += "何でも薄暗い所で泣いていた事だけは記憶している。"
LINKED = PLAIN.replace("猫", "[猫](https://dictionary.example.jp/entries/cat/animal?page=12&lang=ja)").replace(
    "記憶", "![記憶](https://dictionary.example.jp/images/memory-of-a-very-dark-place.png)"
)


def columns(stage: Any, text: str) -> dict[str, Any]:
    given = complete(pa.RecordBatch.from_pydict({"text": pa.array([text], pa.large_string()), "lang": ["ja"]}))
    row: dict[str, Any] = stage(given).to_pylist()[0]
    return {name: row[name] for name in stage.writes if name != "text"}


@pytest.mark.parametrize("stage", [Language(), TooShort(), GopherRepetition(), GopherQuality()])
def test_addresses_are_not_measured(stage: Any) -> None:
    assert columns(stage, LINKED) == columns(stage, PLAIN)


def test_noise_is_told_whether_its_address_is_written_or_not() -> None:
    menu = ["ログイン", "新規会員登録", "お問い合わせ", "プライバシーポリシー"]
    written = [f"[{line}](https://shop.example.jp/{number})" for number, line in enumerate(menu)]
    plain, linked = (columns(NoiseLines(), "\n".join([PLAIN, *lines])) for lines in (menu, written))
    assert linked["noise_lines"] == plain["noise_lines"] == len(menu)
    assert linked["noise_characters"] > plain["noise_characters"]
