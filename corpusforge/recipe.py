"""Recipes: YAML → frozen, validated passes → canonical JSON → identity. An error names file, line, place and cure."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from pydantic import TypeAdapter, ValidationError

from corpusforge.passes.corpus import Corpus
from corpusforge.passes.dedup import Dedup
from corpusforge.passes.map import ALWAYS, Map
from corpusforge.passes.tokenize import Tokenize

PASSES: dict[str, type] = {"map": Map, "dedup": Dedup, "corpus": Corpus, "tokenize": Tokenize}
"""What ``use`` of a pass may say; ``map`` where it says nothing."""
PARTS = {"source": "corpusforge.sources", "stages": "corpusforge.stages"}
"""Where a short ``use`` such as ``length.TooShort`` is looked for."""
GIVEN = ("inputs", "limit")
"""Fields of a pass that a build sets, never a recipe."""


class RecipeError(ValueError):
    """Something in a recipe is wrong; the message says what, where and how to cure it."""


@dataclass(frozen=True)
class Recipe:
    """A corpus by name and the passes that make it."""

    corpus: str
    passes: tuple[Any, ...]
    description: str = ""

    def pass_named(self, name: str) -> Any:
        return next(p for p in self.passes if p.name == name)


@dataclass(frozen=True)
class Spot:
    """A place in a recipe file."""

    file: str
    line: int
    where: str

    def error(self, problem: str, cure: str) -> RecipeError:
        return RecipeError(f"{self.file}:{self.line}: {self.where}: {problem}. {cure}")


def shipped() -> dict[str, str]:
    """The shipped recipes by name: the path of each file."""
    folder = package_files("corpusforge") / "recipes"
    found = {p.name.removesuffix(".yaml"): str(p) for p in folder.iterdir() if p.name.endswith(".yaml")}
    return dict(sorted(found.items()))


def read_recipe(recipe: str | Path) -> Recipe:
    """Read a recipe by the name of a shipped one or the path of a YAML file."""
    known = shipped()
    path = Path(known.get(str(recipe), str(recipe)))
    if not path.is_file():
        close = difflib.get_close_matches(str(recipe), known, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Shipped recipes: {', '.join(known)}."
        raise RecipeError(f"no recipe {str(recipe)!r}: it is neither a shipped recipe nor a file. {hint}")
    return parse_recipe(path.read_text(encoding="utf-8"), path.name if str(recipe) in known else str(path))


def parse_recipe(text: str, file: str = "recipe") -> Recipe:
    """Build a recipe from YAML text and follow its columns from stage to stage."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise Spot(file, mark.line + 1 if mark else 1, "YAML").error(problem, "Correct the YAML there") from None
    lines: dict[int, int] = {}
    data = _plain(node, lines)
    top = Spot(file, 1, "recipe")
    if not isinstance(data, dict) or not isinstance(data.get("passes"), list) or not data["passes"]:
        raise top.error("it has no list of passes", "Write `corpus: NAME` and `passes:` with a list below it")
    _known_fields(data, ("corpus", "description", "passes"), top, lines)
    if not isinstance(data.get("corpus"), str):
        raise top.error("`corpus` is missing or not a name", "Write `corpus: my_corpus` at the top")
    passes: list[Any] = []
    for number, given in enumerate(data["passes"]):
        passes.append(_pass(given, passes, Spot(file, lines.get(id(given), 1), f"pass {number + 1}"), lines))
    recipe = Recipe(data["corpus"], tuple(passes), str(data.get("description", "")))
    _follow(recipe, data["passes"], file, lines)
    return recipe


def _plain(node: Any, lines: dict[int, int]) -> Any:
    """The node as plain Python; ``lines`` notes the line of every mapping and list, and of every value in them."""
    if isinstance(node, yaml.MappingNode):
        mapping = Mapped({_plain(k, lines): _plain(v, lines) for k, v in node.value})
        mapping.lines.update({_plain(k, lines): k.start_mark.line + 1 for k, _ in node.value})
        lines[id(mapping)] = node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        listing = [_plain(v, lines) for v in node.value]
        lines[id(listing)] = node.start_mark.line + 1
        return listing
    return yaml.SafeLoader("").construct_object(node) if node is not None else None


class Mapped(dict[str, Any]):
    """A mapping that knows the line of each of its keys."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        super().__init__(items)
        self.lines: dict[str, int] = {}


def _pass(given: Any, before: Sequence[Any], spot: Spot, lines: dict[int, int]) -> Any:
    if not isinstance(given, dict):
        raise spot.error(f"{given!r} is not a pass", "Write `- name: …` with its fields below")
    name, use = given.get("name"), given.get("use", "map")
    if not isinstance(name, str):
        raise spot.error("it has no name", "Write `name: extract`, for example")
    spot = Spot(spot.file, spot.line, f"pass {name}")
    if name in (p.name for p in before):
        raise spot.error("there is a pass of that name before it", "Give each pass its own name")
    if use not in PASSES:
        raise spot.error(f"unknown kind of pass {use!r}", _suggestion(str(use), PASSES))
    made = dict(given)
    made.pop("use", None)
    if isinstance(made.get("source"), dict):
        made["source"] = _part(made["source"], "source", spot, lines)
    if "stages" in made:
        made["stages"] = tuple(_part(s, "stages", spot, lines) for s in made["stages"] or ())
    if "reads" not in made and before and "source" not in made:
        made["reads"] = (before[-1].name,)
    for read in made.get("reads", ()):
        if read not in (p.name for p in before):
            raise spot.error(f"it reads {read!r}, and no pass before it has that name", "Name an earlier pass")
    return _built(PASSES[use], made, given, spot)


def _part(given: Any, kind: str, spot: Spot, lines: dict[int, int]) -> Any:
    """A stage or source from ``{use: module.Class, …}`` or just its ``use``."""
    if isinstance(given, str):
        given = Mapped({"use": given})
    line = lines.get(id(given), spot.line)
    if not isinstance(given, dict) or not isinstance(given.get("use"), str):
        raise Spot(spot.file, line, spot.where).error(f"{given!r} is not a {kind}", "Write `{use: module.Class, …}`")
    spot = Spot(spot.file, line, f"{spot.where}, {given['use']}")
    part = load_part(given["use"], PARTS[kind], spot)
    return _built(part, {k: v for k, v in given.items() if k != "use"}, given, spot)


def load_part(use: str, home: str, spot: Spot) -> type:
    """The class that ``use`` names: ``module.Class`` in our package, ``package.module:Class`` anywhere."""
    module, _, name = use.partition(":") if ":" in use else (f"{home}.{use.rpartition('.')[0]}", "", use.split(".")[-1])
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        folder = f"Set PYTHONPATH to the folder that holds {module.split('.')[0]}"
        cure = folder if ":" in use else _suggestion(use, sorted(parts_in(home)))
        raise spot.error(f"unknown {use!r} ({error})", cure) from None
    if not (inspect.isclass(found) and is_dataclass(found)):
        raise spot.error(f"{use!r} is not a dataclass", "A stage is a frozen dataclass with `__call__(batch)`")
    return found


def parts_in(home: str) -> dict[str, type]:
    """Every stage or source of our package by its short name."""
    package = importlib.import_module(home)
    found: dict[str, type] = {}
    for entry in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{home}.{entry.name}")
        for name, part in inspect.getmembers(module, inspect.isclass):
            if is_dataclass(part) and part.__module__ == module.__name__ and hasattr(part, "revision"):
                found[f"{entry.name}.{name}"] = part
    return found


def _built(kind: type, values: Mapping[str, Any], given: Any, spot: Spot) -> Any:
    """Build a dataclass; a field that is unknown, missing or of another type is one clear error."""
    known = [f.name for f in fields(kind) if f.name not in GIVEN]
    for field in values:
        if field not in known:
            at = Spot(spot.file, getattr(given, "lines", {}).get(field, spot.line), spot.where)
            raise at.error(f"unknown field {field!r}", _suggestion(field, known))
    try:
        return kind(**values)
    except ValidationError as error:
        raise _explained(kind, error.errors()[0], given, spot) from None
    except (TypeError, ValueError) as error:
        raise spot.error(str(error), f"Fields of {kind.__name__}: {', '.join(known)}") from None


def _explained(kind: type, fault: Any, given: Any, spot: Spot) -> RecipeError:
    """The first fault that validation found, as what, which value and cure."""
    path = [str(part) for part in fault["loc"]]
    line = getattr(given, "lines", {}).get(path[0] if path else "", spot.line)
    at = Spot(spot.file, line, spot.where)
    problem = fault["msg"].removeprefix("Value error, ")
    if not path:
        return at.error(problem, "Change one of its fields")
    field = ".".join(path)
    if fault["type"] in ("unexpected_keyword_argument", "unexpected_keyword"):
        return at.error(f"unknown field {path[-1]!r} in {path[0]}", f"See the fields of {path[0]} in docs/recipes.md")
    if fault["type"].startswith("missing"):
        return at.error(f"{field} is missing", "Give it a value")
    wanted = next((f.type for f in fields(kind) if f.name == path[0]), None)
    shown = getattr(wanted, "__name__", str(wanted)).replace("corpusforge.", "")
    bound = fault["type"].startswith(("greater", "less", "value_error"))
    cure = "Give it a value within that bound" if bound else f"{path[0]} must be {shown}"
    return at.error(f"{field}: {problem}, it is {fault.get('input')!r}", cure)


def _suggestion(given: str, known: Any) -> str:
    close = difflib.get_close_matches(given, list(known), 1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}"


def _known_fields(data: Mapping[str, Any], known: Sequence[str], spot: Spot, lines: dict[int, int]) -> None:
    for field in data:
        if field not in known:
            at = Spot(spot.file, getattr(data, "lines", {}).get(field, 1), spot.where)
            raise at.error(f"unknown field {field!r}", _suggestion(str(field), known))


def _follow(recipe: Recipe, given: Sequence[Any], file: str, lines: dict[int, int]) -> None:
    """Follow the columns through the recipe; a stage that reads what nothing before it writes is an error."""
    after: dict[str, dict[str, pa.DataType]] = {}
    for made, said in zip(recipe.passes, given, strict=True):
        spot = Spot(file, lines.get(id(said), 1), f"pass {made.name}")
        before = after[made.reads[0]] if made.reads else {}
        if isinstance(made, Map):
            _follow_stages(made, said, before, spot, lines)
        else:
            _needs(type(made).__name__, COLUMNS_READ.get(type(made), ()), before, spot)
        if isinstance(made, Corpus):
            _check_partition(recipe, made, before, spot)
        after[made.name] = made.columns(before) if hasattr(made, "columns") else before


COLUMNS_READ: dict[type, tuple[str, ...]] = {
    Dedup: ("id", "text"),
    Corpus: ("id", "text"),
    Tokenize: ("id", "url", "text", "source_file", "source_offset", "source_length"),
}


def _follow_stages(made: Map, said: Any, before: Mapping[str, Any], spot: Spot, lines: dict[int, int]) -> None:
    if made.source is None and not made.reads:
        raise spot.error("it has neither a source nor a pass to read", "Write `source: {use: warc.Warc}`")
    columns = {*(made.source.writes if made.source else before), *ALWAYS}
    for stage, part in zip(made.stages, said.get("stages") or (), strict=True):
        at = Spot(spot.file, lines.get(id(part), spot.line), f"{spot.where}, {type(stage).__name__}")
        _needs(type(stage).__name__, stage.reads, columns, at)
        columns |= set(stage.writes)


def _needs(name: str, reads: Sequence[str], columns: Any, spot: Spot) -> None:
    for column in reads:
        if column not in columns and column != "drop":
            known = ", ".join(sorted(columns))
            raise spot.error(f"{name} reads {column!r}, which nothing before it writes", f"There are: {known}")


def _check_partition(recipe: Recipe, made: Corpus, before: Mapping[str, pa.DataType], spot: Spot) -> None:
    if made.partition_by:
        _needs("partition_by", (made.partition_by,), before, spot)
    read = recipe.pass_named(made.reads[0])
    counted = getattr(read, "counted", ())
    if made.partition_by and made.partition_by not in counted:
        raise spot.error(
            f"partition_by: {made.partition_by!r} is not counted by pass {read.name}",
            f"Write `counted: [{', '.join([*counted, made.partition_by])}]` in pass {read.name}",
        )


def schema_of_part(part: type) -> dict[str, Any]:
    """JSON Schema of a stage's or source's fields."""
    return TypeAdapter(part).json_schema()
