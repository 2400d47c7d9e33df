"""Whether a model keeps the documents of a sample apart: tried on a small twin of it, not believed.

Many models of transformers take positions that start anew, or a mask of who sees whom, and pass over them in silence.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import transformers

from corpusforge.tokens.packing import Rows, cut
from corpusforge.train import models
from corpusforge.train.objectives.causal import Causal
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.objectives.masked import Masked
from corpusforge.train.objectives.micro_batch import Array, Objective, Packing

LENGTHS = ((10, 14), (14, 10))
"""Tokens of the two documents of each row that is tried."""
WINDOW = 4
"""Tokens of a twin's attention windows: shorter than a document, so that their edges are tried too."""
WINDOWS = ("sliding_window", "local_attention", "attention_window_size", "attention_chunk_size", "window_size")
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
MOST_LAYERS = 8
"""Layers of a twin; the kinds of layers of transformers 5 come round within 8 (Jamba, Qwen3-Next)."""
WIDTHS: tuple[str, ...] = (
    "hidden_size",
    "intermediate_size",
    "moe_intermediate_size",
    "shared_expert_intermediate_size",
    "head_dim",
)
WIDTHS += ("intermediate_size_mlp", "n_embd", "n_inner", "d_model", "ffn_dim", "word_embed_proj_dim", "rotary_dim")
WIDTHS += ("linear_key_head_dim", "linear_value_head_dim", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads")
IDS = 1024
"""Rows of a twin's embedding, unless its padding lies behind them."""
LEAST_HEAD = 16
"""Numbers of a twin's attention head, so that a quarter of them can still be turned in pairs."""
SPREAD = 0.1
"""Standard deviation of a twin's new weights: at the usual 0.02 a RoFormer's leak is barely above rounding."""
FLOAT32 = 1e-5, 1e-4
"""What rounding may change, as a share of the largest logit: where other tokens are others, and in other shapes.

Sound models of transformers 5.24 stay below 1e-6 and 5e-6; those that are not go beyond 1e-3.
"""


def check(model: Any, objective: Objective, micro: int = 1) -> None:
    """Raise ``ValueError`` where ``objective`` has documents share a row and ``model`` does not keep them apart, or
    where ``model`` sees the tokens that it is to predict.

    A twin of its configuration is tried on the CPU, with a few narrow layers, so that the weights of ``model`` are not
    read: a document may not hang on the other of its row, and must give the logits that it gives alone. Where the
    configuration makes no small twin, ``model`` itself is tried. ``micro`` are the rows that a model is given at once.
    """
    if not isinstance(objective, Causal | Instruction | Masked):
        return
    causal = objective.head == "AutoModelForCausalLM"
    if objective.apart is None and not causal:
        return
    kind, attention = model.config.model_type, model.config._attn_implementation
    cure = f"set objective.{objective.apart}: false"
    if "flash" in str(attention) and objective.apart:
        _check_flash(objective, attention, micro, cure)
    if attention != "sdpa":
        attention = "eager"  # which every model has, and no device is needed for
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        tried = _twin(model.config, objective.head, attention) or model
        training = tried.training
        ahead = causal and _sees_ahead(tried.eval())
        wrong = _wrong(tried.eval(), objective) if objective.apart and not ahead else None
        tried.train(training)
    if ahead:
        raise ValueError(
            f"a model of type {kind} sees the tokens that it is to predict; take objective {{use: masked}}, a causal "
            "type such as llama, or model.config.is_decoder: true where the type has it"
        )
    if wrong:
        raise ValueError(f"a model of type {kind} {wrong}; {cure}, or take a model of another type")


def _check_flash(objective: Packing, attention: str, micro: int, cure: str) -> None:
    # transformers (5.24) looks for documents in positions only where a batch is one row, and takes no mask.
    if objective.head != "AutoModelForCausalLM":
        raise ValueError(f"model.attention: {attention} takes no mask that keeps documents apart; take sdpa, or {cure}")
    if micro > 1:
        raise ValueError(
            f"model.attention: {attention} keeps documents apart in batches of one row only and batch.micro is "
            f"{micro:,}; set batch.micro: 1, take sdpa, or {cure}"
        )


def _twin(config: Any, head: str, attention: str) -> Any | None:
    """A narrow model of the same configuration, with new weights; None where it cannot be made or does not run."""
    try:
        small = type(config)(**{**config.to_dict(), **_smaller(config)})
        made = getattr(transformers, head).from_config(small, attn_implementation=attention, dtype=torch.float32).eval()
        made.config.use_cache = False
        models.count_from_zero(made)
        made(input_ids=torch.ones((1, 2), dtype=torch.int64))
    except Exception:  # whatever a model thinks of widths that it was not made for
        return None
    return made


def _smaller(config: Any) -> dict[str, Any]:
    """Fields of a configuration that give fewer layers, narrower ones and shorter windows of attention."""
    told = config.to_dict()
    numbers = {name: value for name, value in told.items() if type(value) is int and value > 0}
    layers = next((numbers[name] for name in LAYERS if name in numbers), 0)
    few = min(layers, MOST_LAYERS)
    smaller: dict[str, Any] = {name: few for name in LAYERS if name in numbers}
    smaller |= {name: value[:few] for name, value in told.items() if isinstance(value, list) and len(value) == layers}
    smaller |= {name: min(WINDOW, numbers[name]) for name in WINDOWS if name in numbers}
    smaller |= {"initializer_range": SPREAD} if "initializer_range" in told else {}
    if numbers.get("vocab_size", 0) > IDS > (told.get("pad_token_id") or 0):
        smaller["vocab_size"] = IDS
    divisor = _divisor(numbers)
    return smaller | {name: numbers[name] // divisor for name in WIDTHS if name in numbers}


def _divisor(numbers: Mapping[str, int]) -> int:
    """The power of two that every width can be divided by, and a head as far as ``LEAST_HEAD``."""
    heads = next((numbers[name] for name in HEADS if name in numbers), 1)
    width = next((numbers[name] for name in ("hidden_size", "n_embd", "d_model") if name in numbers), 1)
    head, divisor = numbers.get("head_dim", width // heads), 1
    widths = [numbers[name] for name in WIDTHS if name in numbers]
    while head // (2 * divisor) >= LEAST_HEAD and all(value % (2 * divisor) == 0 for value in widths):
        divisor *= 2
    return divisor


def _sees_ahead(model: Any) -> bool:
    """Whether a model's logits hang on tokens that come later."""
    ids = np.array(_text(model.config)[: LENGTHS[0][0]])[None]
    other = ids.copy()
    other[0, -1] = ids[0, 0]
    try:
        first, second = (_logits(model, {"input_ids": one}) for one in (ids, other))
    except Exception as error:  # a model's own, whatever its configuration makes it do
        raise ValueError(f"a model of type {model.config.model_type} does not run ({error})") from error
    return not _near(first[0, :-1], second[0, :-1], float(first.abs().max()) * FLOAT32[0])


def _wrong(model: Any, objective: Packing) -> str | None:
    """What a model does wrong with two documents in a row, as the rest of a sentence."""
    end, *text = _text(model.config)
    ids = _ids(end, text)
    rows = cut(ids, end)
    try:
        _logits(model, {"input_ids": rows.inputs})
    except Exception as error:  # a model's own, whatever its configuration makes it do
        raise ValueError(f"a model of type {model.config.model_type} does not run ({error})") from error
    try:
        packed = _logits(model, objective.inputs(rows))
    except Exception as error:  # a model's own, where it takes no such arguments
        return f"takes no inputs that keep the documents of a sample apart ({type(error).__name__}: {error})"
    most = float(packed.abs().max())
    for document in (0, 1):
        its = torch.from_numpy(rows.documents == document)
        other = _logits(model, objective.inputs(_perturbed(ids, rows, 1 - document, end)))
        if not _near(packed[its], other[its], most * FLOAT32[0]):
            return "cannot keep the documents of a sample apart"
        for row in range(len(ids)):
            alone = _logits(model, {"input_ids": rows.inputs[row, its[row].numpy()][None]})
            if not _near(packed[row, its[row]], alone[0], most * FLOAT32[1]):
                return "reads a document in a sample otherwise than alone"
    return None


def _ids(eod: int, text: list[int]) -> Any:
    """Rows of two documents as a stream gives them, int32 of (rows, tokens + 1), each begun by ``eod``."""
    ids = np.random.default_rng(0).choice(text, (len(LENGTHS), sum(LENGTHS[0]) + 1)).astype(np.int32)
    ids[:, 0] = eod
    for row, (first, _) in enumerate(LENGTHS):
        ids[row, first] = eod
    return ids


def _text(config: Any) -> list[int]:
    """Ids that are not padding; which of them ends a document is the same to a model."""
    padding = getattr(config, "pad_token_id", None)
    return [id for id in range(min(config.get_text_config().vocab_size, IDS)) if id != padding]


def _perturbed(ids: Any, rows: Rows, document: int, eod: int) -> Rows:
    """The rows with the tokens of one document turned about."""
    turned = ids.copy()
    for row in range(len(ids)):
        (places,) = np.nonzero((rows.documents[row] == document) & (rows.inputs[row] != eod))
        turned[row, places] = np.roll(ids[row, places], 3)
    return cut(turned, eod)


def _logits(model: Any, given: Mapping[str, Array]) -> Any:
    return model(**{name: torch.from_numpy(array) for name, array in given.items()}).logits.float()


def _near(one: Any, other: Any, most: float) -> bool:
    return bool((one - other).abs().max() <= most)
