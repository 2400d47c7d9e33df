"""What a training run is: the configuration that a YAML file gives, validated before any work starts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from corpusforge.job import everywhere
from corpusforge.parts import RecipeError, Spot, built, parse_yaml
from corpusforge.train.objectives.causal import Causal
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.objectives.masked import Masked
from corpusforge.train.objectives.next_sentence import NextSentence
from corpusforge.train.presets import filled
from corpusforge.train.schedules import Schedule

STRICT = ConfigDict(extra="forbid")
PATHS = ("corpus", "staging", "megatron", "tokenizer", "examples", "validation")
"""Fields of a source that hold paths or addresses."""
Objective = Annotated[Causal | Masked | NextSentence | Instruction, Field(discriminator="use")]


@dataclass(frozen=True, config=STRICT)
class CorpusTokens:
    """Token shards of a corpus: ``corpus`` is ``ROOT/CORPUS/VERSION[/PASS]``.

    ``series`` keeps shards of these series only, such as ``[ja]``; ``repeats`` takes documents of large duplicate
    clusters more often, ``{2: 2, 10: 3}``; ``staging`` is a folder for copies of shards that lie in an object store.
    """

    corpus: str
    series: tuple[str, ...] = ()
    repeats: dict[int, int] = Field(default_factory=dict)
    staging: str | None = None


@dataclass(frozen=True, config=STRICT)
class MegatronTokens:
    """Token shards in Megatron's format: ``megatron`` are paths without ``.bin``.

    ``eod`` ends a document and ``vocabulary`` is the largest id + 1. ``tokenizer`` is their tokenizer.json or
    sentencepiece model, for export and for bits per byte. ``validation`` are shards of held-out text.
    """

    megatron: tuple[str, ...]
    eod: int = Field(ge=0)
    vocabulary: int = Field(ge=1)
    tokenizer: str | None = None
    validation: tuple[str, ...] = ()


@dataclass(frozen=True, config=STRICT)
class ExampleFiles:
    """Examples to tune on, as JSON Lines of messages, prompts with completions, or instructions with outputs.

    ``validation`` are files of held-out examples. ``too_long`` says what is done with an example that is longer than a
    sample, ``allow_bad`` how many lines may be wrong.
    """

    examples: tuple[str, ...]
    validation: tuple[str, ...] = ()
    too_long: Literal["drop", "cut"] = "drop"
    allow_bad: int = Field(default=0, ge=0)


Source = CorpusTokens | MegatronTokens | ExampleFiles


@dataclass(frozen=True, config=STRICT)
class Weights:
    """From sample ``from_sample`` on, each source gives the share of samples that its weight has in their sum."""

    from_sample: int
    weights: dict[str, float]


@dataclass(frozen=True, config=STRICT)
class Data:
    """What is read: sources by name and how they are mixed.

    ``mixture`` is one mapping of weights, or a list of them with the sample from which each holds: a curriculum.
    Without it every source weighs as many tokens as it has. ``sequence`` is the length of a sample in tokens.
    ``verify`` reads every shard at the start and compares its digest.
    """

    sources: dict[str, Source]
    mixture: dict[str, float] | tuple[Weights, ...] = Field(default_factory=dict)
    sequence: int = Field(default=1024, ge=2)
    seed: int = 0
    verify: bool = False

    @model_validator(mode="after")
    def _some_source(self) -> "Data":
        if not self.sources:
            raise ValueError("data.sources names no source; give at least one, `web: {corpus: ROOT/CORPUS/dev}`")
        return self

    @model_validator(mode="after")
    def _mixed_from_the_first_sample(self) -> "Data":
        begins = [one.from_sample for one in self.mixture] if isinstance(self.mixture, tuple) else []
        if begins and (begins[0] != 0 or any(later <= before for before, later in pairwise(begins))):
            raise ValueError(
                f"data.mixture holds from the samples {begins} on; list what holds from 0 on first and then each later "
                "one, also for a run that goes on: samples that were read stay as they were"
            )
        return self


@dataclass(frozen=True, config=STRICT)
class Lora:
    """Low-rank adapters (Hu et al. 2021) in place of training every weight; merged when the model is exported.

    ``alpha`` is twice ``rank`` unless it is given. ``targets`` are names of layers, or every linear one.
    """

    rank: int = Field(default=8, ge=1)
    alpha: float | None = None
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"


@dataclass(frozen=True, config=STRICT)
class Model:
    """A model of Hugging Face transformers: new, from ``config`` (with ``model_type``), or the checkpoint in ``path``.

    Sizes of the vocabulary and of positions are set from the data where ``config`` leaves them out. ``compile`` runs
    torch.compile, except for ZeRO-3. ``recompute`` forgets activations and computes them again in the backward pass.
    ``attention`` is the implementation that transformers is to take.
    """

    path: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    lora: Lora | None = None
    recompute: bool = False
    compile: bool = False
    attention: str = "sdpa"

    @model_validator(mode="after")
    def _one_origin(self) -> "Model":
        if bool(self.path) == bool(self.config):
            raise ValueError("give model.path, a folder with a checkpoint, or model.config with a model_type, not both")
        if self.config and "model_type" not in self.config:
            raise ValueError("model.config has no model_type; write one that transformers knows, such as llama or bert")
        return self


@dataclass(frozen=True, config=STRICT)
class Batch:
    """``samples`` of a step, over all workers: a number, or one from each step on, ``{0: 256, 2000: 512}``.

    ``micro`` samples go through the model at once on each worker; the rest of a step is accumulated.
    """

    samples: int | dict[int, int] = 32
    micro: int = Field(default=8, ge=1)

    @property
    def sizes(self) -> dict[int, int]:
        """The samples of a step from each step on, in the order of steps."""
        return {0: self.samples} if isinstance(self.samples, int) else dict(sorted(self.samples.items()))

    @model_validator(mode="after")
    def _from_the_first_step(self) -> "Batch":
        begins = next(iter(self.sizes), "NUMBER")
        if begins != 0:
            raise ValueError(
                f"batch.samples begins at step {begins}; say what holds from step 0 on too, {{0: …, {begins}: …}}, "
                "also for a run that goes on: steps that are done stay as they were"
            )
        wrong = {step: size for step, size in self.sizes.items() if size < 1}
        if wrong:
            raise ValueError(f"batch.samples: a step takes at least one sample; these take {wrong}")
        return self


@dataclass(frozen=True, config=STRICT)
class Optimizer:
    """AdamW (Loshchilov and Hutter 2019); ``clip`` bounds the norm of the gradient. One-dimensional weights do not
    decay."""

    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    clip: float = Field(default=1.0, ge=0)


@dataclass(frozen=True, config=STRICT)
class Checkpoints:
    """A checkpoint every ``every`` steps and at the end; the ``keep`` newest and the best stay, and those of
    ``milestones`` steps and their multiples.

    With ``behind`` it is written while the next steps run, from a copy in memory: as much as the worker's own part.
    """

    every: int = Field(default=500, ge=1)
    keep: int = Field(default=2, ge=1)
    milestones: int | None = Field(default=None, ge=1)
    behind: bool = False


@dataclass(frozen=True, config=STRICT)
class Validation:
    """Every ``every`` steps the loss of the first ``samples`` samples of each source's held-out text.

    ``patience`` validations in a row that are not better by ``least_gain`` end the run early; none by default.
    """

    every: int = Field(default=500, ge=1)
    samples: int = Field(default=256, ge=1)
    patience: int | None = Field(default=None, ge=1)
    least_gain: float = Field(default=0.0, ge=0)


@dataclass(frozen=True, config=STRICT)
class Spikes:
    """A loss or gradient norm more than ``sigmas`` standard deviations above the mean of the last ``window`` steps.

    ``act`` is what follows: ``name`` tells the dearest samples of the batch and their documents; ``skip`` also leaves
    its update out, where it is the loss that spikes; ``rewind`` goes back to the checkpoint before and leaves the batch
    out, at most ``most`` times.
    """

    sigmas: float = Field(default=6.0, gt=0)
    window: int = Field(default=128, ge=8)
    act: Literal["name", "skip", "rewind"] = "name"
    most: int = Field(default=3, ge=1)


@dataclass(frozen=True, config=STRICT)
class Start:
    """Begin from a checkpoint of another run, its optimizer and place in the data included: ``run`` is its folder and
    ``step`` one of its checkpoints, the newest by default."""

    run: str
    step: int | None = None


@dataclass(frozen=True, config=STRICT)
class Config:
    """A training run.

    ``workers`` is a number, or the least and the most of a run that may shrink and grow. ``deepspeed`` is a JSON file
    or a mapping with DeepSpeed's own settings, such as ``zero_optimization``; batch sizes, precision, clipping and
    optimizer are decided here. ``retries`` is how often workers that fail are started again. ``preset`` names where
    rates come from that are not given here; `corpusforge train presets` lists them.
    """

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: Data
    model: Model
    preset: str | None = None
    objective: Objective = Field(default_factory=Causal)
    steps: int = Field(default=1000, ge=1)
    batch: Batch = Field(default_factory=Batch)
    optimizer: Optimizer = Field(default_factory=Optimizer)
    schedule: Schedule = Field(default_factory=Schedule)
    precision: Literal["fp32", "bf16"] = "bf16"
    deepspeed: str | dict[str, Any] = Field(default_factory=dict)
    checkpoints: Checkpoints = Field(default_factory=Checkpoints)
    validation: Validation = Field(default_factory=Validation)
    spikes: Spikes = Field(default_factory=Spikes)
    start: Start | None = None
    workers: int | tuple[int, int] = 1
    retries: int = Field(default=3, ge=0)
    trackers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        if isinstance(given, ArgsKwargs):
            return ArgsKwargs(given.args, filled(given.kwargs or {}))
        return filled(given) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        examples = [n for n, source in self.data.sources.items() if isinstance(source, ExampleFiles)]
        instructed = isinstance(self.objective, Instruction)
        if instructed != bool(examples) or (examples and len(examples) < len(self.data.sources)):
            raise ValueError("examples are for objective {use: instruction} and tokens for the others; do not mix them")
        least, most = (self.workers,) * 2 if isinstance(self.workers, int) else self.workers
        if not 1 <= least <= most:
            told = json.dumps(self.workers)
            raise ValueError(f"workers is {told}; give a number from 1 on, or the least and the most, such as [1, 8]")
        if isinstance(self.deepspeed, dict):
            _check_deepspeed(self.deepspeed, "deepspeed")
        return self

    @property
    def zero_stage(self) -> int:
        """The ZeRO stage of a configuration that is resolved."""
        assert isinstance(self.deepspeed, dict)
        return int(self.deepspeed.get("zero_optimization", {}).get("stage", 0))


DECIDED_HERE = {
    "train_batch_size": "batch.samples",
    "train_micro_batch_size_per_gpu": "batch.micro",
    "gradient_accumulation_steps": "batch.samples and batch.micro",
    "optimizer": "the configuration's own optimizer",
    "scheduler": "schedule",
    "gradient_clipping": "optimizer.clip",
    "bf16": "precision",
    "fp16": "precision: bf16",
}
"""Settings of DeepSpeed that a configuration has words of its own for."""


def _check_deepspeed(settings: Mapping[str, Any], where: str) -> None:
    for name in settings.keys() & DECIDED_HERE.keys():
        raise ValueError(f"{where}: {name} is decided by {DECIDED_HERE[name]}; leave it out of DeepSpeed's settings")
    zero = settings.get("zero_optimization", {})
    if not isinstance(zero, Mapping):
        raise ValueError(f"{where}: zero_optimization is {json.dumps(zero)}; write a mapping, such as {{stage: 2}}")
    stage = zero.get("stage", 0)
    if stage not in range(4) or isinstance(stage, bool):
        raise ValueError(f"{where}: zero_optimization.stage is {json.dumps(stage)}; give 0, 1, 2 or 3")


def read_config(path: str | Path, changes: Mapping[str, Any] | None = None) -> Config:
    """The configuration in a YAML file with single values changed, ``{"batch.micro": 4}``.

    Raises ``RecipeError`` naming file, line, place and cure.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"no training configuration at {path}: {error}. Name a YAML file in UTF-8") from None
    spot = Spot(str(path), 1, "training", "docs/training.md")
    given = parse_yaml(text, str(path), {})
    if not isinstance(given, dict):
        raise spot.error("it is no mapping", "Write `run: NAME` and `data:`, `model:` with their fields below them")
    for name, value in (changes or {}).items():
        _put(given, name.split("."), value, spot)
    config: Config = built(Config, given, given, spot)
    return config


def _put(given: dict[str, Any], names: list[str], value: Any, spot: Spot) -> None:
    for name in names[:-1]:
        given = given.setdefault(name, {})
        if not isinstance(given, dict):
            raise spot.error(f"{'.'.join(names)} cannot be set: {name} has no fields", "Name a field of the file")
    given[names[-1]] = value


def resolved(config: Config) -> Config:
    """The configuration as any process may take it, wherever it runs: with absolute paths, and with DeepSpeed's
    settings in it where it names a file that holds them.

    Raises ``ValueError`` where that file cannot be read.
    """
    config = absolute(config)
    if not isinstance(config.deepspeed, str):
        return config
    try:
        settings = json.loads(Path(config.deepspeed).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"deepspeed: {config.deepspeed} cannot be read as JSON ({error}); name a file of settings"
        ) from None
    if not isinstance(settings, dict):
        example = '{"zero_optimization": {"stage": 1}}'
        raise ValueError(f"deepspeed: {config.deepspeed} holds no mapping; write settings such as {example}")
    _check_deepspeed(settings, f"deepspeed: {config.deepspeed}")
    return replace(config, deepspeed=settings)


def absolute(config: Config) -> Config:
    """The configuration with absolute paths; addresses of object stores stay as they are."""
    sources = {name: replace(source, **_absolute(vars(source), PATHS)) for name, source in config.data.sources.items()}
    objective = config.objective
    if isinstance(objective, Instruction) and objective.template and Path(objective.template).is_file():
        objective = replace(objective, template=everywhere(objective.template))
    return replace(
        config,
        data=replace(config.data, sources=sources),
        model=replace(config.model, **_absolute(vars(config.model), ("path",))),
        start=config.start and replace(config.start, **_absolute(vars(config.start), ("run",))),
        objective=objective,
    )


def _absolute(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    found = {name: fields[name] for name in names if fields.get(name)}
    return {
        name: everywhere(given) if isinstance(given, str) else tuple(everywhere(path) for path in given)
        for name, given in found.items()
    }


def as_json(config: Config) -> dict[str, Any]:
    """The configuration as plain JSON; ``from_json`` gives it back."""
    return TypeAdapter(Config).dump_python(config, mode="json")  # type: ignore[no-any-return]


def from_json(data: Mapping[str, Any]) -> Config:
    return TypeAdapter(Config).validate_python(data)
