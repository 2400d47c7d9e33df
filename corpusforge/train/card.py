"""The card of a model: what it was trained on, how, and what it reached."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from corpusforge.tokens.mixture import Mixture, Segment
from corpusforge.train.config import Config
from corpusforge.train.plan import ExamplesPlan, Plan, TokensPlan
from corpusforge.train.state import State


def card(
    config: Config, plan: Plan, state: State, counts: Mapping[str, int], validation: Mapping[str, Any] | None
) -> str:
    """The card as Markdown."""
    return "\n".join(
        [*_head(config), *_facts(config, state, counts), *_data(config, plan, state), *_figures(validation)]
    )


def _head(config: Config) -> Iterator[str]:
    yield from ("---", "library_name: transformers", "tags: [corpusforge]", "---", "", f"# {config.run}", "")


def _facts(config: Config, state: State, counts: Mapping[str, int]) -> Iterator[str]:
    schedule, objective = config.schedule, config.objective.use.replace("_", " ")
    yield f"Trained by CorpusForge: objective {objective}, {counts['all']:,} weights, step {state.step:,},"
    yield f"{state.batches.first(state.step):,} samples of {config.data.sequence:,} tokens, {state.tokens:,} tokens"
    yield f"predicted; learning rate {schedule.peak:g} at its peak ({schedule.use}), {config.precision}."
    if config.model.path:
        yield f"Begun from the checkpoint `{config.model.path.rstrip('/').rpartition('/')[2]}`."
    yield ""


def _data(config: Config, plan: Plan, state: State) -> Iterator[str]:
    yield from ("## Data", "", "| source | what | digest | samples drawn |", "|---|---|---|---|")
    identities = plan.identities()
    drawn = _drawn(state)
    for name, source in plan.sources.items():
        if isinstance(source, ExamplesPlan):
            what = f"{len(source.train)} files of examples"
        else:
            what = "/".join((source.corpus or "Megatron files").rstrip("/").split("/")[-2:])
        yield f"| {name} | {what} | `{identities[name][:16]}` | {drawn.get(name, 0):,} |"
    erased = {id for source in plan.sources.values() for id in getattr(source, "erased", ())}
    if erased:
        yield from ("", f"{len(erased):,} documents are forgotten and were not trained on since.")
    yield from ("", *_licences(plan), "")


def _licences(plan: Plan) -> Iterator[str]:
    """How many documents of each source are under which licence, as the sidecars of its shards say."""
    for name, source in plan.sources.items():
        counts: Counter[str] = Counter()
        for shard in source.source("train").shards if isinstance(source, TokensPlan) else ():
            if shard.docs is not None:
                counts.update(licence or "not known" for licence in shard.column("licence")["licence"].to_pylist())
        told = ", ".join(f"{licence} ({count:,})" for licence, count in counts.most_common())
        yield f"Licences of `{name}`, by documents: {told or 'not known'}."


def _drawn(state: State) -> dict[str, int]:
    mixture = Mixture([Segment(one["from_sample"], one["weights"]) for one in state.segments])
    return mixture.counts(state.batches.first(state.step))


def _figures(validation: Mapping[str, Any] | None) -> Iterator[str]:
    if validation is None:
        return
    yield from ("## Figures on held-out text", "", "| source | loss (nats a token) | bits a byte |", "|---|---|---|")
    for name, told in validation["sources"].items():
        bits = told.get("bits_per_byte")
        yield f"| {name} | {told['loss']:.4f} | {'–' if bits is None else f'{bits:.4f}'} |"
    yield ""
