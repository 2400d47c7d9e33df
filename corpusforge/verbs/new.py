"""A stage of one's own to begin with: its file and its test, both of which pass as they are written."""

import keyword
import re
import string
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

STAGE = string.Template('''\
"""${Title}: say here what the stage finds."""

from typing import ClassVar

import pyarrow as pa
from corpusforge.stages import STRICT, put
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config=STRICT)
class ${Class}:
    """Measure ``${name}``; drop documents below ``at_least``.

    Reason: ``low`` (written as ``${Class}.low``).
    """

    at_least: float = 0.0

    revision: ClassVar[int] = 1  # raise it when the output changes
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[dict[str, pa.DataType]] = {"${name}": pa.float32(), "drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        values = [${name}(text or "") for text in batch["text"].to_pylist()]
        drop = ["low" if value < self.at_least else None for value in values]
        return put(self, batch, ${name}=values, drop=drop)


def ${name}(text: str) -> float:
    """Replace this: the share of letters among the characters, rounded, so that every machine decides alike."""
    return round(sum(character.isalpha() for character in text) / max(len(text), 1), 3)
''')

TEST = string.Template('''\
"""What ${Class} measures and drops; ``prove`` holds it to the rules of every stage."""

import pyarrow as pa
from corpusforge.stages.prove import prove

from ${name} import ${Class}


def test_it_measures_and_drops() -> None:
    batch = pa.record_batch({"text": ["letters", "12345", None]})
    result = prove(${Class}(at_least=0.5), batch)
    assert result["${name}"].to_pylist() == [1.0, 0.0, 0.0]
    assert result["drop"].to_pylist() == [None, "${Class}.low", "${Class}.low"]
''')


class NotNew(ValueError):
    """A stage of that name cannot be written there; the message says why."""


def new_stage(name: str, folder: Path = Path()) -> tuple[Path, Path]:
    """Write ``NAME.py`` and ``test_NAME.py`` into ``folder``; raise ``NotNew`` rather than replace a file."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise NotNew(f"{name!r} cannot be the name of a stage: use small letters, digits and '_', as in kana_share")
    words = name.split("_")
    values = {
        "name": name,
        "Class": "".join(word.capitalize() for word in words),
        "Title": " ".join(words).capitalize(),
    }
    made = {folder / f"{name}.py": STAGE, folder / f"test_{name}.py": TEST}
    for path in made:
        if path.exists():
            raise NotNew(f"there is a {path} already. Give the stage another name, or another --folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in made.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text.substitute(values))
    stage, test = made
    return stage, test
