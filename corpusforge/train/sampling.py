"""Continuations of a text by the model of a run, to see what it has learnt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from corpusforge.train.examples.templates import choose
from corpusforge.train.examples.tokenizer import ChatTokenizer, open_tokenizer
from corpusforge.train.examples.writing import Writer
from corpusforge.train.export import chosen, of_run, restored
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.sources import tokenizer_path


def sample(
    run: Path, prompt: str, step: int | None = None, tokens: int = 64, count: int = 1, temperature: float = 0.8
) -> list[str]:
    """``count`` continuations of ``prompt`` of at most ``tokens`` tokens; ``temperature`` 0 takes the likeliest token.

    ``run`` is the folder of a run or of an exported model. A tuned model is asked through its chat template. Equal
    arguments give equal texts.
    """
    model, tokenizer, template = _opened(run, step)
    if template is None:
        ids = [tokenizer.eod, *tokenizer.inner.encode(prompt, add_special_tokens=False).ids]
    else:
        ids = Writer(tokenizer, template).prompt([{"role": "user", "content": prompt}]).tolist()
    torch.manual_seed(0)
    given = torch.tensor([ids] * count)
    how: dict[str, Any] = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
    how |= {"eos_token_id": tokenizer.eod, "pad_token_id": tokenizer.pad, "max_new_tokens": tokens}
    with torch.no_grad():
        made = model.generate(given, attention_mask=torch.ones_like(given), **how)
    return [tokenizer.decode(_until_end(row[len(ids) :].tolist(), tokenizer.eod)) for row in made]


def _opened(run: Path, step: int | None) -> tuple[Any, ChatTokenizer, Any]:
    """Model, tokenizer and the template that prompts are written in, if there is one."""
    if not (run / "plan.json").is_file() and not (run / "config.json").is_file():
        raise ValueError(f"{run} is neither a training run nor an exported model; name ROOT/RUN or the exported folder")
    if not (run / "plan.json").is_file():
        model = transformers.AutoModelForCausalLM.from_pretrained(run).float().eval()
        tokenizer = open_tokenizer(run)
        return model, tokenizer, choose(tokenizer, None) if tokenizer.template else None
    config, plan = of_run(run)
    if config.objective.head != "AutoModelForCausalLM":
        raise ValueError(f"{run} is a {config.objective.use} model, which continues no text")
    model = restored(run, config, plan, chosen(run, step))
    model.config.use_cache = True
    tokenizer = open_tokenizer(tokenizer_path(plan, run), plan.eod_token)
    how = config.objective
    return model, tokenizer, choose(tokenizer, how.template) if isinstance(how, Instruction) else None


def _until_end(ids: Sequence[int], end: int) -> Sequence[int]:
    return ids[: ids.index(end)] if end in ids else ids
