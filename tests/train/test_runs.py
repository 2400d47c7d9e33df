"""Whole runs: from a corpus to a model that is exported, read back, tuned and asked."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.train.config import from_json
from corpusforge.train.log import losses_of, validations_of
from tests.train.runs import LLAMA, config, corpus_of_words, events, finish, losses, start

pytest.importorskip("deepspeed")
transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

BERT = {"model_type": "bert", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
BERT |= {"num_attention_heads": 2}


def of(corpus: str, run: str, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "run": run,
        "data": {"sources": {"web": {"corpus": corpus}}, "sequence": 64, "seed": 5},
        "model": {"config": {**LLAMA, "max_position_embeddings": 256}},
        "precision": "fp32",
        "steps": 30,
        "batch": {"samples": 16, "micro": 8},
        "schedule": {"use": "wsd", "peak": 1e-2, "warmup_steps": 3, "decay_steps": 10},
        "validation": {"every": 15, "samples": 32},
        "deepspeed": {"zero_optimization": {"stage": 1}},
    }
    return from_json({**given, **changes})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return corpus_of_words(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def trained(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return api.train_run(of(corpus, "causal"), tmp_path_factory.mktemp("runs"), ray=False)


def test_the_log_tells_losses_of_steps_samples_and_held_out_text(trained: Path) -> None:
    told = losses(trained)
    assert len(told) == 30
    assert told[-1] < told[0] - 0.5
    assert not any(map(math.isnan, losses_of(trained, 0, 30 * 16).tolist()))
    first, last = validations_of(trained).rows
    assert last["mean"]["bits_per_byte"] < first["mean"]["bits_per_byte"] < 5
    assert last["sources"]["web"]["bytes"] > last["sources"]["web"]["tokens"]


def test_bare_token_files_with_a_tokenizer_tell_bits_a_byte_too(corpus: str, trained: Path, tmp_path: Path) -> None:
    shards = {split: cf.token_source(corpus, split) for split in ("train", "validation")}
    paths = {split: [str(shard.bin.with_suffix("")) for shard in source.shards] for split, source in shards.items()}
    source = {
        "megatron": paths["train"],
        "validation": paths["validation"],
        "tokenizer": str(trained / "tokenizer.json"),
    }
    source |= {"eod": shards["train"].eod, "vocabulary": shards["train"].vocabulary}
    made = of("", "bare", data={"sources": {"web": source}, "sequence": 64, "seed": 5}, steps=15)
    (row,) = validations_of(api.train_run(made, tmp_path, ray=False)).rows
    (first, _) = validations_of(trained).rows
    assert row["mean"]["bits_per_byte"] == pytest.approx(first["mean"]["bits_per_byte"], rel=0.2)


def test_an_exported_model_is_that_of_the_run(trained: Path, tmp_path: Path) -> None:
    folder = api.train_export(trained, tmp_path / "model")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    text = "今日は the day"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| web | words/dev-1 |" in card
    assert "480 samples of 64 tokens" in card
    assert "Licences of `web`, by documents: " in card
    here, there = (api.train_sample(run, "今日は", tokens=12, temperature=0) for run in (trained, folder))
    assert here == there
    with pytest.raises(api.NotTrained, match="holds something already"):
        api.train_export(trained, tmp_path / "model")


def test_a_report_shows_the_run(trained: Path) -> None:
    page = api.train_report([trained])
    assert "causal" in page.read_text(encoding="utf-8")
    with pytest.raises(api.NotTrained, match=r"holds no config\.json"):
        api.train_report([trained.parent])


def test_a_trace_names_the_documents_of_a_step_and_the_steps_of_a_document(trained: Path) -> None:
    read = {step: api.trace_step(trained, step) for step in range(30)}
    for step, rows in read.items():
        assert {row["sample"] for row in rows} == set(range(16 * step, 16 * step + 16))
        assert [row["loss"] for row in rows] == sorted((row["loss"] for row in rows), reverse=True)
    id = read[7][0]["document"]["id"]
    told = api.trace_document(trained, id)
    holding = {row["sample"] for rows in read.values() for row in rows if row["document"]["id"] == id}
    assert set(told["samples"]) == holding
    assert told["steps"] == sorted({sample // 16 for sample in holding})
    assert told["checkpoints"] == [step for step in (15, 30) if step > told["steps"][0]]
    with pytest.raises(api.NotTrained, match="not 30"):
        api.trace_step(trained, 30)
    with pytest.raises(api.NotTrained, match=r"no source of .* holds the document nobody"):
        api.trace_document(trained, "nobody")


def test_masked_words_and_pairs_are_learnt(corpus: str, tmp_path: Path) -> None:
    made = of(corpus, "bert", model={"config": BERT}, objective={"use": "next_sentence"})
    run = api.train_run(made, tmp_path, ray=False)
    first, last = (row["sources"]["web"] for row in validations_of(run).rows)
    assert last["loss"] < first["loss"]
    assert 0 <= last["accuracy"] <= 1
    assert last["pairs"] == 32
    model = transformers.AutoModelForMaskedLM.from_pretrained(api.train_export(run, tmp_path / "model"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.mask_token_id < model.config.vocab_size
    made = of(corpus, "masked", model={"config": BERT}, objective={"use": "masked"}, steps=15)
    assert len(losses(api.train_run(made, tmp_path, ray=False))) == 15


@pytest.mark.parametrize("lora", [None, {"rank": 4}], ids=["full", "lora"])
def test_tuning_raises_held_out_responses_and_the_model_stops(
    trained: Path, tmp_path: Path, lora: dict[str, int] | None
) -> None:
    model = api.train_export(trained, tmp_path / "base")
    for name, numbers in (("train", range(60)), ("held", range(60, 75))):
        lines = [json.dumps({"prompt": f"問い{n}", "completion": "はい。"}, ensure_ascii=False) for n in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = {"examples": [str(tmp_path / "train.jsonl")], "validation": [str(tmp_path / "held.jsonl")]}
    made = of(
        "",
        "tuned",
        data={"sources": {"chats": files}, "sequence": 192},
        model={"path": str(model), "lora": lora},
        objective={"use": "instruction", "template": "instruction_ja"},
        steps=40,
        validation={"every": 10, "samples": 16},
    )
    run = api.train_run(made, tmp_path, ray=False)
    rows = [row["mean"]["loss"] for row in validations_of(run).rows]
    assert rows[-1] < (rows[0] / 2 if lora is None else rows[0] - 0.2)
    exported = api.train_export(run, tmp_path / "model")
    assert (exported / "chat_template.jinja").is_file()
    if lora is None:
        (answer,) = api.train_sample(run, "問い70", tokens=20, temperature=0)
        assert answer.strip() == "はい。"


def test_a_run_does_not_go_on_as_another(corpus: str, trained: Path) -> None:
    changed = of(corpus, "causal", data={"sources": {"web": {"corpus": corpus}}, "sequence": 64, "seed": 6})
    with pytest.raises(api.NotTrained, match=r"config\.data\.seed was 5 and is now 6"):
        api.train_run(changed, trained.parent, ray=False)
    longer = of(corpus, "causal", steps=33)
    assert losses(api.train_run(longer, trained.parent, ray=False))[:30] == losses(trained)[:30]


def test_a_spike_is_named_skipped_or_rewound(tmp_path: Path) -> None:
    spikes = {"sigmas": 0.5, "window": 8, "act": "rewind", "most": 1}
    schedule = {"use": "constant", "peak": 1e-9}
    made = config(tmp_path, steps=14, spikes=spikes, checkpoints={"every": 3, "keep": 3}, schedule=schedule)
    finish(start(made, tmp_path))
    (spike, *_), (rewind, *_) = (events(tmp_path / "run", kind) for kind in ("spike", "rewind"))
    assert spike["facts"]["samples"] == 8
    assert spike["facts"]["worst"][0] in range(spike["facts"]["first"], spike["facts"]["first"] + 8)
    named = [re.fullmatch(r"sample (\d+): [ab] [ab]/\d+", told) for told in spike["facts"]["documents"]]
    assert {int(found[1]) for found in named if found} == set(spike["facts"]["worst"])
    assert all(named)
    assert "are left out" in rewind["text"]
    assert len(losses(tmp_path / "run")) == 14
