"""DeepSpeed's engine around a model: what it is told, and the optimizer whose updates can be left out."""

import math
from typing import Any

import torch

from corpusforge.train.accelerator import deepspeed
from corpusforge.train.checkpoints import Behind
from corpusforge.train.config import Config, resolved
from corpusforge.train.models import check_compiler, decay_groups
from corpusforge.train.workers import Workers

NEVER = 1 << 40


class SkippableAdamW(torch.optim.AdamW):  # type: ignore[misc]
    """AdamW that leaves out an update, its moments included, while ``skipping`` is set."""

    skipping = False

    def step(self, closure: Any = None) -> Any:
        return None if self.skipping else super().step(closure)


def stage_of(config: Config) -> int:
    """The ZeRO stage: how much of optimizer (1), gradients (2) and weights (3) is split over workers."""
    return resolved(config).zero_stage


def told(config: Config, workers: Workers, rounds: int, universal: bool = False) -> dict[str, Any]:
    """The whole configuration that DeepSpeed is given."""
    settings: Any = resolved(config).deepspeed
    given = dict(settings)
    zero = {"stage": 0, **given.pop("zero_optimization", {})}
    if zero["stage"] == 3:
        zero.setdefault("stage3_gather_16bit_weights_on_model_save", True)
    micro = config.batch.micro
    return {
        "steps_per_print": NEVER,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        **given,
        "train_batch_size": micro * rounds * workers.world,
        "train_micro_batch_size_per_gpu": micro,
        "gradient_accumulation_steps": rounds,
        "gradient_clipping": config.optimizer.clip,
        "bf16": {"enabled": config.precision == "bf16"},
        "zero_optimization": zero,
        "checkpoint": {**given.get("checkpoint", {}), "load_universal": universal},
    }


def engine_of(model: Any, config: Config, workers: Workers, rounds: int, universal: bool) -> Any:
    """The model with optimizer and gradients as DeepSpeed keeps them."""
    how = config.optimizer
    groups = decay_groups(model, how.weight_decay)
    optimizer = SkippableAdamW(groups, lr=config.schedule.peak, betas=how.betas, eps=how.epsilon, fused=True)
    # In bf16 without ZeRO DeepSpeed (0.19) takes a step on no gradient here: the weights decay, and the first real
    # step, corrected as AdamW's second, is a quarter too small.
    optimizer.skipping = stage_of(config) == 0
    made, *_ = deepspeed.initialize(
        model=model, optimizer=optimizer, config=told(config, workers, rounds, universal), dist_init_required=False
    )
    optimizer.skipping = False
    if config.model.compile and stage_of(config) < 3:
        check_compiler(workers.device.type)
        made.compile()
    made.own_optimizer = optimizer
    if config.checkpoints.behind:
        made.checkpoint_engine = Behind()
    return made


def set_rate(engine: Any, rate: float) -> None:
    """Set the learning rate of every group of weights."""
    for group in engine.optimizer.param_groups:
        group["lr"] = rate


def set_rounds(engine: Any, rounds: int, workers: Workers) -> None:
    """Let a step be of so many rounds from now on."""
    micro = engine.train_micro_batch_size_per_gpu()
    if engine.gradient_accumulation_steps() != rounds:
        engine.set_train_batch_size(micro * rounds * workers.world)


def step(engine: Any) -> tuple[float | None, bool]:
    """Take a step; give the norm of its gradient before it was clipped, None where DeepSpeed does not tell, and whether
    the weights were moved: an update whose gradient is not finite is left out."""
    if engine.zero_optimization():
        engine.step()
        norm = engine.get_global_grad_norm()
    else:
        whole = [p.grad for p in engine.module.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(whole)
        engine.own_optimizer.skipping |= not torch.isfinite(norm)
        engine.step()
    moved = engine.was_step_applied() and not engine.own_optimizer.skipping
    if not engine.was_step_applied():
        return math.nan, False  # DeepSpeed has found an overflow, and gives the norm of some step before
    return None if norm is None else float(norm), moved
