"""The parts of a recipe or configuration, built from YAML with every fault as one clear message."""

import difflib
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import yaml
from pydantic import ValidationError

PARTS = {"source": "corpusforge.sources", "stages": "corpusforge.stages"}
"""Where a short ``use`` such as ``length.TooShort`` is looked for."""
GIVEN = ("inputs", "limit")
"""Fields of a pass that a build sets, never a recipe."""
CALLS = {"source": "read", "stages": "__call__"}
SCALAR = (str, bool, int, float)
PLAIN = re.compile(r"(?!(no|off|false|yes|on|true|null)$)[a-z][\w./-]*", re.IGNORECASE)
"""What YAML reads as text without quotes."""
CHOICE = re.compile(r"'([^']*)'")
"""One of the values that validation names where it expected one of them."""
CURES = {
    "greater": "Give it a value within that bound",
    "less": "Give it a value within that bound",
    "float": "Write a number, such as 0.5",
    "int": "Write a whole number",
    "bool": "Write true or false",
    "dict": "Write its fields below it",
    "dataclass": "Write its fields below it",
}
"""What helps, by how the name of a fault begins."""


class RecipeError(ValueError):
    """Something in a recipe is wrong; the message says what, where and how to cure it."""


@dataclass(frozen=True)
class Spot:
    """A place in a recipe file."""

    file: str
    line: int
    where: str
    fields: str = "docs/recipes.md"
    """Where its fields are told."""

    def error(self, problem: str, cure: str = "") -> RecipeError:
        """What is wrong here; a problem that says its cure needs none."""
        told = f"{problem}. {cure}" if cure else problem
        return RecipeError(f"{self.file}:{self.line}: {self.where}: {told}")


class Mapped(dict[str, Any]):
    """A mapping that knows the line of each of its keys."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        super().__init__(items)
        self.lines: dict[str, int] = {}


def parse_yaml(text: str, file: str, lines: dict[int, int]) -> Any:
    """YAML as plain Python; ``lines`` notes the line of every mapping and list by its id."""
    try:
        return _plain(yaml.compose(text, Loader=yaml.SafeLoader), lines)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise Spot(file, mark.line + 1 if mark else 1, "YAML").error(problem, "Correct the YAML there") from None


def _plain(node: Any, lines: dict[int, int]) -> Any:
    """The node as plain Python; ``lines`` notes the line of every mapping and list, and of every value in them."""
    if isinstance(node, yaml.MappingNode):
        mapping = Mapped({str(_plain(k, lines)): _plain(v, lines) for k, v in node.value})
        mapping.lines.update({str(_plain(k, lines)): k.start_mark.line + 1 for k, _ in node.value})
        if len(mapping) < len(node.value):
            raise yaml.MarkedYAMLError(problem="a key stands twice in this mapping", problem_mark=node.start_mark)
        lines[id(mapping)] = node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        listing = [_plain(v, lines) for v in node.value]
        lines[id(listing)] = node.start_mark.line + 1
        return listing
    return yaml.SafeLoader("").construct_object(node) if node is not None else None


def part_of(given: Any, kind: str, spot: Spot, lines: dict[int, int]) -> Any:
    """A stage or source from ``{use: module.Class, …}`` or just its ``use``."""
    if isinstance(given, str):
        given = Mapped({"use": given})
    line = lines.get(id(given), spot.line)
    if not isinstance(given, dict) or not isinstance(given.get("use"), str):
        raise Spot(spot.file, line, spot.where).error(f"{given!r} is not a {kind}", "Write `{use: module.Class, …}`")
    spot = Spot(spot.file, line, f"{spot.where}, {given['use']}")
    part = load_part(given["use"], kind, spot)
    return built(part, {k: v for k, v in given.items() if k != "use"}, given, spot)


def load_part(use: str, kind: str, spot: Spot) -> type:
    """The class that ``use`` names: ``module.Class`` in our package, ``package.module:Class`` anywhere."""
    home = PARTS[kind]
    module, _, name = use.partition(":") if ":" in use else (f"{home}.{use.rpartition('.')[0]}", "", use.split(".")[-1])
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        cure = _missing(module, name, error) if ":" in use else suggestion(use, sorted(parts_in(home)))
        raise spot.error(f"unknown {use!r} ({error})", cure) from None
    if not (
        inspect.isclass(found) and is_dataclass(found) and hasattr(found, "revision") and hasattr(found, CALLS[kind])
    ):
        needs = f"It must be a frozen dataclass with `revision`, `writes` and `{CALLS[kind]}`"
        raise spot.error(f"{use!r} cannot be used here", needs)
    return found


def _missing(module: str, name: str, error: Exception) -> str:
    """How to find a part of one's own: its module, or its name in a module that was found."""
    if not isinstance(error, AttributeError):
        return f"Set PYTHONPATH to the folder that holds {module.split('.')[0]}"
    known = [n for n, part in inspect.getmembers(sys.modules[module], inspect.isclass) if hasattr(part, "revision")]
    return suggestion(name, known) if known else f"There is no stage or source in {module}"


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


def built(kind: type, values: Mapping[str, Any], given: Any, spot: Spot) -> Any:
    """Build a dataclass; a field that is unknown, missing or of another type is one clear error."""
    known = [f.name for f in fields(kind) if f.name not in GIVEN]
    for field in values:
        if field not in known:
            at = Spot(spot.file, getattr(given, "lines", {}).get(field, spot.line), spot.where)
            raise at.error(f"unknown field {field!r}", suggestion(field, known))
    try:
        return kind(**values)
    except ValidationError as error:
        raise _explained(kind, _telling(error.errors()), given, spot) from None
    except (TypeError, ValueError) as error:
        raise spot.error(str(error), f"Fields of {kind.__name__}: {', '.join(known)}") from None


def _telling(faults: Sequence[Any]) -> Any:
    """The first fault; of the forms that its field may have, the one which the value came closest to."""
    first = faults[0]
    if first["type"] != "literal_error" or isinstance(first["input"], str):
        return first
    return max((fault for fault in faults if fault["loc"][:1] == first["loc"][:1]), key=lambda f: len(f["loc"]))


def _explained(kind: type, fault: Any, given: Any, spot: Spot) -> RecipeError:
    """A fault that validation found, as what, which value and cure."""
    path = _place(fault["loc"])
    line = getattr(given, "lines", {}).get(path[0] if path else "", spot.line)
    at = replace(spot, line=line)
    problem = fault["msg"].removeprefix("Value error, ")
    if not path:
        return at.error(problem)
    field, value = ".".join(path), fault.get("input")
    wanted = next((f.type for f in fields(kind) if f.name == path[0]), None)
    if fault["type"] in ("unexpected_keyword_argument", "unexpected_keyword"):
        known = [f.name for f in fields(wanted)] if is_dataclass(wanted) else []
        cure = suggestion(path[-1], known) if known else f"See the fields of {path[0]} in {spot.fields}"
        return at.error(f"unknown field {path[-1]!r} in {path[0]}", cure)
    if fault["type"].startswith("missing"):
        return at.error(f"{field} is missing", "Give it a value")
    if fault["type"] == "value_error":
        return at.error(f"{field}: {problem}")
    if fault["type"] == "union_tag_invalid":
        known = fault["ctx"]["expected_tags"].replace("'", "")
        return at.error(f"{field} is {fault['ctx']['tag']!r}", suggestion(fault["ctx"]["tag"], known.split(", ")))
    if fault["type"] == "literal_error":
        return at.error(
            f"{field} is {_written(value)}", suggestion(str(value), CHOICE.findall(fault["ctx"]["expected"]))
        )
    if fault["type"] in ("tuple_type", "list_type"):
        items = str(value).split(",") if isinstance(value, str) else [value]
        listed = ", ".join(map(_quoted, items)) if isinstance(value, SCALAR) else "one, two"
        return at.error(f"{field} is {_written(value)}, not a list", f"Write `{field}: [{listed}]`")
    if fault["type"] == "string_type" and isinstance(value, SCALAR):
        why = f"YAML reads {_word(value)} without quotes as {_written(value)}. " if isinstance(value, bool) else ""
        return at.error(f"{field} is {_written(value)}, not a text", f"{why}Quote it: {_quoted(value)}")
    cure = next((cure for name, cure in CURES.items() if fault["type"].startswith(name)), f"See {spot.fields}")
    return at.error(f"{field}: {problem}, it is {_written(value)}", cure)


def _place(loc: Sequence[Any]) -> list[str]:
    """The way to a field without the forms that it may have; of an item of a list that is one value, the list."""
    end = len(loc)
    while end and isinstance(loc[end - 1], int):
        end -= 1
    return [str(part) for part in loc[:end] if "[" not in str(part)]


def _written(value: Any) -> str:
    """A value as YAML shows it."""
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def _word(value: bool) -> str:
    return "yes" if value else "no"


def _quoted(value: Any) -> str:
    """A single value as it is written where text is wanted: with quotes where YAML would read something else."""
    text = _word(value) if isinstance(value, bool) else str(value).strip()
    return text if PLAIN.fullmatch(text) else repr(text)


def suggestion(given: str, known: Any) -> str:
    close = difflib.get_close_matches(given, list(known), 1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}"
