"""A recipe bound to its inputs: what a build would do, in a plan and in lines."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from corpusforge import versions
from corpusforge.inputs import InputError
from corpusforge.inputs import resolve as resolve_inputs
from corpusforge.inputs.chosen import kinds
from corpusforge.parts import GIVEN, RecipeError
from corpusforge.passes.map import Map
from corpusforge.passes.specs import default_of, fields_of, use_of
from corpusforge.recipe import Recipe, read_recipe, shipped
from corpusforge.report.progress import counted
from corpusforge.slices import Input
from corpusforge.versions import Making


@dataclass(frozen=True)
class Plan:
    """What a build would do: the recipe with its inputs bound, and what its version is made from."""

    recipe: Recipe
    making: Making
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> Map | None:
        return next((p for p in self.recipe.passes if isinstance(p, Map) and p.source), None)


def plan(
    recipe: str | Path | Recipe,
    inputs: Sequence[str] = (),
    limit: int | None = None,
    name: str | None = None,
    allow_failed: int = 0,
    base: str | None = None,
    input_base: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Plan:
    """Read a recipe and bind it to its inputs; nothing is written, and no model of ours is loaded.

    ``tell`` is given a line now and then while many inputs are looked at.
    """
    made = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    notes: list[str] = []
    found = partial(resolve_inputs, inputs, say=notes.append, base=input_base, tell=tell) if inputs else None
    bound = tuple(_bind(p, found, limit) if isinstance(p, Map) and p.source else p for p in made.passes)
    made = replace(made, corpus=name or made.corpus, passes=bound)
    versions.check_name("corpus", made.corpus)
    given = [i for p in bound if isinstance(p, Map) for i in p.inputs]
    making = Making(
        {
            "recipe": made.corpus,
            "passes": [{"name": p.name, "reads": list(p.reads), "steps": _specs(p)} for p in bound],
            "limit": limit,
            "allow_failed": allow_failed,
            "from": base,
        },
        [{"name": i.name, "bytes": i.bytes, "fingerprint": i.fingerprint} for i in given],
    )
    return Plan(made, making, tuple(notes))


def describe(planned: Plan) -> Iterator[str]:
    """The plan of a build in lines: passes, their parts with the fields that differ from the default, inputs."""
    yield f"{planned.recipe.corpus}: {planned.recipe.description.strip()}"
    for made in planned.recipe.passes:
        yield f"pass {made.name}" + (f", reads {', '.join(made.reads)}" if made.reads else "")
        if isinstance(made, Map):
            yield from (f"  {_said(part)}" for part in (*made.source, *made.stages))
        else:
            yield f"  {_said(made)}"
    source = planned.source
    if source and source.inputs:
        slices = source.plan({})
        size = sum(i.bytes for i in source.inputs)
        files, pieces = counted(len(source.inputs), "file"), counted(len(slices), "unit")
        yield f"inputs: {files}, {size:,} bytes, in {pieces}"
    yield from planned.notes


def _said(part: Any) -> str:
    """A part as a recipe would name it, with the fields that differ from its defaults."""
    module, _, name = use_of(part).partition(":")
    short = f"{module.rpartition('.')[2]}.{name}" if module.startswith("corpusforge.") else use_of(part)
    defaults = {f.name: default_of(f) for f in dataclasses.fields(part)}
    given = {k: v for k, v in fields_of(part).items() if k not in (*GIVEN, "name", "reads") and v != defaults[k]}
    return short + (f" ({', '.join(f'{k}: {v}' for k, v in given.items())})" if given else "")


def _bind(made: Map, found: Callable[[Sequence[str]], tuple[Input, ...]] | None, limit: int | None) -> Map:
    if found is None:
        return replace(made, limit=limit)
    suffixes = tuple(e for source in made.source for e in source.suffixes)
    bound = replace(made, inputs=found(suffixes), limit=limit)
    stranger = next((i.name for i in bound.inputs if not i.name.lower().endswith(suffixes)), None)
    if stranger and len(made.source) > 1:
        raise InputError(f"{stranger} is of no kind that this recipe reads ({kinds(suffixes)}). {_cure(stranger)}")
    return bound


def _cure(stranger: str) -> str:
    """What reads a file of that name."""
    others = [
        name
        for name, recipe in ((name, read_recipe(name)) for name in shipped())
        if any(stranger.lower().endswith(s.suffixes) for p in recipe.passes if isinstance(p, Map) for s in p.source)
    ]
    if others:
        return f"Recipes that do: {', '.join(others)}"
    return "Write a recipe with the one source that is to read it, or give the file the ending it should have"


def _specs(made: Any) -> list[dict[str, Any]]:
    try:
        return [{"name": step.name, **step.spec()} for step in made.steps()]
    except (OSError, ValueError) as error:
        raise RecipeError(f"pass {made.name}: {error}") from None
