"""The training loop: torch and DeepSpeed, no Ray. Every worker runs it; alone it is a process of its own.

What a step does hangs on the configuration, the plan and the number of the step alone: a worker that is killed, a
number of workers that changes, or another split into micro-batches gives the same losses.
"""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from corpusforge.tokens.mixture import Segment
from corpusforge.train import checkpoints, isolation, models, notes, sources, zero
from corpusforge.train.accelerator import deepspeed
from corpusforge.train.batches import Share, order_of
from corpusforge.train.config import Config, as_json
from corpusforge.train.devices import mfu, peak_of
from corpusforge.train.lock import RunLock
from corpusforge.train.log import RunLog, events_of
from corpusforge.train.losses import costs, on_device, step_loss
from corpusforge.train.objectives.masks import key_of
from corpusforge.train.objectives.micro_batch import MicroBatch, empty
from corpusforge.train.plan import TokensPlan, check_patience, read_plan
from corpusforge.train.progress import Progress
from corpusforge.train.spikes import SpikeDetector
from corpusforge.train.state import (
    State,
    check_sources,
    check_stage,
    checkpoint_of,
    complete,
    of_new_run,
    segments_from,
    sizes_from,
    state_of,
)
from corpusforge.train.token_lengths import token_lengths
from corpusforge.train.trace import readings
from corpusforge.train.trackers import Tracker, open_trackers
from corpusforge.train.validation import Validation, mean_of
from corpusforge.train.workers import Workers, join

Say = Callable[[str], None]
NAMED = 8
"""Samples of a batch that are named where its loss spikes, the dearest."""


class Listener(Protocol):
    """Who is told of checkpoints, such as Ray Train."""

    def __call__(self, step: int, folder: Path, figures: dict[str, float]) -> None: ...


def nobody(step: int, folder: Path, figures: dict[str, float]) -> None:
    """Is told and does nothing."""


@dataclass(frozen=True)
class Stepped:
    """What a step gave: costs of (samples, terms) and counts of the same, in the order of samples; ``norm`` of its
    gradient, None where that is not told; whether it ``moved`` the weights; ``seconds``, of which it did ``wait``."""

    costs: Any
    counts: Any
    norm: float | None = None
    moved: bool = True
    rate: float = math.nan
    seconds: float = math.nan
    wait: float = math.nan

    @property
    def tokens(self) -> int:
        return int(self.counts[:, 0].sum())

    @property
    def loss(self) -> float:
        """Nats a predicted token, and a pair where there are any."""
        return float((self.costs.sum(0) / self.counts.sum(0).clip(min=1)).sum())

    def of_samples(self) -> Any:
        """The loss of each sample in nats a predicted token, NaN where it predicts none."""
        counts = self.counts[:, 0]
        return np.where(counts > 0, self.costs[:, 0] / np.maximum(counts, 1), math.nan)


def train(config: Config, folder: Path, tell: Listener = nobody, say: Say = print) -> State:
    """Train the run in ``folder``, which holds its plan, from its newest checkpoint to its last step."""
    workers = join(deepspeed)
    with RunLock(folder) if workers.first else nullcontext():
        run = Run(config, folder, workers, tell, say)
        try:
            return run.to_the_end()
        finally:
            run.close()


class Run:
    """A run on one worker."""

    def __init__(self, config: Config, folder: Path, workers: Workers, tell: Listener, say: Say) -> None:
        self.config, self.folder, self.workers, self.tell = config, folder, workers, tell
        self.say: Say = say if workers.first else lambda line: None
        plan = read_plan(folder)
        self.symbols = sources.symbols(plan, folder)
        opened = sources.opened(config, plan, folder, "train")
        self._wanted = sources.segments(config, opened)
        self._opened = opened
        held_out = sources.opened(config, plan, folder, "validation")
        check_patience(config, held_out)
        for line in notes.told(config, opened, held_out):
            self.say(line)
        self._facts = notes.facts(config, opened, held_out)
        lengths = token_lengths(plan, folder)
        self.validation = Validation(config, held_out, self.symbols, lengths)
        self.detectors = {
            name: SpikeDetector(config.spikes.sigmas, config.spikes.window) for name in ("loss", "grad_norm")
        }
        begun = [row for row in events_of(folder).rows if row["kind"] in ("start", "resume")]
        told = [its for row in begun for its in row["facts"].get("erased", {}).items()]
        self._known_erased = {(name, id) for name, ids in told for id in ids}
        self._erased = {name: source.erased for name, source in plan.sources.items() if isinstance(source, TokensPlan)}
        self.log = RunLog(folder, len(begun) + 1) if workers.first else None
        self.trackers: list[Tracker] = []
        if workers.first:
            self.trackers = open_trackers(config.trackers, folder, config.run, as_json(config))
        self._reader = ThreadPoolExecutor(1)
        self._ahead: tuple[int, Future[list[MicroBatch]]] | None = None
        self.progress = Progress(config.steps)
        self._writing: checkpoints.Saved | None = None
        self._begin()

    def _begin(self) -> None:
        """Make the engine, from the newest checkpoint where there is one."""
        found = complete(self.folder)
        start = self.config.start
        origin, at = (self.folder, found[-1]) if found else (None, None)
        if origin is None and start is not None:
            origin = Path(start.run)
            at = checkpoint_of(origin, start.step, self.config.precision, self.config.model.config)
        self._load(origin, at)
        if origin is not None:
            text = f"goes on from step {at:,} of {origin.name} with {self.workers.world} workers"
            self._event("resume" if found else "start", text, **self._order(), **self._newly_erased(), **self._facts)
        else:
            counts = models.parameters(self.engine.module)
            text = f"{counts['all']:,} weights, {counts['trained']:,} of them trained"
            self._event("start", text, **counts, **self._order(), **self._newly_erased(), **self._facts)

    def _order(self) -> dict[str, Any]:
        """What says which samples the steps from here on read, for those who trace them."""
        told = self.state.as_json()
        return {name: told[name] for name in ("segments", "sizes", "skips")}

    def _newly_erased(self) -> dict[str, Any]:
        """The documents that are forgotten from the next sample on and were not before."""
        known = self._known_erased
        ids = {name: [id for id in erased if (name, id) not in known] for name, erased in self._erased.items()}
        return {"erased": {name: its for name, its in ids.items() if its}}

    def _load(self, origin: Path | None, at: int | None) -> None:
        config, workers = self.config, self.workers
        before = State() if origin is None or at is None else state_of(origin, at)
        stage = zero.stage_of(config)
        if origin is not None:
            check_stage(before.stage, stage)
            check_sources(before, self._opened)
            before = before if origin == self.folder else of_new_run(before)
        self.state = self._continued(before, stage)
        universal = origin is not None and bool(stage) and before.world != workers.world
        if origin is not None and at is not None and universal:
            checkpoints.convert(origin, at, stage, workers)
        model = models.build(config.model, config.objective.head, self.symbols, config.data.sequence, config.data.seed)
        isolation.check(model, config.objective, config.batch.micro)
        self.engine = zero.engine_of(model, config, workers, self._share.rounds(self._size), universal)
        if origin is not None and at is not None:
            checkpoints.load(self.engine, origin, at, universal)
            if universal:
                checkpoints.forget_converted(origin, at, workers)
        self._flops = models.flops(self.engine.module, config.data.sequence)
        self.engine.train()

    def _continued(self, before: State, stage: int) -> State:
        """The state with what the configuration now asks of the steps to come."""
        sizes = sizes_from(before.sizes, before.step, self.config.batch.sizes)
        state = State(**{**vars(before), "sizes": sizes, "world": self.workers.world, "stage": stage})
        earlier = [Segment(one["from_sample"], one["weights"]) for one in before.segments]
        mixed = segments_from(earlier, state.batches.first(before.step), self._wanted)
        config = self.config
        self.material = sources.material(self._opened, mixed, self.symbols, config.data.seed, config.data.sequence)
        state.segments = self.material.stream.mixture.state()
        for name, detector in self.detectors.items():
            if name in state.spikes:
                detector.load(state.spikes[name])
        return state

    @property
    def _share(self) -> Share:
        return Share(self.workers.rank, self.workers.world, self.config.batch.micro)

    @property
    def _size(self) -> int:
        return self.state.batches.size(self.state.step)

    def to_the_end(self) -> State:
        """Take every step that is left."""
        self._saved = self.state.step
        if self.state.step > self.config.steps:
            self.say(f"steps: {self.config.steps:,} are asked for and {self.state.step:,} are done already")
        while self.state.step < self.config.steps and not self._gave_up:
            stepped = self._step()
            if self._spiked(stepped):
                continue
            self._account(stepped)
            if self._due(self.config.validation.every) and self.validation.names:
                self._validated()
            if self._due(self.config.checkpoints.every):
                self._save(stepped.loss)
        self._save(float("nan"))
        self._complete()
        self._event("stop", f"{self.state.step:,} steps are done")
        return self.state

    def _due(self, every: int) -> bool:
        return self.state.step % every == 0 or self.state.step == self.config.steps

    def _step(self) -> Stepped:
        began = time.perf_counter()
        step, rounds = self.state.step, self._share.rounds(self._size)
        batches = self._taken(step)
        wait = time.perf_counter() - began
        counts = torch.from_numpy(np.concatenate([batch.counts() for batch in batches])).to(self.workers.device)
        totals = self._agreed(counts.sum(0))
        zero.set_rounds(self.engine, rounds, self.workers)
        rate = self.config.schedule.rate(step, self.config.steps)
        zero.set_rate(self.engine, rate)
        found = []
        for turn, batch in enumerate(batches):
            self._seed(step, turn)
            self.engine.set_gradient_accumulation_boundary(turn + 1 == rounds)
            cost = costs(self.engine, *on_device(batch, self.workers.device))
            self.engine.backward(step_loss(cost, totals, self.workers.world), scale_wrt_gas=False)
            found.append(cost.detach())
            if turn + 1 < rounds:
                self.engine.step()
        everyone = self.workers.gathered(torch.stack([torch.cat(found).double(), counts.double()]))
        if self.config.spikes.act == "skip":  # only then is the loss read, and a device waited for, before the update
            spike = self.detectors["loss"].judged(step, self._stepped(everyone).loss)
            self.engine.own_optimizer.skipping = spike is not None
        else:
            self.engine.own_optimizer.skipping = False
        norm, moved = zero.step(self.engine)
        stepped = self._stepped(everyone)
        seconds = time.perf_counter() - began
        return replace(stepped, norm=norm, moved=moved, rate=rate, seconds=seconds, wait=wait)

    def _agreed(self, counts: Any) -> Any:
        """The counts of all workers. Where all have written their part of a checkpoint it is made complete: they are
        told so in the same message, since each has to know it at the same step."""
        written = self._writing is not None and checkpoints.written(self.engine)
        told = self.workers.summed(torch.cat([counts, counts.new_tensor([written])]))
        if self._writing is not None and int(told[-1]) == self.workers.world:
            self._complete()
        return told[:-1]

    def _seed(self, step: int, turn: int) -> None:
        """Dropout hangs on the samples, not on what was drawn before."""
        offset = self._share.parts(self._size)[turn][0]
        sample = self.state.batches.first(step) + offset
        torch.manual_seed(int(key_of(self.config.data.seed, "dropout", sample)) >> 1)

    def _taken(self, step: int) -> list[MicroBatch]:
        """The micro-batches of a step, read ahead; those of the next one are begun."""
        if self._ahead is None or self._ahead[0] != step:
            self._ahead = (step, self._reader.submit(self._read, self.state.batches, step))
        batches = self._ahead[1].result()
        self._ahead = (step + 1, self._reader.submit(self._read, self.state.batches, step + 1))
        return batches

    def _read(self, batches: Any, step: int) -> list[MicroBatch]:
        first, size, micro = batches.first(step), batches.size(step), self.config.batch.micro
        made = []
        for offset, count in self._share.parts(size):
            # Behind the end of a batch the last sample is read once more and predicts nothing.
            batch = self.config.objective.batch(self.material, first + min(offset, size - 1), max(count, 1))
            made.append(empty(batch, micro) if count else empty(batch.silent(), micro))
        return made

    def _stepped(self, everyone: Any) -> Stepped:
        """What all workers tell of a step, costs and counts of (workers, 2, rows, terms), in the order of samples."""
        size, micro, world = self._size, self.config.batch.micro, self.workers.world
        order = np.argsort(np.array(order_of(size, world, micro)), kind="stable")[:size]
        rows = np.concatenate(list(everyone.cpu().numpy()), axis=1)
        return Stepped(rows[0, order], rows[1, order])

    def _spiked(self, stepped: Stepped) -> bool:
        """Judge a step; True if the run went back, so that the step does not count."""
        step, values = self.state.step, {"loss": stepped.loss, "grad_norm": stepped.norm}
        found = {name: self.detectors[name].feed(step, value) for name, value in values.items() if value is not None}
        spikes = [spike.words(name) for name, spike in found.items() if spike is not None]
        if not spikes and stepped.moved:
            return False
        first = self.state.batches.first(step)
        losses = stepped.of_samples()
        worst = np.argsort(-np.nan_to_num(losses, nan=-1.0), kind="stable")[:NAMED]
        facts = {"first": first, "samples": self._size, "worst": [first + int(n) for n in worst]}
        if self.log is not None:
            found_in = (readings(self.config, self.material, first + int(n), float(losses[n])) for n in worst)
            facts["documents"] = [reading.words() for sample in found_in for reading in sample]
        if spikes:
            self._event("spike", "; ".join(spikes), **facts)
        if not stepped.moved:
            self._event("skip", f"the update of step {step:,} is left out", **facts)
        return self.config.spikes.act == "rewind" and self._rewound(first)

    def _rewound(self, first: int) -> bool:
        """Go back to the newest checkpoint and leave this step's samples out; False where that cannot be done."""
        spiked, size, rewinds, skips = self.state.step, self._size, self.state.rewinds, self.state.skips
        self._complete()
        found = [step for step in complete(self.folder) if step <= spiked]
        if not found or rewinds >= self.config.spikes.most:
            why = f"it has done so {rewinds} times" if found else "there is no checkpoint before"
            self._event("failed", f"the run cannot go back from step {spiked:,}: {why}. It goes on")
            return False
        self._go_back(found[-1])
        self.state.skips = [*skips, (spiked, size)]  # the checkpoint may be older than an earlier skip
        self.state.rewinds, self._ahead = rewinds + 1, None
        text = f"back to step {found[-1]:,}; samples {first:,} to {first + size - 1:,} are left out"
        self._event("rewind", text, **self._order())
        return True

    def _go_back(self, step: int) -> None:
        """Take weights, optimizer and state of a checkpoint of this run into the engine that there is."""
        self.state = self._continued(state_of(self.folder, step), zero.stage_of(self.config))
        checkpoints.load(self.engine, self.folder, step, universal=False)

    def _account(self, stepped: Stepped) -> None:
        step, size = self.state.step, self._size
        first = self.state.batches.first(step)
        self.state.step, self.state.tokens = step + 1, self.state.tokens + stepped.tokens
        if self.log is None:
            return
        by_source = self._by_source(first, size, stepped)
        speed = {"seconds": stepped.seconds, "wait": stepped.wait, "memory": _memory(self.workers)}
        tokens = size * self.config.data.sequence
        speed["mfu"] = self._mfu(tokens / stepped.seconds)
        told: dict[str, float | None] = {"loss": stepped.loss, "lr": stepped.rate, "grad_norm": stepped.norm}
        self.log.step(step, first, size, tokens, **told, **speed, sources=by_source)  # type: ignore[arg-type]
        self.log.losses(first, stepped.of_samples())
        self._track(step, told | {f"loss/{name}": loss for name, loss in by_source.items()})
        line = self.progress.feed(step + 1, stepped.loss, tokens, stepped.seconds, stepped.wait)
        if line:
            self.say(line)

    def _mfu(self, tokens_per_second: float) -> float | None:
        """Share of the devices' peak that the model's own work is; None where the peak is not known."""
        if self.workers.device.type != "cuda":
            return None
        peak = peak_of(torch.cuda.get_device_name(), self.config.precision)
        return mfu(tokens_per_second, self._flops, peak[0], self.workers.world) if peak else None

    def _by_source(self, first: int, size: int, stepped: Stepped) -> dict[str, float]:
        """The loss of each source's samples, in nats a predicted token."""
        stream = self.material.stream
        numbers, _ = stream.mixture.draws(first, size)
        found = {}
        for number in np.unique(numbers).tolist():
            its = numbers == number
            found[stream.mixture.names[number]] = float(
                stepped.costs[its, 0].sum() / max(stepped.counts[its, 0].sum(), 1)
            )
        return found

    @property
    def _gave_up(self) -> bool:
        """Whether the run has stopped to get better and ends."""
        patience = self.config.validation.patience
        return patience is not None and self.state.waited >= patience

    def _validated(self) -> None:
        """Look at held-out text, and keep the checkpoint that is the best so far."""
        told = self.validation(self.engine, self.workers)
        mean, step, state, how = mean_of(told), self.state.step, self.state, self.config.validation
        if self.log is not None:
            self.log.validation(step, told, mean)
        self._track(step - 1, {f"validation/{name}": value for name, value in mean.items()})
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in mean.items())
        self.say(f"validation after step {step:,}: {figures}")
        loss = mean["loss"] + mean.get("pair_loss", 0.0)
        known = math.inf if state.best_loss is None or math.isnan(state.best_loss) else state.best_loss
        if loss < known - how.least_gain or state.best_loss is None:
            state.best_step, state.best_loss, state.waited = step, loss, 0
            self._save(loss)
            self._event("best", f"the best so far: {figures}")
            return
        state.waited += 1
        if self._gave_up:
            best = f"the best is that of step {state.best_step:,}"
            self._event("early_stop", f"{state.waited} validations brought nothing; {best}")

    def _save(self, loss: float) -> None:
        """Write a checkpoint of this step, unless it has one, or begin to."""
        if self._saved == self.state.step:
            return
        self._complete()
        self._saved = self.state.step
        self.state.spikes = {name: detector.state() for name, detector in self.detectors.items()}
        self._writing = checkpoints.save(self.engine, self.folder, self.state, loss, self.workers)
        if not self.config.checkpoints.behind:
            self._complete()

    def _complete(self) -> None:
        """Make the checkpoint that is being written complete, if there is one. Every worker calls this."""
        saved, self._writing = self._writing, None
        if saved is None:
            return
        checkpoints.complete_with(saved, self.engine, self.workers)
        if self.workers.first:
            checkpoints.tidy(self.folder, self.config.checkpoints, self.state.best_step)
        self._event("checkpoint", f"checkpoint {saved.folder.name}")
        self.tell(saved.step, saved.folder, {"loss": saved.loss, "step": saved.step})

    def _event(self, kind: str, text: str, **facts: Any) -> None:
        if self.log is not None:
            self.log.event(kind, self.state.step, text, **facts)
        if kind != "checkpoint":
            self.say(f"{kind}: {text}")

    def _track(self, step: int, values: Mapping[str, float | None]) -> None:
        told = {name: value for name, value in values.items() if value is not None}
        for tracker in list(self.trackers):
            try:
                tracker.scalars(step, told)
            except Exception as error:  # another's server must not end the run
                self.trackers.remove(tracker)
                self.say(f"the tracker {type(tracker).__name__} is given up ({error}); the run's own log goes on")

    def close(self) -> None:
        """Close what is open on this worker."""
        self._reader.shutdown(cancel_futures=True)
        for tracker in self.trackers:
            tracker.close()
        if self.log is not None:
            self.log.close()


def _memory(workers: Workers) -> int | None:
    return torch.cuda.max_memory_allocated() if workers.device.type == "cuda" else None
