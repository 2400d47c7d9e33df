"""The tokens of a corpus as a source: the documents that were built, and a clear error where there are none."""

import json

import numpy as np
import pytest

import corpusforge as cf
from corpusforge.api import VersionError
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.stream import Stream
from tests.numbered import RECIPE, text

TOKENS = "  - {name: tokens, use: tokenize, tokenizer: {vocab_size: 512}, validation_share: 0.2}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> cf.Run:
    folder = tmp_path_factory.mktemp("small")
    (folder / "in.jsonl").write_text("\n".join(json.dumps({"id": n, "text": text(n)}) for n in range(60)))
    (folder / "small.yaml").write_text(RECIPE + TOKENS)
    return cf.build(folder / "small.yaml", inputs=[str(folder / "in.jsonl")], root=folder / "out", pool="serial")


def test_the_documents_that_were_built_come_back(run: cf.Run) -> None:
    sources = [cf.token_source(str(run.address), split) for split in ("train", "validation")]
    assert [source.name for source in sources] == ["numbered/dev-1", "numbered/dev-1/validation"]
    spans = [span for source in sources for span in source.documents(0, source.tokens)]
    ids = {span.shard.column("id")["id"][span.document].as_py() for span in spans}
    assert ids == {row["id"] for row in run.documents()}
    for span in spans:
        assert span.shard.ids[span.shard.starts[span.document + 1] - 1] == sources[0].eod


def test_a_stream_reads_them(run: cf.Run) -> None:
    source = cf.token_source(str(run.address))
    stream = Stream({source.name: source}, [Segment(0, {source.name: 1})], 0, 32)
    ids = stream.read(0, 50)
    assert ids.shape == (50, 33)
    for sample, row in enumerate(ids):
        spans = stream.documents(sample)
        own = [span.shard.ids[span.shard.starts[span.document] + span.start :][: span.count] for span in spans]
        assert row.tolist() == np.concatenate(own).tolist()


@pytest.mark.parametrize(
    ("below", "more", "message"),
    [
        ("", {"split": "test"}, "has no tokens of the split 'test'"),
        ("", {"series": ["ja"]}, "has no tokens of the split 'train' in the series ja"),
        ("/corpus", {}, "name the pass that wrote the tokens, as in dev-1/tokens; there are: tokens"),
    ],
)
def test_tokens_that_are_not_there_are_told(run: cf.Run, below: str, more: dict[str, object], message: str) -> None:
    with pytest.raises(VersionError, match=message):
        cf.token_source(f"{run.address}{below}", **more)  # type: ignore[arg-type]
