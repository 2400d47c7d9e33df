"""The tokenize pass: a tokenizer from a sample or a file, then documents as token shards with their sidecars.

Three engine passes: ``NAME/tokenizer`` (one unit: the tokenizer file), ``NAME/splits`` (one unit, only where the build
stands on an earlier version) and ``NAME`` (units: runs of corpus shards of one series).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from corpusforge.engine.attempt import Output, Pass, Reader, Resources
from corpusforge.engine.tables import read_rows, schema_of
from corpusforge.engine.unit import File, Manifest, Unit
from corpusforge.passes.document_ends import ENDS, Boundary, DocumentEnds, ends_spec
from corpusforge.passes.specs import library_version
from corpusforge.passes.splits import KeepSplits, known_splits
from corpusforge.report.add import Report
from corpusforge.text.canonical import sha256 as digest_of
from corpusforge.tokens.encoders import ENCODERS, Encoder, check, load
from corpusforge.tokens.megatron import Ids, SplitWriter
from corpusforge.tokens.split import SPLITS, hash_of, split_of
from corpusforge.tokens.tokenizer import Take, Train, by_series, sampled, smallest, train

STRICT = ConfigDict(extra="forbid")
COMPARED = 64
"""Documents of a unit, those with the smallest hash of id, on which a fast encoder is compared with the reference."""
COMPARED_CHARACTERS = 2048
COPIED = ("id", "url", "source_file", "source_offset", "source_length", "lang", "licence")


@dataclass(frozen=True, config=STRICT)
class Tokenize:
    """Encode every document and write token shards, ``validation_share`` of the duplicate clusters apart.

    ``tokenizer`` is trained on the corpus or taken from a file; ``eod`` is the token that ends each document (a
    sentencepiece model has its own). ``unit_bytes`` is the text of one token shard. ``boundaries`` are stored beside
    the documents, in tokens: where words end, where sentences end; whole-word masking and pairs of sentences need them.
    """

    name: str
    reads: tuple[str, ...] = ("corpus",)
    tokenizer: Train | Take = Field(default_factory=Train)
    encoder: Literal["gigatoken", "tokenizers", "sentencepiece"] = "gigatoken"
    validation_share: float = Field(default=0.005, ge=0, le=1)
    unit_bytes: int = Field(default=256 << 20, ge=1)
    eod: str = Field(default="<|endoftext|>", min_length=1)
    boundaries: Literal["none", "words", "sentences"] | tuple[Boundary, ...] = "none"

    @model_validator(mode="after")
    def _encoder_reads_the_tokenizer(self) -> "Tokenize":
        role, _ = ENCODERS[self.encoder]
        if role != self.tokenizer.role:
            fitting = [name for name, (reads, _) in ENCODERS.items() if reads == self.tokenizer.role]
            raise ValueError(
                f"the encoder {self.encoder} does not read a {self.tokenizer.role}; set encoder: {fitting[0]}"
            )
        return self

    @property
    def ends(self) -> tuple[str, ...]:
        """The columns of ends that the sidecars have."""
        wanted = (self.boundaries,) if isinstance(self.boundaries, str) else self.boundaries
        return tuple(column for boundary, column in ENDS.items() if boundary in wanted)

    def steps(self) -> tuple[Pass, ...]:
        """The engine passes, in order."""
        return MakeTokenizer(self), KeepSplits(f"{self.name}/splits", self.reads[0], self.name), EncodeDocuments(self)


@dataclass(frozen=True, config=STRICT)
class MakeTokenizer:
    """``NAME/tokenizer``: one unit that commits the tokenizer file."""

    recipe: Tokenize

    @property
    def name(self) -> str:
        return f"{self.recipe.name}/tokenizer"

    @property
    def reads(self) -> tuple[str, ...]:
        return self.recipe.reads[:1]

    @property
    def resources(self) -> Resources:
        how, usual = self.recipe.tokenizer, Resources()
        return Resources(memory=max(usual.memory, how.memory)) if isinstance(how, Train) else usual

    def spec(self) -> dict[str, Any]:
        how = self.recipe.tokenizer
        spec: dict[str, Any] = {"pass": "tokenizer", "revision": 1, "eod": self.recipe.eod}
        if isinstance(how, Take):
            return {**spec, "take": {"role": how.role, "sha256": how.sha256 or digest_of(how.read())}}
        library = "tokenizers" if how.kind == "bpe" else "sentencepiece"
        made = {"kind": how.kind, "vocab_size": how.vocab_size, "sample_bytes": how.sample_bytes}
        return {**spec, "train": made, "built_on": {library: library_version(library)}}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        how = self.recipe.tokenizer
        if isinstance(how, Take):
            return [Unit("tokenizer", self.spec()["take"])]
        chosen = list(sampled(inputs[self.reads[0]], how.sample_bytes))
        files = tuple(manifest.file("kept.parquet") for manifest, _ in chosen)
        shares = [share for _, share in chosen]
        return [Unit("tokenizer", {"sample_bytes": shares}, files, sum(shares))]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        how, report = self.recipe.tokenizer, Report()
        if isinstance(how, Take):
            data = how.read(unit.spec["sha256"])
        else:
            texts = _sample(unit, inputs)
            report.count("sample.documents", len(texts))
            report.count("sample.text_bytes", sum(len(text.encode()) for text in texts))
            data = train(how, texts, self.recipe.eod)
        # An unusable tokenizer ends the run here, not in every unit after it.
        report.count("vocabulary", load(self.recipe.encoder, data, self.recipe.eod).vocabulary)
        with out.create(how.role) as file:
            file.write(data)
        return report


@dataclass(frozen=True, config=STRICT)
class EncodeDocuments:
    """``NAME``: each unit encodes a run of shards and writes a token shard for every split that has documents."""

    recipe: Tokenize

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.recipe.reads[:1], f"{self.recipe.name}/tokenizer", f"{self.recipe.name}/splits")

    @property
    def resources(self) -> Resources:
        return Resources()

    def spec(self) -> dict[str, Any]:
        library = "sentencepiece" if self.recipe.encoder == "sentencepiece" else "tokenizers"
        spec = {
            "pass": "tokenize",
            "revision": 1,
            "eod": self.recipe.eod,
            "validation_share": self.recipe.validation_share,
            "unit_bytes": self.recipe.unit_bytes,
            "built_on": {library: library_version(library)},
        }
        return {**spec, "ends": ends_spec(self.recipe.ends)} if self.recipe.ends else spec

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        shards, (tokenizer,) = inputs[self.reads[0]], inputs[self.reads[1]]
        splits = [manifest.file("splits.parquet") for manifest in inputs[self.reads[2]]]
        more = (tokenizer.file(self.recipe.tokenizer.role), *splits)
        return [unit for series, run in by_series(shards) for unit in self._units(series, run, more)]

    def _units(self, series: str, shards: Sequence[Manifest], more: tuple[File, ...]) -> Iterator[Unit]:
        for number, run in enumerate(_runs(shards, self.recipe.unit_bytes)):
            files = tuple(manifest.file("kept.parquet") for manifest in run)
            size = sum(manifest.counts.get("text_bytes", 0) for manifest in run)
            yield Unit(f"{series}-{number:06d}", {"series": series}, (*files, *more), size)

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        encoder = self._load(self.recipe.encoder, unit, inputs)
        located = DocumentEnds(self.recipe.ends, encoder)
        clusters = _clusters(unit, inputs)
        carried = next((f for f in unit.reads if f.role == "splits.parquet"), None)
        splits = known_splits(inputs, carried, frozenset(clusters.values())) if carried else {}
        report, compared = Report(), _compared(clusters)
        writers: dict[str, SplitWriter] = {}
        samples: list[tuple[str, str]] = []
        with ExitStack() as files:
            for batch in _rows(unit, inputs):
                samples += _pieces(batch, compared)
                tokens = self._encoded(encoder, batch)
                _count(report, batch, tokens)
                columns = located.columns(batch, tokens, report)
                for split, rows, ids in self._split(batch, tokens, columns, clusters, splits):
                    if split not in writers:
                        made = SplitWriter(out, split, encoder.vocabulary, encoder.eod, self.recipe.ends)
                        writers[split] = files.enter_context(made)
                    writers[split].write(rows, ids)
            if self.recipe.encoder == "gigatoken":
                check(encoder, self._load("tokenizers", unit, inputs), samples)
        for split, writer in writers.items():
            report.count("tokens", writer.tokens)
            report.count(f"{split}.documents", writer.documents)
            report.count(f"{split}.tokens", writer.tokens)
        return report

    def _load(self, name: str, unit: Unit, inputs: Reader) -> Encoder:
        with inputs.open(next(f for f in unit.reads if f.role == self.recipe.tokenizer.role)) as file:
            return load(name, file.read(), self.recipe.eod)

    def _encoded(self, encoder: Encoder, batch: pa.RecordBatch) -> list[Ids]:
        tokens = encoder.encode(batch["text"].to_pylist())
        for row, ids in enumerate(tokens):
            if (ids == encoder.eod).any():
                raise ValueError(f"the text of document {batch['id'][row]} encodes to the end-of-document id")
        return tokens

    def _split(
        self,
        batch: pa.RecordBatch,
        tokens: Sequence[Ids],
        more: Mapping[str, pa.Array],
        clusters: Mapping[str, str],
        splits: Mapping[str, str],
    ) -> Iterator[tuple[str, pa.RecordBatch, list[Ids]]]:
        """The documents of each split that has any, in order."""
        names = [clusters[id] for id in batch["id"].to_pylist()]
        chosen = [splits.get(name) or split_of(name, self.recipe.validation_share) for name in names]
        columns = {name: batch[name] for name in (*COPIED, "cluster_size")} | dict(more)
        rows = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
        for split in SPLITS:
            found = [row for row, its in enumerate(chosen) if its == split]
            if found:
                yield split, rows.take(pa.array(found)), [tokens[row] for row in found]


def _runs(shards: Sequence[Manifest], unit_bytes: int) -> Iterator[list[Manifest]]:
    run: list[Manifest] = []
    held = 0
    for shard in shards:
        size = shard.counts.get("text_bytes", 0)
        if run and held + size > unit_bytes:
            yield run
            run, held = [], 0
        run.append(shard)
        held += size
    if run:
        yield run


def _sample(unit: Unit, inputs: Reader) -> list[str]:
    """The texts of the sample, by hash of id: the order of shards and rows does not show."""
    found: list[tuple[int, str, str]] = []
    for file, share in zip(unit.reads, unit.spec["sample_bytes"], strict=True):
        with inputs.open(file) as opened:
            found += smallest(read_rows(opened, columns=("id", "text")), share)
    return [text for _, _, text in sorted(found)]


def _rows(unit: Unit, inputs: Reader) -> Iterator[pa.RecordBatch]:
    """The documents of a unit with the columns that are needed; without a dedup pass each is its own cluster."""
    for file in unit.reads:
        if file.role != "kept.parquet":
            continue
        with inputs.open(file) as opened:
            there = schema_of(opened).names
            wanted = [name for name in (*COPIED, "text", "cluster_size") if name in there]
            for batch in read_rows(opened, columns=wanted):
                sizes = (
                    batch["cluster_size"].fill_null(1) if "cluster_size" in there else pa.array([1] * batch.num_rows)
                )
                columns = {name: batch[name] for name in (*COPIED, "text")} | {"cluster_size": sizes}
                yield pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _clusters(unit: Unit, inputs: Reader) -> dict[str, str]:
    """The cluster of each document of a unit: ``cluster_id``, or its own id without twins."""
    return {
        id: cluster or id
        for file in unit.reads
        if file.role == "kept.parquet"
        for id, cluster in _pairs(inputs, file, "cluster_id")
    }


def _pairs(inputs: Reader, file: File, column: str) -> Iterator[tuple[str, Any]]:
    """(id, value of ``column`` or None) of each row."""
    with inputs.open(file) as opened:
        there = column in schema_of(opened).names
        for batch in read_rows(opened, columns=("id", column) if there else ("id",)):
            values = batch[column].to_pylist() if there else [None] * batch.num_rows
            yield from zip(batch["id"].to_pylist(), values, strict=True)


def _compared(clusters: Mapping[str, str]) -> frozenset[str]:
    """The ids on which encoders are compared: those with the smallest hash."""
    return frozenset(sorted(clusters, key=lambda id: (hash_of(id, b"compare"), id))[:COMPARED])


def _pieces(batch: pa.RecordBatch, compared: frozenset[str]) -> list[tuple[str, str]]:
    ids = batch["id"].to_pylist()
    return [(id, batch["text"][row].as_py()[:COMPARED_CHARACTERS]) for row, id in enumerate(ids) if id in compared]


def _count(report: Report, batch: pa.RecordBatch, tokens: Sequence[Ids]) -> None:
    """Count documents and their text; the bin ``2^05`` holds lengths of 32 to 63 tokens, EOD included."""
    for name in ("records", "kept", "documents"):
        report.count(name, batch.num_rows)
    report.count("characters", pc.sum(pc.utf8_length(batch["text"])).as_py())
    report.count("text_bytes", pc.sum(pc.binary_length(batch["text"])).as_py())
    report.bins("tokens_per_document", (f"2^{(len(ids) + 1).bit_length() - 1:02d}" for ids in tokens))
