"""The work of a token: what is multiplied counts, what is looked up does not, frozen weights have no gradient."""

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("deepspeed")
pytestmark = pytest.mark.train

from corpusforge.train.config import Lora  # noqa: E402
from corpusforge.train.models import flops, parameters  # noqa: E402
from tests.train.test_models import CAUSAL, SIZES, made  # noqa: E402


def multiplied(model: Any, *looked_up: str) -> int:
    """Weights other than those whose names hold one of ``looked_up``."""
    named = model.named_parameters()
    return sum(weight.numel() for name, weight in named if not any(part in name for part in looked_up))


@pytest.mark.parametrize(
    ("config", "head", "looked_up"),
    [
        (CAUSAL[0], "AutoModelForCausalLM", ("embed_tokens",)),
        ({**CAUSAL[0], "tie_word_embeddings": True}, "AutoModelForCausalLM", ()),
        (CAUSAL[1], "AutoModelForCausalLM", ("wpe",)),
        ({"model_type": "bert", **SIZES}, "AutoModelForMaskedLM", ("position_embeddings", "token_type_embeddings")),
        ({"model_type": "bert", **SIZES, "tie_word_embeddings": False}, "AutoModelForMaskedLM", ("_embeddings.w",)),
    ],
)
def test_what_is_looked_up_is_not_multiplied(config: dict[str, Any], head: str, looked_up: tuple[str, ...]) -> None:
    model = made(config, head)
    assert flops(model, 24) == 6 * multiplied(model, *looked_up) + 12 * 2 * 32 * 24


@pytest.mark.parametrize("size", [8, 16])
def test_attention_is_as_wide_as_its_heads(size: int) -> None:
    model = made({**CAUSAL[2], "head_dim": size})
    assert flops(model, 512) - flops(model, 256) == 12 * 2 * (4 * size) * 256


def test_frozen_weights_cost_no_gradient_of_their_own() -> None:
    whole, adapted = made(CAUSAL[0]), made(CAUSAL[0], lora=Lora(rank=2))
    attention = 12 * 2 * 32 * 24
    trained = parameters(adapted)["trained"]
    assert flops(adapted, 24) == (flops(whole, 24) - attention) * 4 / 6 + 6 * trained + attention
