"""A run's weights as a Hugging Face model: safetensors, tokenizer, chat template and a card of where it comes from."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

from corpusforge.train import models, sources
from corpusforge.train.card import card
from corpusforge.train.config import Config, from_json
from corpusforge.train.examples.templates import choose
from corpusforge.train.examples.tokenizer import open_tokenizer
from corpusforge.train.log import validations_of
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.plan import Plan, read_plan
from corpusforge.train.state import FOLDER, complete, name_of, state_of
from corpusforge.train.symbols import names_of, symbols_of

ROLES = {"mask": "mask_token", "begin": "cls_token", "separator": "sep_token", "padding": "pad_token"}
"""What transformers calls the symbols of an objective."""


def export(run: Path, to: Path, step: int | None = None) -> Path:
    """Write the model of a run at ``step``, by default the best of its validations or else the newest, to ``to``.

    Raises ``ValueError`` for a run without a complete checkpoint, or a folder that holds something already.
    """
    if to.exists() and any(to.iterdir()):
        raise ValueError(f"{to} holds something already; name an empty or new folder")
    config, plan = of_run(run)
    step = chosen(run, step)
    model = restored(run, config, plan, step)
    if config.model.lora:
        model = model.merge_and_unload()
    to.mkdir(parents=True, exist_ok=True)
    model.config.use_cache = True
    model.save_pretrained(to, safe_serialization=True)
    _tokenizer(config, plan, run, to)
    rows = [row for row in validations_of(run).rows if row["step"] == step]
    state = state_of(run, step)
    counts = models.parameters(model)
    (to / "README.md").write_text(card(config, plan, state, counts, rows[-1] if rows else None), encoding="utf-8")
    return to


def of_run(run: Path) -> tuple[Config, Plan]:
    """The configuration and the plan of a run."""
    plan = read_plan(run)
    return from_json(json.loads((run / "config.json").read_bytes())), plan


def chosen(run: Path, step: int | None) -> int:
    """The checkpoint that is meant."""
    found = complete(run)
    if not found:
        raise ValueError(f"{run} has no complete checkpoint yet")
    if step is None:
        best = state_of(run, found[-1]).best_step
        step = best if best in found else found[-1]
    if step not in found:
        raise ValueError(f"{run} has no checkpoint of step {step:,}; there are {', '.join(map(str, found))}")
    return step


def restored(run: Path, config: Config, plan: Plan, step: int) -> Any:
    """The model of a checkpoint in fp32 on the CPU, from the parts that all workers have written."""
    symbols = sources.symbols(plan, run)
    model = models.build(config.model, config.objective.head, symbols, config.data.sequence, config.data.seed)
    folder = run / FOLDER
    if state_of(run, step).stage:
        weights = get_fp32_state_dict_from_zero_checkpoint(str(folder), tag=name_of(step))
    else:
        path = folder / name_of(step) / "mp_rank_00_model_states.pt"
        weights = torch.load(path, map_location="cpu", weights_only=False)["module"]
    _put(model, weights)
    return model.float().eval()


def _put(model: Any, weights: Mapping[str, Any]) -> None:
    missing, unexpected = model.load_state_dict(weights, strict=False)
    model.tie_weights()
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    # Frozen weights are those that the model was begun with; buffers hang on the configuration.
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    lost = [name for name in missing if name in trained and name not in tied]
    if lost or unexpected:
        raise ValueError(f"the checkpoint and model.config differ in {', '.join([*lost, *unexpected][:5])}")


def _tokenizer(config: Config, plan: Plan, run: Path, to: Path) -> None:
    if plan.tokenizer is None:
        return
    path = run / plan.tokenizer
    if path.is_dir():
        for file in path.iterdir():
            shutil.copy(file, to / file.name)
    elif path.suffix == ".json":
        _wrapped(path, plan, config).save_pretrained(to)
    else:
        shutil.copy(path, to / path.name)
    if isinstance(config.objective, Instruction):
        template = choose(open_tokenizer(str(path), plan.eod_token), config.objective.template)
        (to / "chat_template.jinja").write_text(template.text, encoding="utf-8")


def _wrapped(path: Path, plan: Plan, config: Config) -> Any:
    """The tokenizer as transformers knows it, with the symbols that the objective has added."""
    eod = plan.eod_token
    made = transformers.PreTrainedTokenizerFast(tokenizer_file=str(path), eos_token=eod, bos_token=eod)
    if config.objective.head != "AutoModelForCausalLM":
        _named(made, path.read_bytes(), plan)
    made.model_max_length = config.data.sequence
    return made


def _named(made: Any, tokenizer: bytes, plan: Plan) -> None:
    """Give a tokenizer the symbols, at the ids that they were trained with.

    New ones stand behind the vocabulary of the source, which may have more ids than its tokenizer: the gap gets names.
    """
    trained, names = symbols_of(plan.vocabulary, plan.eod, tokenizer), names_of(tokenizer)
    if any(name not in made.get_vocab() for name in names.values()):
        gap = [f"<|unused_{id}|>" for id in range(len(made), plan.vocabulary)]
        made.add_tokens(gap, special_tokens=True)
    made.add_special_tokens({ROLES[field]: name for field, name in names.items()})
    given = {name: (made.convert_tokens_to_ids(name), getattr(trained, field)) for field, name in names.items()}
    wrong = [f"{name} is {id} and was trained as {wanted}" for name, (id, wanted) in given.items() if id != wanted]
    if wrong:
        raise ValueError(
            f"the tokenizer cannot be exported: {', '.join(wrong)}; it has ids beyond the source's vocabulary of "
            f"{plan.vocabulary:,}: train with `vocabulary` of at least {len(made):,}"
        )
