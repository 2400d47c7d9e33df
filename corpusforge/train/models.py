"""Models of Hugging Face transformers: made from a configuration or a local checkpoint, with adapters if wanted."""

import os
import shutil
from collections.abc import Mapping
from difflib import get_close_matches
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
SIMILAR = 0.8
"""How like another a field must be to be taken for a misspelt one, as difflib counts it."""
FAULTS = (ValueError, TypeError, AttributeError, AssertionError, RuntimeError, StrictDataclassError)
"""What transformers raises for fields that give no model."""
BEHIND_PADDING = {"camembert", "data2vec-text", "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl"}
"""Types whose first position is the id of padding + 1, as fairseq's are, in transformers 5.24."""


def build(given: Model, head: str, symbols: Symbols, sequence: int, seed: int) -> Any:
    """A model in fp32 on the CPU: new weights hang on ``seed`` alone, so that every worker makes the same.

    Positions that it is given count from 0, whatever its type begins with. Raises ``ValueError`` for a type or field
    that transformers does not know, or for a vocabulary or length that the data goes beyond.
    """
    torch.manual_seed(seed)
    model = _loaded(given, head, symbols) if given.path else _made(given, head, symbols, sequence)
    _check_length(model.config, sequence)
    model.config.use_cache = False
    count_from_zero(model)
    if given.recompute:
        model.gradient_checkpointing_enable()
    if given.lora:
        model = _adapted(model, given)
    return model


def _made(given: Model, head: str, symbols: Symbols, sequence: int) -> Any:
    values = {"vocab_size": symbols.embeddings, **given.config}
    kind = values.pop("model_type")
    if kind not in transformers.CONFIG_MAPPING:
        raise ValueError(
            f"model.config: transformers knows no model_type {kind!r}; take one that it has, such as llama"
        )
    _check_spelling(kind, values)
    ends = {"bos_token_id": symbols.eod, "eos_token_id": symbols.eod, "pad_token_id": None}
    if head != "AutoModelForCausalLM" or kind in BEHIND_PADDING:
        ends["pad_token_id"] = symbols.padding
    values = {**ends, **values}
    first = _first_position(kind, values["pad_token_id"])
    try:
        config = transformers.AutoConfig.for_model(kind, **{"max_position_embeddings": first + sequence, **values})
    except FAULTS as error:
        raise _no_model(kind, error) from error
    _check_vocabulary(config, head, symbols)
    _check_length(config, sequence)
    try:
        return getattr(transformers, head).from_config(config, attn_implementation=given.attention, dtype=torch.float32)
    except FAULTS as error:
        raise _no_model(kind, error) from error


def _check_spelling(kind: str, values: Mapping[str, Any]) -> None:
    """Fields that transformers would take in silence, for they are nearly those that a type has."""
    usual = transformers.CONFIG_MAPPING[kind]()
    known = {*usual.to_dict(), *usual.attribute_map, *dir(usual)}
    for name in values.keys() - known:
        meant = get_close_matches(name, known, 1, SIMILAR)
        if meant:
            raise ValueError(f"model.config: {kind} has no field {name!r}; did you mean {meant[0]!r}?")


def _no_model(kind: str, error: Exception) -> ValueError:
    return ValueError(f"model.config gives no model ({error}); see the fields of {kind} in transformers")


def _check_vocabulary(config: Any, head: str, symbols: Symbols) -> None:
    there = getattr(config.get_text_config(), "vocab_size", None)
    needed = max(symbols.vocabulary, symbols.eod + 1) if head == "AutoModelForCausalLM" else symbols.ids
    if there is not None and there < needed:
        raise ValueError(
            f"model.config.vocab_size is {there:,} and the data needs {needed:,} ids: leave it out, or set "
            f"{symbols.embeddings:,}"
        )


def _first_position(kind: str, padding: int | None) -> int:
    """What the positions of a type begin with in its own use."""
    return 0 if padding is None or kind not in BEHIND_PADDING else padding + 1


def count_from_zero(model: Any) -> None:
    """Make a model take positions that count from 0, if it does not already."""
    if _first_position(model.config.model_type, getattr(model.config, "pad_token_id", None)):
        # On the model within the one with a head: adapters call the latter past its hooks.
        model.base_model.register_forward_pre_hook(_moved, with_kwargs=True)


def _moved(model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a model with positions that it begins as in its own use."""
    positions = named.get("position_ids")
    if positions is not None:
        first = _first_position(model.config.model_type, model.config.pad_token_id)
        named = {**named, "position_ids": positions + first}
    return arguments, named


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
    first = _first_position(config.model_type, getattr(config, "pad_token_id", None))
    if most is not None and most - first < sequence:
        behind = f" ({most:,} positions, of which the first {first:,} are unused)" if first else ""
        raise ValueError(
            f"data.sequence is {sequence:,} and the model reads at most {max(0, most - first):,}{behind}: take a "
            "shorter sequence, or leave max_position_embeddings out of model.config"
        )


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

    Embeddings of ids, positions and parts are looked up and not multiplied, but a head that shares its weights is.
    Every expert of a mixture counts.
    """
    looked_up = {id(part.weight) for part in model.modules() if isinstance(part, torch.nn.Embedding)}
    head = model.get_output_embeddings()
    if head is not None:
        looked_up.discard(id(head.weight))
    multiplied = [weight for weight in model.parameters() if id(weight) not in looked_up]
    trained = sum(_size(weight) for weight in multiplied if weight.requires_grad)
    frozen = sum(_size(weight) for weight in multiplied if not weight.requires_grad)
    return flops_per_token(
        trained, getattr(model.config, "num_hidden_layers", 0), _width(model.config), sequence, frozen
    )


def _width(config: Any) -> int:
    """Heads times the size of a head; 0 for a model without attention."""
    heads = getattr(config, "num_attention_heads", None) or 0
    return int(heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)) if heads else 0


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
