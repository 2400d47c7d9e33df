"""Examples as a source of samples: a sample is one packed row of whole examples, or one example where none is packed.

Of an example of n tokens a row holds the first n - 1 as inputs and the last n - 1 as what follows them, so that nothing
is predicted across examples.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, NonNegativeInt
from pydantic.dataclasses import dataclass as validated

from corpusforge.text.canonical import identity_of, sha256
from corpusforge.tokens.packing import IGNORED, Rows, best_fit
from corpusforge.train.examples.reading import Example, Place, Reading, Wrong
from corpusforge.train.examples.spans import Turns
from corpusforge.train.examples.templates import choose
from corpusforge.train.examples.tokenizer import ChatTokenizer
from corpusforge.train.examples.writing import Writer

AT_ONCE = 1024
"""Examples that are tokenised in one call."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tokens:
    """Examples end to end: ``ids`` int32, ``targets`` bool of the tokens that are learnt, ``starts`` int64 with the end
    of the last example behind them, and the line that each example is from."""

    ids: npt.NDArray[np.int32]
    targets: npt.NDArray[np.bool_]
    starts: Numbers
    places: Sequence[Place]


@dataclass(frozen=True)
class Fitting:
    """How examples longer than a row are treated, and whether several share one."""

    too_long: Literal["drop", "cut"] = "drop"
    packing: bool = True


@dataclass(frozen=True)
class Packed:
    """Rows of one length: row ``r`` holds the examples ``order[starts[r] : starts[r + 1]]``.

    ``lengths`` are the inputs of each example, 0 where it is dropped; ``cut`` counts the shortened, ``dropped`` the
    dropped by reason.
    """

    order: Numbers
    starts: Numbers
    lengths: Numbers
    cut: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class Summary:
    """What became of the examples in rows of ``sequence`` tokens: ``fill`` is the share of them that examples fill, and
    ``tokens`` and ``target_tokens`` are those in rows."""

    sequence: int
    examples: int
    tokens: int
    target_tokens: int
    rows: int
    fill: float
    cut: int
    dropped: dict[str, int]


class ExampleSource:
    """Examples of one tokenizer and template.

    An example that is longer than a row is dropped, or cut at its end with ``too_long: cut``; one of which nothing that
    is learnt would be left is dropped then too. ``pad`` fills rows. ``made_with`` tells, by digest, what the tokens
    depend on; ``shapes`` counts the lines read by shape, and ``bad`` lists those passed over.
    """

    def __init__(
        self,
        name: str,
        examples: Tokens,
        pad: int,
        fitting: Fitting,
        made_with: Mapping[str, str],
        shapes: Mapping[str, int] | None = None,
        bad: Sequence[str] = (),
    ) -> None:
        self.name, self.pad, self.fitting, self.made_with = name, pad, fitting, dict(made_with)
        self.ids, self.targets = examples.ids, examples.targets
        self.starts, self.places = examples.starts, examples.places
        self.shapes, self.bad = dict(shapes or {}), tuple(bad)
        self.tokens = len(self.ids)
        self._target_counts = np.concatenate([[0], np.cumsum(self.targets, dtype=np.int64)])
        self._packed: dict[int, Packed] = {}

    @property
    def digest(self) -> str:
        """Digest of the examples and of how they are fitted to rows; neither names nor folders of files change it."""
        arrays = (self.ids.astype("<i4"), self.targets, self.starts.astype("<i8"))
        held = [sha256(part.tobytes()) for part in arrays]
        return identity_of({"tokens": held, "pad": self.pad, "fitting": asdict(self.fitting), **self.made_with})

    def positions(self, sequence: int) -> int:
        """Rows of ``sequence`` tokens."""
        return len(self._rows(sequence).starts) - 1

    def row(self, position: int, sequence: int) -> Rows:
        """One row as a model is given it, (1, sequence); its padding is a document of its own and never predicted."""
        rows = Rows(*(np.empty((1, sequence), np.int64) for _ in range(4)))
        packed, at, document = self._rows(sequence), 0, 0
        for document, example in enumerate(self._in_row(position, sequence), 1):
            first, count = int(self.starts[example]), int(packed.lengths[example])
            place, following = (0, slice(at, at + count)), slice(first + 1, first + count + 1)
            rows.inputs[place] = self.ids[first : first + count]
            rows.labels[place] = np.where(self.targets[following], self.ids[following], IGNORED)
            rows.positions[place], rows.documents[place] = np.arange(count), document - 1
            at += count
        rest = (0, slice(at, sequence))
        rows.inputs[rest], rows.labels[rest] = self.pad, IGNORED
        rows.positions[rest], rows.documents[rest] = np.arange(sequence - at), document
        return rows

    def examples(self, position: int, sequence: int) -> list[tuple[int, str, int]]:
        """The examples of a row in order, each with its number, its file and its line."""
        found = self._in_row(position, sequence)
        return [(example, self.places[example].file, self.places[example].line) for example in found]

    def summary(self, sequence: int) -> Summary:
        packed = self._rows(sequence)
        rows, filled = len(packed.starts) - 1, int(packed.lengths.sum())
        return Summary(
            sequence=sequence,
            examples=len(packed.order),
            tokens=filled,
            target_tokens=int(self._learnt(packed.lengths)[packed.lengths > 0].sum()),
            rows=rows,
            fill=filled / max(1, rows * sequence),
            cut=packed.cut,
            dropped=packed.dropped,
        )

    def _in_row(self, position: int, sequence: int) -> list[int]:
        packed, rows = self._rows(sequence), self.positions(sequence)
        if not 0 <= position < rows:
            raise IndexError(f"{self.name} has {rows:,} rows of {sequence:,} tokens; there is no row {position:,}")
        found: list[int] = packed.order[packed.starts[position] : packed.starts[position + 1]].tolist()
        return found

    def _rows(self, sequence: int) -> Packed:
        """Rows of a length, packed once."""
        if sequence not in self._packed:
            self._packed[sequence] = self._fitted(sequence)
        return self._packed[sequence]

    def _fitted(self, sequence: int) -> Packed:
        inputs = np.diff(self.starts) - 1
        long = inputs > sequence
        lengths = np.minimum(inputs, sequence)
        emptied = self._learnt(lengths) == 0
        dropped = long if self.fitting.too_long == "drop" else emptied
        lengths[dropped] = 0
        kept = np.flatnonzero(~dropped)
        row_of = best_fit(lengths[kept], sequence) if self.fitting.packing else np.arange(len(kept))
        order = kept[np.argsort(row_of, kind="stable")]
        starts = np.concatenate([[0], np.cumsum(np.bincount(row_of), dtype=np.int64)])
        reason = "too_long" if self.fitting.too_long == "drop" else "cut_before_response"
        return Packed(order, starts, lengths, int((long & ~dropped).sum()), {reason: int(dropped.sum())})

    def _learnt(self, lengths: Numbers) -> Numbers:
        """Tokens that are learnt in the first ``lengths`` labels of each example."""
        first = self.starts[:-1] + 1
        learnt: Numbers = self._target_counts[first + lengths] - self._target_counts[first]
        return learnt


@validated(frozen=True, config=ConfigDict(extra="forbid"))
class Examples:
    """Examples of JSON Lines files.

    ``template`` is ``chatml``, ``instruction_ja``, ``instruction_en`` or a ``.jinja`` file; without it, the tokenizer's
    own. One that writes today's date writes ``today``. All ``turns`` of the assistant are learnt, or the last. An
    example longer than a row is dropped or cut (``too_long``); ``packing: false`` gives each a row of its own.
    ``allow_bad`` lines are passed over.
    """

    files: tuple[str, ...] = Field(min_length=1)
    template: str | None = None
    today: date | None = None
    turns: Turns = "all"
    too_long: Literal["drop", "cut"] = "drop"
    packing: bool = True
    allow_bad: NonNegativeInt = 0

    def read(self, name: str, tokenizer: ChatTokenizer) -> ExampleSource:
        """The source ``name`` of these examples; raises ``BadExampleError`` for lines that cannot be learnt from."""
        reading = Reading(self.files, self.allow_bad)
        template = choose(tokenizer, self.template, self.today)
        tokens = tokenised(reading, Writer(tokenizer, template, self.turns))
        if not tokens.places:
            raise ValueError(f"{name} has no example in {', '.join(self.files)}; give files that hold some")
        made_with = {"template": template.digest, "tokenizer": tokenizer.digest}
        fitting = Fitting(self.too_long, self.packing)
        return ExampleSource(name, tokens, tokenizer.pad, fitting, made_with, reading.shapes, reading.bad)


def tokenised(reading: Reading, writer: Writer) -> Tokens:
    """Every example that is read, written and tokenised; what cannot be written counts among the bad lines."""
    ids, targets, lengths = array("i"), bytearray(), [0]
    places: list[Place] = []
    for examples in _chunks(iter(reading)):
        found = writer.write([(example.messages, example.tools) for example in examples])
        for example, written in zip(examples, found, strict=True):
            if isinstance(written, Wrong):
                reading.refuse(example.place, written)
                continue
            ids.frombytes(written.ids.tobytes())
            targets += written.targets.tobytes()
            lengths.append(len(written.ids))
            places.append(example.place)
    starts = np.cumsum(lengths, dtype=np.int64)
    return Tokens(np.array(ids, np.int32), np.frombuffer(bytes(targets), np.bool_), starts, places)


def _chunks(examples: Iterator[Example]) -> Iterator[list[Example]]:
    while chunk := list(islice(examples, AT_ONCE)):
        yield chunk
