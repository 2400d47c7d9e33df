"""Packed rows give what each document gives alone, and losses are those of transformers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("deepspeed")
pytestmark = pytest.mark.train

import transformers  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from tokenizers.models import WordLevel  # noqa: E402
from tokenizers.pre_tokenizers import Whitespace  # noqa: E402

from corpusforge.tokens.packing import cut  # noqa: E402
from corpusforge.train import sources  # noqa: E402
from corpusforge.train.config import Lora, Model, from_json  # noqa: E402
from corpusforge.train.export import _tokenizer  # noqa: E402
from corpusforge.train.losses import costs  # noqa: E402
from corpusforge.train.models import build, decay_groups, parameters  # noqa: E402
from corpusforge.train.objectives.masked import Masked, same_document  # noqa: E402
from corpusforge.train.plan import Plan  # noqa: E402
from corpusforge.train.symbols import symbols_of  # noqa: E402

EOD, VOCABULARY = 0, 50
SYMBOLS = symbols_of(VOCABULARY, EOD)
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
CAUSAL = [{"model_type": "llama", **SIZES}, {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4}]
CAUSAL += [{"model_type": "qwen3", **SIZES, "head_dim": 8, "num_key_value_heads": 2}]


def made(config: dict[str, Any], head: str = "AutoModelForCausalLM", **more: Any) -> Any:
    return build(Model(config=config, **more), head, SYMBOLS, 24, 1).eval()


@pytest.fixture
def rows() -> Any:
    ids = np.array([[0, 5, 6, 7, 0, 8, 9, 0, 11, 12, 13, 14, 15]], np.int32)
    return cut(ids, EOD)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("config", CAUSAL, ids=lambda config: config["model_type"])
def test_packed_and_unpacked_logits_are_equal(config: dict[str, Any], attention: str, rows: Any) -> None:
    model = made(config, attention=attention)
    ids, positions = torch.from_numpy(rows.inputs), torch.from_numpy(rows.positions)
    packed = model(input_ids=ids, position_ids=positions).logits[0]
    for number in range(int(rows.documents.max()) + 1):
        its = torch.from_numpy(rows.documents[0] == number)
        alone = model(input_ids=ids[:, its]).logits[0]
        torch.testing.assert_close(packed[its], alone, rtol=1e-4, atol=1e-5)


def test_a_masked_model_sees_one_document_at_a_time(rows: Any) -> None:
    model = made({"model_type": "bert", **SIZES}, "AutoModelForMaskedLM")
    ids, positions = torch.from_numpy(rows.inputs), torch.from_numpy(rows.positions)
    seen = torch.from_numpy(same_document(rows.documents))
    packed = model(input_ids=ids, position_ids=positions, attention_mask=seen).logits[0]
    for number in range(int(rows.documents.max()) + 1):
        its = torch.from_numpy(rows.documents[0] == number)
        torch.testing.assert_close(packed[its], model(input_ids=ids[:, its]).logits[0], rtol=1e-4, atol=1e-5)


def test_the_loss_is_that_of_transformers() -> None:
    model = made(CAUSAL[0])
    ids = torch.arange(1, 21)[None]
    theirs = model(input_ids=ids, labels=ids).loss
    ours = costs(model, {"input_ids": ids[:, :-1]}, ids[:, 1:], None).sum() / 19
    torch.testing.assert_close(ours, theirs)


def test_the_loss_of_pairs_and_masks_is_that_of_transformers() -> None:
    model = made({"model_type": "bert", **SIZES}, "AutoModelForPreTraining")
    ids = torch.arange(1, 13)[None].repeat(2, 1)
    labels, pairs = torch.full_like(ids, -100), torch.tensor([0, 1])
    labels[0, 3], labels[1, 5], labels[1, 7] = 9, 8, 7
    theirs = model(input_ids=ids, labels=labels, next_sentence_label=pairs).loss
    ours = costs(model, {"input_ids": ids}, labels, pairs).sum(0) / torch.tensor([3.0, 2.0])
    torch.testing.assert_close(ours.sum(), theirs)


def test_only_adapters_are_trained_and_matrices_decay() -> None:
    model = made(CAUSAL[0], lora=Lora(rank=2))
    counts = parameters(model)
    assert 0 < counts["trained"] < counts["all"] / 4
    (decayed,) = decay_groups(model, 0.1)
    assert decayed["weight_decay"] == 0.1
    whole = decay_groups(made(CAUSAL[0]), 0.1)
    assert [all(p.ndim < 2 for p in group["params"]) for group in whole] == [False, True]
    assert whole[1]["weight_decay"] == 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model_type": "nothing"}, "knows no model_type 'nothing'"),
        ({"model_type": "llama", "hidden_size": "wide"}, "model.config gives no model"),
        ({"model_type": "llama", **SIZES, "max_position_embeddings": 8}, "the model reads at most 8"),
        (
            {"model_type": "llama", **SIZES, "vocab_size": 10},
            "vocab_size is 10 and the data needs 50 ids: leave it out",
        ),
    ],
)
def test_a_model_that_cannot_be_made_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(given)


def test_a_masked_model_needs_the_ids_of_its_symbols() -> None:
    with pytest.raises(ValueError, match="vocab_size is 50 and the data needs 54 ids: leave it out, or set 64"):
        made({"model_type": "bert", **SIZES, "vocab_size": 50}, "AutoModelForMaskedLM")


BEHIND = ["roberta", "xlm-roberta", "camembert", "data2vec-text", "roberta-prelayernorm", "xlm-roberta-xl"]


@pytest.mark.parametrize("lora", [None, Lora(rank=2)], ids=["full", "lora"])
@pytest.mark.parametrize("kind", BEHIND)
def test_what_is_used_is_what_was_trained_where_positions_begin_behind_padding(
    kind: str, lora: Lora | None, rows: Any, tmp_path: Path
) -> None:
    model = made({"model_type": kind, **SIZES}, "AutoModelForMaskedLM", lora=lora)
    given = Masked().inputs(rows)
    packed = model(**{name: torch.from_numpy(array) for name, array in given.items()}).logits[0]
    (model.merge_and_unload() if lora else model).save_pretrained(tmp_path)
    used = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    for number in range(int(rows.documents.max()) + 1):
        its = torch.from_numpy(rows.documents[0] == number)
        alone = used(input_ids=torch.from_numpy(rows.inputs)[:, its]).logits[0]
        torch.testing.assert_close(packed[its], alone, rtol=1e-4, atol=1e-5)


def test_a_model_whose_positions_begin_behind_padding_tells_how_many_are_left() -> None:
    given = {"model_type": "roberta", **SIZES, "pad_token_id": 1, "max_position_embeddings": 24}
    with pytest.raises(ValueError, match=r"24 and the model reads at most 22 \(24 positions, of which the first 2"):
        made(given, "AutoModelForMaskedLM")
    assert made({**given, "max_position_embeddings": 26}, "AutoModelForMaskedLM").config.pad_token_id == 1


def test_an_exported_tokenizer_has_its_symbols_where_they_were_trained(tmp_path: Path) -> None:
    known = {"[UNK]": 0, "a": 1, "b": 2}
    tokenizer = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    given = {"data": {"sources": {"web": {"megatron": ["x"], "eod": 0, "vocabulary": 50}}}, "steps": 1}
    given |= {"run": "r", "model": {"config": {"model_type": "bert"}}, "objective": {"use": "masked"}}
    given |= {"batch": {"samples": 1, "micro": 1}, "schedule": {"use": "constant", "peak": 1e-3}}
    for vocabulary in (3, 50):
        plan = Plan({}, vocabulary, 0, "tokenizer.json", "[UNK]")
        symbols, to = sources.symbols(plan, tmp_path), tmp_path / str(vocabulary)
        to.mkdir()
        _tokenizer(from_json(given), plan, tmp_path, to)
        used = transformers.AutoTokenizer.from_pretrained(to)
        ids = used.mask_token_id, used.cls_token_id, used.sep_token_id, used.pad_token_id
        assert ids == (symbols.mask, symbols.begin, symbols.separator, symbols.padding)
        assert used("a [MASK] b")["input_ids"] == [1, symbols.mask, 2]
    plan = Plan({}, 2, 0, "tokenizer.json", "[UNK]")
    with pytest.raises(ValueError, match=r"\[MASK\] is 3 and was trained as 2.*`vocabulary` of at least"):
        _tokenizer(from_json(given), plan, tmp_path, tmp_path)
