"""The training loop gives the losses of a plain PyTorch loop on the same samples."""

from pathlib import Path

import pytest

from corpusforge.train import sources
from corpusforge.train.config import Config
from corpusforge.train.plan import read_plan
from tests.train.runs import config, finish, losses, start

torch = pytest.importorskip("torch")
pytest.importorskip("deepspeed")
models = pytest.importorskip("corpusforge.train.models")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

STEPS = 6


def plain(made: Config, run: Path) -> list[float]:
    """Losses of AdamW on whole batches: no DeepSpeed, no micro-batches, no accumulation."""
    plan = read_plan(run)
    symbols = sources.symbols(plan, run)
    opened = sources.opened(made, plan, run, "train")
    mixture = sources.segments(made, opened)
    material = sources.material(opened, mixture, symbols, made.data.seed, made.data.sequence)
    model = models.build(made.model, made.objective.head, symbols, made.data.sequence, made.data.seed).train()
    how, samples = made.optimizer, made.batch.sizes[0]
    groups = models.decay_groups(model, how.weight_decay)
    optimizer = torch.optim.AdamW(groups, lr=made.schedule.peak, betas=how.betas, eps=how.epsilon)
    found = []
    for step in range(made.steps):
        batch = made.objective.batch(material, step * samples, samples)
        inputs = {name: torch.from_numpy(array) for name, array in batch.inputs.items()}
        logits = model(**inputs).logits.flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch.labels).flatten(), ignore_index=-100)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), how.clip)
        for group in optimizer.param_groups:
            group["lr"] = made.schedule.rate(step, made.steps)
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("stage", [0, 1])
def test_losses_are_those_of_a_plain_loop(tmp_path: Path, stage: int) -> None:
    made = config(tmp_path, stage=stage, steps=STEPS)
    finish(start(made, tmp_path / "runs"))
    run = tmp_path / "runs" / "run"
    assert losses(run) == pytest.approx(plain(made, run), abs=2e-5)
    assert losses(run)[-1] < losses(run)[0]
