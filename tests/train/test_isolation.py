"""Models that do not keep the documents of a sample apart are refused before they are trained."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("deepspeed")
pytestmark = pytest.mark.train

import transformers  # noqa: E402

from corpusforge import api  # noqa: E402
from corpusforge.train.config import Model, Objective  # noqa: E402
from corpusforge.train.isolation import check  # noqa: E402
from corpusforge.train.models import build  # noqa: E402
from corpusforge.train.objectives.causal import Causal  # noqa: E402
from corpusforge.train.objectives.instruction import Instruction  # noqa: E402
from corpusforge.train.objectives.masked import Masked  # noqa: E402
from corpusforge.train.objectives.next_sentence import NextSentence  # noqa: E402
from corpusforge.train.symbols import symbols_of  # noqa: E402
from tests.train.runs import config, finish, losses, start  # noqa: E402

SYMBOLS = symbols_of(60, 0)
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
GROUPED = {**SIZES, "num_key_value_heads": 2, "head_dim": 8}
OPT = {"model_type": "opt", "hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
OPT |= {"word_embed_proj_dim": 32}
MAMBA = {"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 2}
GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4}
BERT = {"model_type": "bert", **SIZES}
MODERN = {"model_type": "modernbert", **SIZES}
SHARED = "cannot keep the documents of a sample apart; set objective"


def tried(given: dict[str, Any], objective: Objective, attention: str = "sdpa", micro: int = 2) -> None:
    model = build(Model(config=given, attention=attention), objective.head, SYMBOLS, 32, 1)
    check(model, objective, micro)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen3", "mistral", "phi"])
def test_causal_models_that_read_positions_pass(kind: str, attention: str) -> None:
    tried(GPT2 if kind == "gpt2" else {"model_type": kind, **GROUPED}, Causal(), attention)


@pytest.mark.parametrize("kind", ["bert", "electra", "distilbert", "roberta", "xlm-roberta"])
def test_masked_models_that_read_masks_pass(kind: str) -> None:
    tried({"model_type": kind, **SIZES}, Masked())


@pytest.mark.parametrize(
    ("given", "objective", "attention", "message"),
    [
        (OPT, Causal(), "sdpa", f"a model of type opt {SHARED}.boundaries: false"),
        (OPT, Instruction(), "sdpa", f"a model of type opt {SHARED}.packing: false"),
        (MAMBA, Causal(), "eager", f"a model of type mamba {SHARED}"),
        ({"model_type": "bloom", "hidden_size": 32, "n_layer": 2, "n_head": 4}, Causal(), "eager", f"bloom {SHARED}"),
        ({"model_type": "roformer", **SIZES}, Masked(), "eager", f"roformer {SHARED}.boundaries: false"),
        (
            {"model_type": "deberta-v2", **SIZES},
            Masked(),
            "eager",
            "deberta-v2 takes no inputs .* objective.boundaries",
        ),
        (MODERN, Masked(), "sdpa", "modernbert reads a document in a sample otherwise than alone; set objective.bound"),
    ],
    ids=["opt", "opt-tuned", "mamba", "bloom", "roformer", "deberta", "modernbert"],
)
def test_models_that_do_not_are_refused_with_the_cure(
    given: dict[str, Any], objective: Objective, attention: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        tried(given, objective, attention)


@pytest.mark.parametrize(
    ("given", "objective"),
    [
        (OPT, Causal(boundaries=False)),
        (OPT, Instruction(packing=False)),
        (MODERN, Masked(boundaries=False)),
        (BERT, NextSentence()),
    ],
    ids=["opt", "opt-tuned", "modernbert", "pairs"],
)
def test_nothing_is_asked_where_no_documents_share_a_row(given: dict[str, Any], objective: Objective) -> None:
    tried(given, objective)


def test_an_opt_trains_without_boundaries(tmp_path: Any) -> None:
    made = config(tmp_path, model={"config": OPT}, objective={"use": "causal", "boundaries": False}, steps=2)
    finish(start(made, tmp_path))
    assert len(losses(tmp_path / "run")) == 2


def test_the_edges_of_windows_are_tried() -> None:
    # ModernBERT's window of 128 is longer than any document that is tried; the twin's is not.
    assert transformers.AutoConfig.for_model("modernbert").local_attention == 128
    model = build(Model(config=MODERN), "AutoModelForMaskedLM", SYMBOLS, 32, 1)
    with pytest.raises(ValueError, match="otherwise than alone"):
        check(model, Masked())


def test_a_large_model_is_tried_as_a_small_one() -> None:
    given = transformers.AutoConfig.for_model("llama", hidden_size=4096, intermediate_size=11008, num_hidden_layers=32)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(given)
    state = torch.get_rng_state()
    check(model, Causal())
    assert torch.equal(torch.get_rng_state(), state)


def test_flash_attention_takes_batches_of_one_row() -> None:
    model = build(Model(config={"model_type": "llama", **GROUPED}), "AutoModelForCausalLM", SYMBOLS, 32, 1)
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match=r"batch\.micro is 8; set batch\.micro: 1, take sdpa, or set objective\.bound"):
        check(model, Causal(), 8)
    check(model, Causal(), 1)


def test_a_model_that_does_not_run_is_told() -> None:
    with pytest.raises(ValueError, match="a model of type qwen3 does not run"):
        tried({"model_type": "qwen3", **SIZES, "num_key_value_heads": 3}, Causal())


@pytest.mark.parametrize("boundaries", [True, False])
def test_a_causal_model_that_sees_ahead_is_refused(boundaries: bool) -> None:
    with pytest.raises(ValueError, match="a model of type bert sees the tokens that it is to predict"):
        tried(BERT, Causal(boundaries=boundaries))
    tried({**BERT, "is_decoder": True}, Causal(boundaries=False))


def test_a_run_is_refused_before_its_first_step(tmp_path: Path) -> None:
    with pytest.raises(api.NotTrained, match=f"a model of type opt {SHARED}.boundaries: false"):
        api.train_run(config(tmp_path, model={"config": OPT}), tmp_path, ray=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": {"config": {**MAMBA, "hiden_size": 64}}},
            "mamba has no field 'hiden_size'; did you mean 'hidden_size'",
        ),
        ({"model": {"path": "no/such/model"}}, "no/such/model"),
    ],
)
def test_a_model_that_is_misspelt_is_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(api.NotTrained, match=message):
        api.train_run(config(tmp_path, **changes), tmp_path, ray=False)
