"""Packed rows give what each document gives alone, and losses are those of transformers."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("deepspeed")
pytestmark = pytest.mark.train

from corpusforge.tokens.packing import cut  # noqa: E402
from corpusforge.train.config import Lora, Model  # noqa: E402
from corpusforge.train.losses import costs  # noqa: E402
from corpusforge.train.models import build, decay_groups, parameters  # noqa: E402
from corpusforge.train.objectives.masked import same_document  # noqa: E402
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
    ],
)
def test_a_model_that_cannot_be_made_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(given)
