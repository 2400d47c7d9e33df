"""The tokenize pass from corpus shards to token shards: content, split, determinism, errors."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from corpusforge.demo.pages import Draft, plan
from corpusforge.engine.attempt import Output, Place
from corpusforge.engine.run import Outcome, run
from corpusforge.engine.serial_pool import SerialPool
from corpusforge.engine.tables import TableWriter
from corpusforge.engine.unit import Manifest
from corpusforge.passes.tokenize import Tokenize
from corpusforge.schema import TOKEN_DOCUMENT
from corpusforge.storage import Store
from corpusforge.text.boundaries import word_ends
from corpusforge.text.sentences import sentence_ends
from corpusforge.tokens.encoders import Reference
from corpusforge.tokens.split import TRAIN, VALIDATION, split_of
from corpusforge.tokens.tokenizer import Train, train
from tests.tokens.reading import documents_of
from tests.tokens.test_encoders import tokenizer_with_digits

EOD = "<|endoftext|>"
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("text", pa.large_string()),
        ("lang", pa.string()),
        ("licence", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
        ("source_length", pa.int64()),
        ("cluster_id", pa.string()),
        ("cluster_size", pa.int32()),
    ]
)
SMALL = Train(vocab_size=600, sample_bytes=20_000)


def document(text: str, lang: str = "ja", cluster: str | None = None) -> dict[str, Any]:
    id = hashlib.md5(text.encode()).hexdigest()
    size = None if cluster is None else 2
    place = {"source_file": "a.warc.gz", "source_offset": len(text), "source_length": 9}
    return {"id": id, "url": f"https://x/{id}", "text": text, "lang": lang, "licence": None, **place} | {
        "cluster_id": cluster,
        "cluster_size": size,
    }


JA = [document(f"{n}番目の文書。吾輩は猫である、名前はまだ無い。" * (n % 7 + 1)) for n in range(240)]
EN = [document(f"Page {n}: {EOD} is text here, isn't it?\n\n" * (n % 5 + 1), "en") for n in range(90)]


def shard(place: Place, name: str, rows: Sequence[dict[str, Any]], swept: Sequence[dict[str, Any]] = ()) -> Manifest:
    out = Output(place, "corpus", name, "a")
    for role, lines in (("kept.parquet", rows), ("swept.parquet", swept)):
        with out.create(role) as file, TableWriter(file, SCHEMA) as writer:
            writer.write(pa.RecordBatch.from_pylist(list(lines), SCHEMA))
    counts = {"documents": len(rows), "text_bytes": sum(len(row["text"].encode()) for row in rows)}
    return place.commit(Manifest("corpus", name, f"identity of {name}", tuple(out.files), counts))


def corpus(place: Place) -> list[Manifest]:
    return [shard(place, "ja-000000", JA[:100]), shard(place, "ja-000001", JA[100:]), shard(place, "en-000000", EN)]


def place_in(root: Path, version: str = "v1") -> Place:
    return Place(Store(str(root)), version)


def tokenised(
    recipe: Tokenize,
    place: Place,
    shards: Sequence[Manifest],
    earlier: Sequence[Manifest] = (),
    earlier_shards: Sequence[Manifest] = (),
) -> list[Outcome]:
    """The outcomes of the tokenizer and of the documents."""
    made: dict[str, Sequence[Manifest]] = {"corpus": shards}
    before = {f"earlier/{recipe.name}": earlier, "earlier/corpus": earlier_shards}
    outcomes = []
    for step in recipe.steps():
        reads = {name: made[name] for name in step.reads}
        outcomes.append(run(step, {**reads, **before}, place, lambda resources, units: SerialPool()))
        made[step.name] = outcomes[-1].manifests
    return [outcomes[0], outcomes[2]]


def digests(outcomes: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    return [(m.unit, f.role, f.sha256) for o in outcomes for m in o.manifests for f in m.files]


def read(root: Path, manifest: Manifest, split: str) -> list[tuple[dict[str, Any], list[int]]]:
    """Each document's line in the sidecar with its token ids."""
    paths = {f.role: root / f.path for f in manifest.files}
    if f"{split}.bin" not in paths:
        return []
    lines = pq.read_table(paths[f"{split}.docs.parquet"]).to_pylist()
    return list(zip(lines, documents_of(paths[f"{split}.bin"], paths[f"{split}.idx"]), strict=True))


def test_every_document_is_there_once_in_order_and_comes_back(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    made, encoded = tokenised(Tokenize("tokens", tokenizer=SMALL, validation_share=0.2), place, corpus(place))
    data = (tmp_path / made.manifests[0].file("tokenizer.json").path).read_bytes()
    reference = Reference(data, EOD)
    assert [m.unit for m in encoded.manifests] == ["en-000000", "ja-000000"]
    for manifest, rows in zip(encoded.manifests, (EN, JA), strict=True):
        found = {split: read(tmp_path, manifest, split) for split in (TRAIN, VALIDATION)}
        for split, documents in found.items():
            wanted = [row for row in rows if split_of(row["id"], 0.2) == split]
            assert len(documents) > 5
            assert [line["id"] for line, _ in documents] == [row["id"] for row in wanted]
            for row, (line, ids) in zip(wanted, documents, strict=True):
                assert ids[-1] == reference.eod
                assert reference.eod not in ids[:-1]
                assert reference.decode(np.array(ids[:-1])) == row["text"]
                assert line["token_count"] == len(ids)
                assert (line["split"], line["cluster_size"], line["lang"]) == (split, 1, row["lang"])
                assert line["source_offset"] == row["source_offset"]


def test_counts_add_up(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    made, encoded = tokenised(Tokenize("tokens", tokenizer=SMALL, validation_share=0.2), place, corpus(place))
    assert 300 < made.manifests[0].counts["vocabulary"] <= 600
    ja = encoded.manifests[1]
    report = place.report(ja)
    assert ja.counts["records"] == ja.counts["kept"] == ja.counts["documents"] == len(JA)
    assert ja.counts["train.documents"] + ja.counts["validation.documents"] == len(JA)
    assert ja.counts["train.tokens"] + ja.counts["validation.tokens"] == ja.counts["tokens"]
    tokens = [len(ids) for split in (TRAIN, VALIDATION) for _, ids in read(tmp_path, ja, split)]
    assert sum(tokens) == ja.counts["tokens"]
    assert ja.counts["characters"] == sum(len(row["text"]) for row in JA)
    assert ja.counts["text_bytes"] == sum(len(row["text"].encode()) for row in JA)
    bins = report.histograms["tokens_per_document"]
    assert sum(bins.values()) == len(JA)
    assert bins["2^06"] == sum(64 <= count < 128 for count in tokens)


def test_two_runs_under_two_roots_give_the_same_digests(tmp_path: Path) -> None:
    recipe = Tokenize("tokens", tokenizer=SMALL, validation_share=0.1, unit_bytes=10_000)
    runs = []
    for root, backwards in (("a", False), ("b", True)):
        place = place_in(tmp_path / root)
        shards = corpus(place)
        runs.append(digests(tokenised(recipe, place, shards[::-1] if backwards else shards)))
    assert runs[0] == runs[1]
    assert len({unit for unit, _, _ in runs[0]}) > 3


def test_both_encoders_write_the_same_bytes(tmp_path: Path) -> None:
    runs = []
    for encoder in ("gigatoken", "tokenizers"):
        place = place_in(tmp_path / encoder)
        runs.append(digests(tokenised(Tokenize("tokens", tokenizer=SMALL, encoder=encoder), place, corpus(place))))
    assert runs[0] == runs[1]


def test_unigram_from_end_to_end(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    recipe = Tokenize("tokens", tokenizer=Train(kind="unigram", vocab_size=700), encoder="sentencepiece")
    made, encoded = tokenised(recipe, place, corpus(place))
    assert [f.role for f in made.manifests[0].files] == ["report.json", "tokenizer.model"]
    assert sum(m.counts["documents"] for m in encoded.manifests) == len(JA) + len(EN)


def test_units_are_runs_of_one_series_and_empty_ones_commit(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    shards = [
        shard(place, "ja-000000", []),
        shard(place, "zh_hant-000000", JA[:3]),
        shard(place, "zh_hant-000001", JA[3:6]),
    ]
    _, encoded = tokenised(Tokenize("tokens", tokenizer=SMALL, unit_bytes=100), place, shards)
    assert [m.unit for m in encoded.manifests] == ["ja-000000", "zh_hant-000000", "zh_hant-000001"]
    assert [f.role for f in encoded.manifests[0].files] == ["report.json"]
    assert [m.counts.get("documents", 0) for m in encoded.manifests] == [0, 3, 3]


def test_clusters_share_a_split_and_keep_their_size(tmp_path: Path) -> None:
    name = next(f"{n:032x}" for n in range(999) if split_of(f"{n:032x}", 0.1) == VALIDATION)
    rows = [document(f"同じ塊の文書 {n}", cluster=name) for n in range(9)]
    place = place_in(tmp_path)
    _, encoded = tokenised(
        Tokenize("tokens", tokenizer=SMALL, validation_share=0.1), place, [shard(place, "ja-0", rows)]
    )
    assert encoded.manifests[0].counts["validation.documents"] == 9
    assert {line["cluster_size"] for line, _ in read(tmp_path, encoded.manifests[0], VALIDATION)} == {2}


def test_a_later_version_keeps_the_split_of_an_earlier_one(tmp_path: Path) -> None:
    recipe = Tokenize("tokens", tokenizer=SMALL, validation_share=0.3)
    first = place_in(tmp_path)
    first_shards = corpus(first)
    _, before = tokenised(recipe, first, first_shards)
    was = {
        line["id"]: split
        for manifest in before.manifests
        for split in (TRAIN, VALIDATION)
        for line, _ in read(tmp_path, manifest, split)
    }
    held = [row for row in JA if was[row["id"]] == VALIDATION]
    trained = [row for row in JA if was[row["id"]] == TRAIN]
    new = next(n for n in range(999) if split_of(f"{n:032x}", 0.3) == TRAIN)
    # A new document whose cluster swept one validation and one train document of before, in another shard.
    joining = document("新しい文書", cluster=f"{new:032x}")
    twins = [{**row, "cluster_id": f"{new:032x}"} for row in (held[0], trained[0])]
    left = [row for row in JA if row not in (held[0], trained[0])]
    second = place_in(tmp_path, "v2")
    shards = [shard(second, "ja-000000", [joining, *left]), shard(second, "en-000000", EN[:50], twins)]
    none = Tokenize("tokens", tokenizer=SMALL, validation_share=0.0)
    _, after = tokenised(none, second, shards, before.manifests, first_shards)
    now = {
        line["id"]: split
        for manifest in after.manifests
        for split in (TRAIN, VALIDATION)
        for line, _ in read(tmp_path, manifest, split)
    }
    assert now[joining["id"]] == VALIDATION
    assert {id: split for id, split in now.items() if id != joining["id"]} == {
        id: was[id] for id in now if id != joining["id"]
    }
    assert VALIDATION in {now[row["id"]] for row in EN[:50]}


def test_a_taken_tokenizer_is_known_by_its_digest_not_its_path(tmp_path: Path) -> None:
    place = place_in(tmp_path / "root")
    made, _ = tokenised(Tokenize("tokens", tokenizer=SMALL), place, corpus(place))
    data = (tmp_path / "root" / made.manifests[0].file("tokenizer.json").path).read_bytes()
    specs, found = [], []
    for folder in ("here", "there"):
        path = tmp_path / folder / "tokenizer.json"
        path.parent.mkdir()
        path.write_bytes(data)
        recipe = Tokenize("tokens", tokenizer={"path": str(path)})  # type: ignore[arg-type]
        other = place_in(tmp_path / folder / "root")
        specs.append([step.spec() for step in recipe.steps()])
        found.append(digests(tokenised(recipe, other, corpus(other))))
    assert specs[0] == specs[1]
    assert found[0] == found[1]
    assert str(tmp_path) not in str(specs)


def test_a_real_difference_between_encoders_fails_the_unit_by_document(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(tokenizer_with_digits())
    place = place_in(tmp_path / "root")
    odd = document("Flight 77.")
    shards = [shard(place, "en-000000", EN[:10]), shard(place, "ja-000000", [*JA[:10], odd])]
    taken = {"path": str(path)}
    _, encoded = tokenised(Tokenize("tokens", tokenizer=taken), place, shards)  # type: ignore[arg-type]
    (failed,) = encoded.failed
    assert failed.unit == "ja-000000"
    assert f"document {odd['id']} at token" in failed.causes[-1]
    assert [m.unit for m in encoded.manifests] == ["en-000000"]
    again = place_in(tmp_path / "again")
    shards = [shard(again, "ja-000000", [*JA[:10], odd])]
    exact = Tokenize("tokens", tokenizer=taken, encoder="tokenizers")  # type: ignore[arg-type]
    assert not tokenised(exact, again, shards)[1].failed


def test_boundaries_of_demo_pages_are_ends_of_words_and_sentences(tmp_path: Path) -> None:
    pytest.importorskip("sudachipy", reason="pip install 'corpusforge[words]'")
    pages = [draft for draft in plan(120, 1) if draft.body]
    rows = {lang: [page for page in pages if page.lang == lang] for lang in ("en", "ja")}
    documents = {lang: [demo_document(page) for page in found] for lang, found in rows.items()}
    place = place_in(tmp_path)
    shards = [shard(place, f"{lang}-000000", found) for lang, found in documents.items()]
    recipe = Tokenize("tokens", tokenizer=Train(vocab_size=2000), boundaries=("words", "sentences"))
    made, encoded = tokenised(recipe, place, shards)
    data = (tmp_path / made.manifests[0].file("tokenizer.json").path).read_bytes()
    pieces = Reference(data, EOD).token_bytes()
    for manifest in encoded.manifests:
        texts = {row["id"]: row["text"] for found in documents.values() for row in found}
        assert 0.6 * manifest.counts["word_ends.found"] < manifest.counts["word_ends.kept"]
        assert 0.9 * manifest.counts["sentence_ends.found"] < manifest.counts["sentence_ends.kept"]
        for split in (TRAIN, VALIDATION):
            for line, ids in read(tmp_path, manifest, split):
                text = texts[line["id"]]
                for column, find in (("word_ends", word_ends), ("sentence_ends", sentence_ends)):
                    ends = line[column]
                    assert ends == sorted(set(ends))
                    assert ends[-1] == line["token_count"] - 1 == len(ids) - 1
                    joined = ["".join(decoded(pieces, ids[:end])) for end in ends]
                    places = set(find(text).tolist())
                    assert all(text.startswith(found) and len(found) in places for found in joined)


def demo_document(page: Draft) -> dict[str, Any]:
    join = "" if page.lang == "ja" else " "
    return document("\n".join(join.join(sentences) for sentences in page.body) + "\n👩‍👩‍👧", page.lang)


def decoded(pieces: Sequence[bytes], ids: Sequence[int]) -> str:
    return b"".join(pieces[id] for id in ids).decode()


def test_boundaries_change_identity_and_sidecar_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("sudachipy", reason="pip install 'corpusforge[words]'")
    files, specs = {}, {}
    for name, wanted in {"none": "none", "words": "words", "empty": (), "both": ("sentences", "words")}.items():
        place = place_in(tmp_path / name)
        recipe = Tokenize("tokens", tokenizer=SMALL, boundaries=wanted)  # type: ignore[arg-type]
        _, encoded = tokenised(recipe, place, corpus(place))
        assert not encoded.failed
        files[name] = {
            (m.unit, f.role): (f.sha256, tmp_path / name / f.path) for m in encoded.manifests for f in m.files
        }
        specs[name] = recipe.steps()[2].spec()
    off = Tokenize("tokens", tokenizer=SMALL).steps()[2].spec()
    assert off == specs["none"] == specs["empty"]
    assert set(off) == {"pass", "revision", "eod", "validation_share", "unit_bytes", "built_on"}
    assert set(specs["words"]["ends"]["built_on"]) == {"sudachipy", "sudachidict_small"}
    assert specs["both"]["ends"]["columns"] == ["word_ends", "sentence_ends"]
    for key, (digest, path) in files["none"].items():
        if key[1].endswith("docs.parquet"):
            more = {name: set(pq.read_schema(files[name][key][1]).names) - set(TOKEN_DOCUMENT.names) for name in files}
            assert more == {
                "none": set(),
                "empty": set(),
                "words": {"word_ends"},
                "both": {"word_ends", "sentence_ends"},
            }
            assert pq.read_table(path).equals(pq.read_table(files["both"][key][1], columns=TOKEN_DOCUMENT.names))
        elif key[1] != "report.json":
            assert digest == files["both"][key][0]


def test_sentences_of_pieces_need_no_dictionary(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    tokenizer = Train(kind="unigram", vocab_size=700)
    recipe = Tokenize(
        "tokens", tokenizer=tokenizer, encoder="sentencepiece", boundaries="sentences", validation_share=0
    )
    _, encoded = tokenised(recipe, place, [shard(place, "ja-000000", [*JA[:40], document("棒▁▂です。次。")])])
    assert set(recipe.steps()[2].spec()["ends"]) == {"columns", "revision"}
    lines = [line for line, _ in read(tmp_path, encoded.manifests[0], TRAIN)]
    assert [len(line["sentence_ends"]) for line in lines] == [2 * (n % 7 + 1) for n in range(40)] + [2]


def test_a_tokenizer_that_changes_text_fails_by_document(tmp_path: Path) -> None:
    config = json.loads(train(Train(vocab_size=600), [JA[0]["text"]], EOD))
    config["normalizer"] = {"type": "NFKC"}
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(config))
    place = place_in(tmp_path / "root")
    odd = document("㍿の文書")
    taken = {"path": str(path)}
    recipe = Tokenize("tokens", tokenizer=taken, encoder="tokenizers", boundaries="sentences")  # type: ignore[arg-type]
    _, encoded = tokenised(recipe, place, [shard(place, "ja-000000", [*JA[:3], odd])])
    (failed,) = encoded.failed
    assert f"the tokens of document {odd['id']} do not join to its text: at character 0" in failed.causes[-1]


def test_without_the_dictionary_words_are_refused_before_work() -> None:
    code = """
import sys
sys.modules["sudachipy"] = None
from corpusforge.passes.tokenize import Tokenize
Tokenize("tokens", boundaries="sentences").steps()[2].spec()
Tokenize("tokens", boundaries="words").steps()[2].spec()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError: boundaries of Japanese words need SudachiPy")
    assert "pip install 'corpusforge[words]'" in last


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"boundaries": "word"}, "'none', 'words' or 'sentences'"),
        ({"boundaries": ["words", "lines"]}, "'words' or 'sentences'"),
        ({"tokenizer": {"kind": "unigram"}}, "set encoder: sentencepiece"),
        ({"encoder": "sentencepiece"}, "set encoder: tokenizers"),
        ({"tokenizer": {"path": "x.model"}}, "set encoder: sentencepiece"),
        ({"tokenizer": {"path": "x.txt"}}, "tokenizer.json or a sentencepiece"),
        ({"validation_share": 1.5}, "less than or equal to 1"),
        ({"encoder": "other"}, "'gigatoken'"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_wrong_recipe_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Tokenize("tokens", **fields)
