"""Models of Hugging Face transformers: made from a configuration or a local checkpoint, with adapters if wanted."""

import os
import shutil
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from huggingface_hub.errors import StrictDataclassError

from corpusforge.train.config import Model
from corpusforge.train.devices import flops_per_token
from corpusforge.train.symbols import Symbols

COMPILERS = {"cpu": ("CXX", "g++"), "cuda": ("CC", "gcc", "clang")}
"""What torch.compile (2.13) compiles with: the variable that names one, and else these."""


def build(given: Model, head: str, symbols: Symbols, sequence: int, seed: int) -> Any:
    """A model in fp32 on the CPU: new weights hang on ``seed`` alone, so that every worker makes the same.

    Raises ``ValueError`` for a type or field that transformers does not know, or for a vocabulary or length that the
    data goes beyond.
    """
    torch.manual_seed(seed)
    model = _loaded(given, head, symbols) if given.path else _made(given, head, symbols, sequence)
    _check_length(model.config, sequence)
    model.config.use_cache = False
    if given.recompute:
        model.gradient_checkpointing_enable()
    if given.lora:
        model = _adapted(model, given)
    return model


def _made(given: Model, head: str, symbols: Symbols, sequence: int) -> Any:
    values = {"vocab_size": symbols.embeddings, "max_position_embeddings": sequence, **given.config}
    kind = values.pop("model_type")
    if kind not in transformers.CONFIG_MAPPING:
        raise ValueError(
            f"model.config: transformers knows no model_type {kind!r}; take one that it has, such as llama"
        )
    ends = {"bos_token_id": symbols.eod, "eos_token_id": symbols.eod, "pad_token_id": None}
    if head != "AutoModelForCausalLM":
        ends["pad_token_id"] = symbols.padding
    try:
        config = transformers.AutoConfig.for_model(kind, **{**ends, **values})
        return getattr(transformers, head).from_config(config, attn_implementation=given.attention, dtype=torch.float32)
    except (ValueError, TypeError, AttributeError, StrictDataclassError) as error:
        raise ValueError(f"model.config gives no model ({error}); see the fields of {kind} in transformers") from error


def _loaded(given: Model, head: str, symbols: Symbols) -> Any:
    folder = Path(str(given.path))
    if not (folder / "config.json").is_file():
        raise ValueError(f"model.path: {folder} holds no config.json; name the folder of a Hugging Face checkpoint")
    kind = getattr(transformers, head)
    model = kind.from_pretrained(folder, attn_implementation=given.attention, dtype=torch.float32)
    needed, there = symbols.embeddings, model.get_input_embeddings().num_embeddings
    if symbols.vocabulary > there:
        raise ValueError(
            f"model.path: {folder} has {there:,} embeddings and the data has ids up to {symbols.vocabulary:,}: "
            "tokenise the corpus with the model's own tokenizer (tokenizer: {path: …} in the recipe)"
        )
    if head != "AutoModelForCausalLM" and needed > there:
        model.resize_token_embeddings(needed)
    return model


def _check_length(config: Any, sequence: int) -> None:
    most = getattr(config, "max_position_embeddings", None)
    if most is not None and most < sequence:
        raise ValueError(f"data.sequence is {sequence:,} and the model reads at most {most:,}: take a shorter sequence")


def check_compiler(device: str) -> None:
    """Raise ``ValueError`` where torch.compile will find no compiler; it would say so within the first step."""
    variable, *names = COMPILERS[device]
    named = [os.environ[variable]] if os.environ.get(variable) else names
    if not any(shutil.which(name) for name in named):
        raise ValueError(
            f"model.compile: torch.compile needs a compiler for {device} and finds no {' or '.join(named)}; install "
            f"one, name it in {variable}, or set model.compile to false"
        )


def _adapted(model: Any, given: Model) -> Any:
    lora = given.lora
    assert lora is not None
    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    alpha = 2 * lora.rank if lora.alpha is None else lora.alpha
    made = peft.LoraConfig(r=lora.rank, lora_alpha=alpha, lora_dropout=lora.dropout, target_modules=targets)
    if given.recompute:
        model.enable_input_require_grads()
    try:
        return peft.get_peft_model(model, made)
    except ValueError as error:
        raise ValueError(f"model.lora.targets: {error}") from error


def parameters(model: Any) -> dict[str, int]:
    """Counts of weights: ``all``, ``trained`` and those of ``embeddings``."""
    embedding = model.get_input_embeddings().weight
    return {
        "all": sum(_size(p) for p in model.parameters()),
        "trained": sum(_size(p) for p in model.parameters() if p.requires_grad),
        "embeddings": _size(embedding),
    }


def flops(model: Any, sequence: int) -> float:
    """FLOP of one token, forward and backward: see ``devices.flops_per_token``.

    The embedding is looked up and not multiplied, but a head that shares its weights is.
    """
    counts, config = parameters(model), model.config
    tied = getattr(config, "tie_word_embeddings", False)
    multiplied = counts["all"] - (0 if tied else counts["embeddings"])
    layers, hidden = getattr(config, "num_hidden_layers", 0), getattr(config, "hidden_size", 0)
    return flops_per_token(multiplied, layers, hidden, sequence)


def _size(parameter: Any) -> int:
    return int(getattr(parameter, "ds_numel", parameter.numel()))


def decay_groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Trained weights for the optimizer: those of two and more dimensions decay, biases and norms do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
