"""Whether small models learn what they are to learn, on one core, from real news to figures on text held out.

``python -m benchmarks.training [causal] [masked] [instruction] [--folder F]`` · the livedoor news corpus, built by the
recipe ``text`` with near-duplicates dropped over all of it before a tenth is held out. ``causal``: bits a byte of all
held-out text fall below a byte 5-gram's. ``masked``: masked tokens cost less than by their frequencies, and next
sentences are told from random ones. ``instruction``: the first model is tuned to name the subject of an article; the
loss of held-out answers falls and answers end. Everything is made in the folder, a temporary one by default; what is
there already is gone on with. Prints tables in Markdown, and what training says to standard error.
"""

import argparse
import json
import math
import os
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import yaml
from zstandard import ZstdDecompressor

import corpusforge
from benchmarks.places import DATA, needed
from corpusforge import api
from corpusforge.text.ngram_fit import fit
from corpusforge.text.shingles import keys_of
from corpusforge.tokens.shards import TokenSource
from corpusforge.train.baseline import documents
from corpusforge.train.config import from_json
from corpusforge.train.held_out import held_out, looked_at
from corpusforge.train.log import steps_of, validations_of
from corpusforge.train.objectives.micro_batch import Material
from corpusforge.train.objectives.next_sentence import RANDOM, NextSentence
from corpusforge.train.symbols import symbols_of

ARCHIVE = DATA / "text-ja-livedoor-news" / "livedoor-news.tar.zst"
RECIPE = Path(corpusforge.__file__).parent / "recipes" / "text.yaml"
SUBJECTS = {
    "dokujo-tsushin": "独身の女性",
    "it-life-hack": "ITの活用",
    "kaden-channel": "家電",
    "livedoor-homme": "男性",
    "movie-enter": "映画",
    "peachy": "女性",
    "smax": "モバイル",
    "sports-watch": "スポーツ",
    "topic-news": "話題",
}
"""The columns of livedoor news, and what they are about."""
QUESTION = "次の記事の分野を答えてください。"
SOURCE = {"use": "jsonl.Jsonl", "columns": {"column": "string"}}
TOKENIZE = {"tokenizer": {"vocab_size": 4000}, "validation_share": 0.1, "boundaries": ["words", "sentences"]}
WHOLE = 1_000_000
"""Samples of a validation: all that there are."""
SHINGLE = 5
BIN = 12
"""Tokens: lengths of parts that count as one."""
TITLE = 40
"""Characters of a title that are shown, so that question and answer fit the model's 128 tokens."""
ANSWER_TOKENS = 16
SURE = 1.96
"""Standard deviations on each side of a 95 % interval."""

LLAMA = {"model_type": "llama", "hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 4}
LLAMA |= {"num_attention_heads": 4, "tie_word_embeddings": True}
BERT = {"model_type": "bert", "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 2}
BERT |= {"num_attention_heads": 4, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
BERT |= {"initializer_range": 0.07}
"""BERT's own .02 is for a hidden size of 768."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all of them by default")
    parser.add_argument("--folder", type=Path, help="where everything is made; a temporary folder by default")
    given = parser.parse_args()
    unknown = sorted({*given.parts} - {*PARTS})
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; name some of {', '.join(PARTS)}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.folder or Path(temporary)).absolute()
        corpus = built(folder)
        for part in given.parts or PARTS:
            began = process_time()
            print(f"\n{part}\n")
            PARTS[part](folder, corpus)
            print(f"\n{process_time() - began:,.0f} CPU seconds")


def articles() -> Iterator[dict[str, str]]:
    """The articles, without the two lines of address and date, as ``id``, ``column``, ``title`` and ``text``."""
    raw = needed(ARCHIVE, "CORPUSFORGE_DATA").open("rb")
    with raw, tarfile.open(fileobj=ZstdDecompressor().stream_reader(raw), mode="r|") as archive:
        for member in archive:
            path = Path(member.name)
            content = archive.extractfile(member) if path.parent.name in SUBJECTS else None
            if content is not None and path.stem[-1].isdigit():
                _, _, title, body = content.read().decode().split("\n", 3)
                yield {"id": path.stem, "column": path.parent.name, "title": title, "text": f"{title}\n{body}"}


def built(folder: Path) -> str:
    """The address of the corpus in a folder, built where it is not there yet; says what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    texts, recipe = folder / "articles.jsonl", folder / "recipe.yaml"
    if not texts.exists():
        _write_lines(texts, articles())
    made = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    made["passes"][0]["source"] = SOURCE
    made["passes"][-1] |= TOKENIZE
    recipe.write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
    corpus = api.build(str(recipe), inputs=[str(texts)], root=folder, pool="serial").address
    known, unseen = ([row["text"] for row in rows_of(corpus, split)] for split in ("train", "validation"))
    alike = nearest(known, unseen)
    print(
        f"{len(known):,} documents to train on and {len(unseen):,} held out. The most like of the former has a Jaccard"
    )
    print(f"similarity of .7 or more for {int((alike >= 0.7).sum())} of the latter, {alike.max():.2f} at most.")
    return corpus


def rows_of(corpus: str, split: Any) -> list[dict[str, str]]:
    """The documents of a split."""
    wanted = {id for shard in api.token_source(corpus, split).shards for id in shard.column("id")["id"].to_pylist()}
    return [row for row in api.documents(corpus, ["id", "column", "title", "text"]) if row["id"] in wanted]


def _write_lines(path: Path, rows: Iterable[Any]) -> None:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")


def nearest(known: list[str], unseen: list[str]) -> np.ndarray:
    """For each unseen text the Jaccard similarity of its shingles to those of the known text that is most like it."""
    sets, others = _shingles(known), _shingles(unseen)
    shingles = np.concatenate(sets)
    owners = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    order = np.argsort(shingles, kind="stable")
    shingles, owners, sizes = shingles[order], owners[order], np.array([len(one) for one in sets])
    found = []
    for one in others:
        first, last = np.searchsorted(shingles, one), np.searchsorted(shingles, one, "right")
        places = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)] or [first])
        shared = np.bincount(owners[places], minlength=len(sets))
        found.append(float((shared / np.maximum(sizes + len(one) - shared, 1)).max()))
    return np.array(found)


def _shingles(texts: list[str]) -> list[np.ndarray]:
    keys = keys_of(texts, SHINGLE, SHINGLE)
    return [np.unique(part) for part in np.split(keys.hashes, keys.hash_starts[1:-1])]


def run_of(name: str, folder: Path, data: dict[str, Any], **more: Any) -> Path:
    """A run in ``folder/runs``, trained to its end."""
    given = {"run": name, "data": data, "precision": "fp32", "trackers": [], "checkpoints": {"every": WHOLE}}
    config = from_json({**given, "deepspeed": {"zero_optimization": {"stage": 0}}, **more})
    return api.train_run(config, folder / "runs", ray=False, say=partial(print, file=sys.stderr))


def weights_of(run: Path) -> str:
    """What a run said of its weights when it began."""
    events = (run / "log" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return str(json.loads(events[0])["text"])


def causal(folder: Path, corpus: str) -> None:
    """A Llama against n-grams of the same texts."""
    run = base(folder, corpus)
    told = api.train_baseline(run)
    rows = validations_of(run).rows
    print(f"a Llama, {weights_of(run)}; {told.scored.documents:,} held-out documents, {told.scored.bytes:,} bytes\n")
    print("| step | tokens seen | bits a byte | below the 5-gram of bytes |\n|---:|---:|---:|---|")
    for row in rows:
        bits = row["mean"]["bits_per_byte"]
        seen = int(steps_of(run).columns["tokens"][: row["step"]].sum())
        print(f"| {row['step']:,} | {seen:,} | {bits:.3f} | {'yes' if bits < told.bytes_5gram else 'no'} |")
    print("\n| n-gram | bits a byte |\n|---|---:|")
    print(f"| 1-gram of tokens | {told.unigram:.3f} |")
    print(f"| 5-gram of bytes | {told.bytes_5gram:.3f} |")
    print(f"| 5-gram of tokens | {told.tokens_5gram:.3f} |")


def base(folder: Path, corpus: str) -> Path:
    """The causal run."""
    return run_of(
        "causal",
        folder,
        {"sources": {"news": {"corpus": corpus}}, "sequence": 128, "seed": 1},
        model={"config": LLAMA},
        objective={"use": "causal"},
        steps=600,
        batch={"samples": 32, "micro": 32},
        schedule={"use": "wsd", "peak": 4e-3, "warmup_steps": 30, "decay_steps": 200},
        validation={"every": 150, "samples": WHOLE},
    )


def masked(folder: Path, corpus: str) -> None:
    """A BERT against the frequencies of tokens, and against chance."""
    run = run_of("masked", folder, {"sources": {"news": {"corpus": corpus}}, "sequence": 128, "seed": 1}, **MASKED)
    rows = [{**row["sources"]["news"], "step": row["step"]} for row in validations_of(run).rows]
    train, unseen = (api.token_source(corpus, split) for split in ("train", "validation"))
    pairs = held_out_pairs(unseen, 128, MASKED["validation"]["samples"])
    amounts = f"{int(rows[0]['tokens']):,} held-out masked tokens, {int(rows[0]['pairs']):,} pairs"
    chance = (
        f"{np.mean(pairs[:, 2] == RANDOM):.1%} of the pairs are random, {by_lengths(pairs):.1%} are told by lengths"
    )
    print(f"a BERT, {weights_of(run)}; {amounts}")
    print(f"by their frequencies tokens cost {by_frequency(train, unseen):.3f} nats; {chance}\n")
    print("| step | pairs seen | nats a masked token | pairs told rightly | 95 % interval (Wilson) |")
    print("|---:|---:|---:|---:|---|")
    for row in rows:
        low, high = wilson(row["accuracy"], row["pairs"])
        seen = row["step"] * MASKED["batch"]["samples"]
        loss, right = row["loss"], row["accuracy"]
        print(f"| {row['step']:,} | {seen:,} | {loss:.3f} | {right:.1%} | {low:.1%} to {high:.1%} |")


def by_frequency(train: TokenSource, unseen: TokenSource) -> float:
    """Nats a held-out token, ends of documents left out, by how often it stands in the training text."""
    model = fit((ids[:-1] for _, ids in documents(train)), 1, train.vocabulary)
    return float(np.concatenate([model.nats(ids[:-1]) for _, ids in documents(unseen)]).mean())


def held_out_pairs(source: TokenSource, sequence: int, samples: int) -> np.ndarray:
    """Tokens of both parts and class of each held-out pair that a run looks at: int64 of (pairs, 3)."""
    material = Material(held_out("news", source, sequence), symbols_of(source.vocabulary, source.eod))
    pairs = (NextSentence().pair(material, n) for n in range(looked_at(source, sequence, samples)))
    return np.array([(pair.first.count, pair.second.count, pair.follows) for pair in pairs if pair is not None])


def by_lengths(pairs: np.ndarray) -> float:
    """The share of every second pair that is told rightly by how long its first part and the whole are, learnt from the
    others."""
    lengths = np.stack([pairs[:, 0], pairs[:, 0] + pairs[:, 1]], axis=1) // BIN
    places = [tuple(row) for row in lengths.tolist()]
    seen = Counter(zip(places[::2], pairs[::2, 2].tolist(), strict=True))
    guesses = [seen[place, 1] > seen[place, 0] for place in places[1::2]]
    return float(np.mean(np.array(guesses) == pairs[1::2, 2]))


def wilson(share: float, count: float) -> tuple[float, float]:
    """The interval of a share of ``count`` draws (Wilson 1927)."""
    square = SURE**2 / count
    middle, half = share + square / 2, SURE * math.sqrt((share * (1 - share) + square / 4) / count)
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def instruction(folder: Path, corpus: str) -> None:
    """The causal model, tuned to name the subject of an article: before, which is one step at no rate, and after."""
    model = folder / "model"
    if not model.exists():
        api.train_export(base(folder, corpus), model)
    known, unseen = (examples(folder / f"{split}.jsonl", corpus, split) for split in ("train", "validation"))
    data = {
        "sources": {"subjects": {"examples": [str(known)], "validation": [str(unseen)]}},
        "sequence": 128,
        "seed": 1,
    }
    tuned = {**TUNED, "model": {"path": str(model)}}
    before, after = run_of("before", folder, data, **{**tuned, **UNTRAINED}), run_of("after", folder, data, **tuned)
    asked = [json.loads(line)["messages"] for line in unseen.read_text(encoding="utf-8").splitlines()]
    print(f"{weights_of(after)}; {len(asked):,} held-out questions\n")
    print("| | nats a token of the answer | answers that stop | right answers |\n|---|---:|---:|---:|")
    for name, run in (("before", before), ("after", after)):
        loss = validations_of(run).rows[-1]["mean"]["loss"]
        exported = folder / f"model_{name}"
        if not exported.exists():
            api.train_export(run, exported)
        stopped, right = answered(exported, asked)
        print(f"| {name} | {loss:.3f} | {stopped:.1%} | {right:.1%} |")


def examples(path: Path, corpus: str, split: Any) -> Path:
    """Questions about the articles of a split with their answers, as messages."""
    turns = (
        [
            {"role": "user", "content": f"{QUESTION}\n{row['title'][:TITLE]}"},
            {"role": "assistant", "content": f"{SUBJECTS[row['column']]}の記事です。"},
        ]
        for row in rows_of(corpus, split)
    )
    _write_lines(path, ({"messages": messages} for messages in turns))
    return path


def answered(model: Path, asked: list[list[dict[str, str]]]) -> tuple[float, float]:
    """The shares of questions whose answer stops within ``ANSWER_TOKENS`` tokens, and whose answer is the right one.

    The model is used as its users would: by transformers, with its own chat template, the likeliest token each time.
    """
    import torch  # noqa: PLC0415  (only this part needs them)
    import transformers  # noqa: PLC0415

    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    network = transformers.AutoModelForCausalLM.from_pretrained(model).float().eval()
    stopped = right = 0
    for question, answer in asked:
        given = tokenizer.apply_chat_template(
            [question], add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        with torch.no_grad():
            made = network.generate(**given, do_sample=False, max_new_tokens=ANSWER_TOKENS)
        ids = made[0, given["input_ids"].shape[1] :].tolist()
        stopped += tokenizer.eos_token_id in ids
        right += tokenizer.decode(ids, skip_special_tokens=True) == answer["content"]
    return stopped / len(asked), right / len(asked)


MASKED: dict[str, Any] = {
    "model": {"config": BERT},
    "objective": {"use": "next_sentence"},
    "optimizer": {"betas": [0.9, 0.98], "weight_decay": 0.01},
    "steps": 1200,
    "batch": {"samples": 32, "micro": 32},
    "schedule": {"use": "linear", "peak": 2e-3, "warmup_steps": 100},
    "validation": {"every": 300, "samples": WHOLE},
}
TUNED: dict[str, Any] = {
    "objective": {"use": "instruction", "template": "instruction_ja"},
    "steps": 150,
    "batch": {"samples": 16, "micro": 16},
    "schedule": {"use": "cosine", "peak": 1e-3, "warmup_steps": 10},
    "validation": {"every": 50, "samples": WHOLE},
}
UNTRAINED = {"steps": 1, "schedule": {"use": "constant", "peak": 1e-12}}
PARTS = {"causal": causal, "masked": masked, "instruction": instruction}

if __name__ == "__main__":
    main()
