"""Training speed of a 124-million-parameter GPT-2 on one GPU: CorpusForge's loop beside a plain loop of PyTorch.

``python -m benchmarks.gpu [--compile]`` · bar: at least .95 × the tokens a second of the plain loop. Both train the
same model of transformers from the same token shard, which is made here (random ids in documents of a thousand on
average), with as many samples a step and a micro-batch, in bf16, each in a process of its own, by turns. CorpusForge
runs as ``python -m corpusforge.train RUN``: one worker, ZeRO-1, no Ray; first without document boundaries, as the plain
loop, then with them. The plain loop reads the shard through a memory map at random places, computes under autocast and
steps a fused AdamW. The first steps of a process are not counted; figures are medians over the rounds.

Needs: torch for the GPU, deepspeed, transformers, peft and safetensors (the extra ``train``); no data.
``--cpu`` runs ten million parameters in fp32 on one core instead: it shows that the program works, and what the loop
costs beside its arithmetic. There a second is one of CPU time, so that other work of the machine counts for less.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch.nn import functional as F  # noqa: N812

from corpusforge.tokens.megatron import index_bytes
from corpusforge.train.config import from_json
from corpusforge.train.devices import mfu, peak_of
from corpusforge.train.log import steps_of
from corpusforge.train.models import flops
from corpusforge.verbs.train import prepare

EOD, POLL_SECONDS = 0, 0.01
OPTIMIZER = {"betas": (0.9, 0.95), "epsilon": 1e-8, "weight_decay": 0.1, "clip": 1.0}
RATE = 6e-4


@dataclass(frozen=True)
class Task:
    """What both sides do: ``samples`` of ``sequence`` tokens a step, ``micro`` at once; ``warm`` steps do not count."""

    hidden: int
    layers: int
    heads: int
    vocabulary: int
    sequence: int
    micro: int
    samples: int
    warm: int
    steps: int
    precision: str
    compile: bool

    @property
    def tokens(self) -> int:
        """Tokens of a step."""
        return self.samples * self.sequence

    @property
    def model(self) -> dict[str, Any]:
        sizes = {"n_embd": self.hidden, "n_layer": self.layers, "n_head": self.heads, "vocab_size": self.vocabulary}
        return {"model_type": "gpt2", **sizes, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


GPU = Task(768, 12, 12, 50304, 1024, 16, 128, 5, 30, "bf16", False)
CPU = Task(320, 6, 5, 8192, 256, 4, 8, 2, 10, "fp32", False)


@dataclass(frozen=True)
class Measured:
    """What a process gave: bytes of ``memory`` are the peak of its device."""

    tokens_per_second: float
    memory: int | None = None
    flops_per_token: float = 0.0
    device: str = "CPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="a small model on one core")
    parser.add_argument("--compile", action="store_true", help="both sides with torch.compile")
    parser.add_argument("--micro", type=int, help="samples through the model at once")
    parser.add_argument("--samples", type=int, help="samples of a step")
    parser.add_argument("--steps", type=int, help="steps of a process, those not counted included")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plain:
        _plain(given.plain)
        return
    if not given.cpu and not torch.cuda.is_available():
        print("no GPU is here, so nothing was measured; --cpu tries the program on a small model")
        return
    chosen = {name: value for name, value in vars(given).items() if name in ("micro", "samples", "steps") and value}
    task = Task(**{**asdict(CPU if given.cpu else GPU), **chosen, "compile": given.compile})
    with tempfile.TemporaryDirectory() as folder:
        _shard(Path(folder, "shard"), task)
        _show(task, _rounds(task, Path(folder), given.rounds, given.cpu))


def _rounds(task: Task, folder: Path, rounds: int, cpu: bool) -> dict[str, list[Measured]]:
    """Each side in turn, in every round."""
    environment = dict(os.environ)
    if cpu:
        environment |= {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    found: dict[str, list[Measured]] = {}
    for number in range(rounds):
        for name, boundaries in (("plain loop", None), ("CorpusForge", False), ("CorpusForge, boundaries", True)):
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
            run = f"{number}-{boundaries}"
            one = (
                _run_plain(task, folder, environment)
                if boundaries is None
                else _run_ours(task, folder, run, boundaries, environment)
            )
            found.setdefault(name, []).append(one)
    return found


def _show(task: Task, found: Mapping[str, list[Measured]]) -> None:
    device, work = found["plain loop"][0].device, found["plain loop"][0].flops_per_token
    peak = peak_of(device, task.precision)
    print(f"{device}, torch {torch.__version__}, {task}\n")
    print("| | tokens/s (smallest to largest) | MFU | memory, GB |\n|---|---:|---:|---:|")
    rates = {}
    for name, runs in found.items():
        each = sorted(one.tokens_per_second for one in runs)
        rates[name] = rate = statistics.median(each)
        share = f"{mfu(rate, work, peak[0], 1):.1%}" if peak else "–"
        memory = f"{runs[0].memory / 1e9:.1f}" if runs[0].memory else "–"
        print(f"| {name} | {rate:,.0f} ({each[0]:,.0f} to {each[-1]:,.0f}) | {share} | {memory} |")
    plain = rates.pop("plain loop")
    print("\n" + "\n".join(f"{name}: {rate / plain:.3f} × the plain loop" for name, rate in rates.items()))


def _run_ours(task: Task, folder: Path, run: str, boundaries: bool, environment: Mapping[str, str]) -> Measured:
    """CorpusForge's loop as its own process, timed from outside by the lines of its log."""
    made = {
        "run": run,
        "data": {
            "sources": {"shard": {"megatron": [str(folder / "shard")], "eod": EOD, "vocabulary": task.vocabulary}},
            "sequence": task.sequence,
        },
        "model": {"config": task.model, "compile": task.compile},
        "objective": {"use": "causal", "boundaries": boundaries},
        "steps": task.steps,
        "batch": {"samples": task.samples, "micro": task.micro},
        "optimizer": OPTIMIZER,
        "schedule": {"use": "constant", "peak": RATE},
        "precision": task.precision,
        "deepspeed": {"zero_optimization": {"stage": 1}},
        "checkpoints": {"every": task.steps},
        "trackers": [],
    }
    there = prepare(from_json(made), folder, print)
    command = [sys.executable, "-m", "corpusforge.train", str(there)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    cpu = "CUDA_VISIBLE_DEVICES" in environment and not environment["CUDA_VISIBLE_DEVICES"]
    times = [_time_of(there / "log" / "steps.jsonl", lines, process, cpu) for lines in (task.warm, task.steps)]
    said = process.communicate()[0]
    if process.returncode or None in times:
        raise RuntimeError(f"CorpusForge's loop ended with status {process.returncode}: {said[-3000:]}")
    steps = steps_of(there)
    memory = steps.columns["memory"][-1]
    rate = task.tokens * (task.steps - task.warm) / (times[1] - times[0])  # type: ignore[operator]
    return Measured(rate, None if np.isnan(memory) else int(memory))


def _time_of(log: Path, lines: int, process: subprocess.Popen[str], cpu: bool) -> float | None:
    """When a log has so many lines, or the CPU seconds of its writer then; None where it ended before."""
    while True:
        ended = process.poll() is not None
        if log.exists() and log.read_bytes().count(b"\n") >= lines:
            return _cpu_seconds(process.pid) if cpu else time.perf_counter()
        if ended:
            return None
        time.sleep(POLL_SECONDS)


def _cpu_seconds(pid: int) -> float:
    """What a process has used, in user and system mode: fields 14 and 15 of /proc/PID/stat (man 5 proc)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _run_plain(task: Task, folder: Path, environment: Mapping[str, str]) -> Measured:
    (folder / "task.json").write_text(json.dumps(asdict(task)))
    command = [sys.executable, "-m", "benchmarks.gpu", "--plain", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the plain loop ended with status {done.returncode}: {done.stderr[-3000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _plain(folder: Path) -> None:
    """The plain loop; prints what it measured as JSON."""
    task = Task(**json.loads((folder / "task.json").read_bytes()))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    fields = dict(task.model)
    kind = fields.pop("model_type")
    config = transformers.AutoConfig.for_model(kind, **fields, n_positions=task.sequence, use_cache=False)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").to(device)
    work = flops(model, task.sequence)
    groups = [
        {"params": [p for p in model.parameters() if (p.ndim >= 2) == decays], "weight_decay": decay}
        for decays, decay in ((True, 0.1), (False, 0.0))
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95), fused=True)
    ids = np.memmap(folder / "shard.bin", np.uint16, "r")
    compiled = torch.compile(_loss) if task.compile else _loss
    begun, clock = 0.0, time.perf_counter if device.type == "cuda" else time.process_time
    for step in range(task.steps):
        if step == task.warm:
            _synchronised(device)
            begun = clock()
        for _ in range(task.samples // task.micro):
            inputs, labels = _batch(ids, task, device)
            with torch.autocast(device.type, torch.bfloat16, enabled=task.precision == "bf16"):
                loss = compiled(model, inputs, labels)
            (loss * (task.micro / task.samples)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    _synchronised(device)
    rate = task.tokens * (task.steps - task.warm) / (clock() - begun)
    cuda = device.type == "cuda"
    memory, name = (torch.cuda.max_memory_allocated(), torch.cuda.get_device_name()) if cuda else (None, "CPU")
    print(json.dumps(asdict(Measured(rate, memory, work, name))))


def _loss(model: Any, inputs: Any, labels: Any) -> Any:
    return F.cross_entropy(model(input_ids=inputs).logits.flatten(0, 1), labels.flatten())


def _batch(ids: Any, task: Task, device: Any) -> tuple[Any, Any]:
    """Samples from random places, and what follows each of their tokens."""
    places = torch.randint(len(ids) - task.sequence, (task.micro,)).tolist()
    rows = np.stack([ids[place : place + task.sequence + 1] for place in places]).astype(np.int64)
    both = torch.from_numpy(rows)
    parts = both[:, :-1].contiguous(), both[:, 1:].contiguous()
    if device.type == "cpu":
        return parts
    inputs, labels = (part.pin_memory().to(device, non_blocking=True) for part in parts)
    return inputs, labels


def _synchronised(device: Any) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _shard(prefix: Path, task: Task) -> None:
    """Twice as many tokens as a process reads, in documents of a thousand on average."""
    random, tokens = np.random.default_rng(0), 2 * task.tokens * task.steps
    ends = np.sort(random.choice(tokens - 1, tokens // 1000, replace=False) + 1)
    lengths = np.diff([0, *ends, tokens])
    ids = random.integers(1, task.vocabulary, tokens, dtype=np.uint16)
    ids[np.cumsum(lengths) - 1] = EOD
    prefix.with_suffix(".bin").write_bytes(ids.tobytes())
    prefix.with_suffix(".idx").write_bytes(index_bytes(lengths.tolist(), ids.dtype))


if __name__ == "__main__":
    main()
