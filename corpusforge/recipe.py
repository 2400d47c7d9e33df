"""Recipes: YAML → frozen, validated passes → canonical JSON → identity. An error names file, line, place and cure."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpusforge.models.language_codes import kept_languages
from corpusforge.parts import RecipeError, Spot, built, parse_yaml, part_of, suggestion
from corpusforge.passes.corpus import Corpus
from corpusforge.passes.dedup import Dedup
from corpusforge.passes.map import Map
from corpusforge.passes.tokenize import Tokenize

PASSES: dict[str, type] = {"map": Map, "dedup": Dedup, "corpus": Corpus, "tokenize": Tokenize}
"""What ``use`` of a pass may say; ``map`` where it says nothing."""
PASS_NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = ("attempts", "dev", "earlier")
Kept = tuple[tuple[str, tuple[str, ...]], ...]
"""Names of stages that keep some languages only, and those languages."""


@dataclass(frozen=True)
class Recipe:
    """A corpus by name and the passes that make it."""

    corpus: str
    passes: tuple[Any, ...]
    description: str = ""

    def pass_named(self, name: str) -> Any:
        return next(p for p in self.passes if p.name == name)


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
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: byte {error.start} is no UTF-8. A recipe is a YAML file in UTF-8") from None
    return parse_recipe(text, path.name if str(recipe) in known else str(path))


def parse_recipe(text: str, file: str = "recipe") -> Recipe:
    """Build a recipe from YAML text and follow its columns from stage to stage."""
    lines: dict[int, int] = {}
    data = parse_yaml(text, file, lines)
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


def _pass(given: Any, before: Sequence[Any], spot: Spot, lines: dict[int, int]) -> Any:
    if not isinstance(given, dict):
        raise spot.error(f"{given!r} is not a pass", "Write `- name: …` with its fields below")
    name, use = given.get("name"), given.get("use", "map")
    if not isinstance(name, str) or not PASS_NAME.fullmatch(name) or name in RESERVED:
        raise spot.error(f"{name!r} is no name for a pass", "Use small letters, digits and '_': `name: extract`")
    spot = Spot(spot.file, spot.line, f"pass {name}")
    if name in (p.name for p in before):
        raise spot.error("there is a pass of that name before it", "Give each pass its own name")
    if not isinstance(use, str) or use not in PASSES:
        raise spot.error(f"unknown kind of pass {use!r}", suggestion(str(use), PASSES))
    made = dict(given)
    made.pop("use", None)
    if "source" in made:
        given_sources = made["source"] if isinstance(made["source"], list) else [made["source"]]
        made["source"] = tuple(part_of(s, "source", spot, lines) for s in given_sources)
    if "stages" in made:
        made["stages"] = tuple(part_of(s, "stages", spot, lines) for s in _listed(made, "stages", spot))
    if "reads" in made:
        made["reads"] = tuple(_listed(made, "reads", spot))
    elif before and "source" not in made:
        made["reads"] = _default_reads(use, before[-1])
    for read in made.get("reads", ()):
        if read not in [p.name for p in before]:
            raise spot.error(f"it reads {read!r}, and no pass before it has that name", "Name an earlier pass")
    return built(PASSES[use], made, given, spot)


def _listed(given: Mapping[str, Any], field: str, spot: Spot) -> list[Any]:
    value = given[field]
    if not isinstance(value, list):
        raise spot.error(f"`{field}` is {value!r}, not a list", f"Write `{field}: [{value}]`")
    return value


def _default_reads(use: str, before: Any) -> tuple[str, ...]:
    """The pass before; a corpus after dedup reads the documents and the decisions on them."""
    if use == "corpus" and isinstance(before, Dedup):
        return (*before.reads, before.name)
    return (before.name,)


def _known_fields(data: Mapping[str, Any], known: Sequence[str], spot: Spot, lines: dict[int, int]) -> None:
    for field in data:
        if field not in known:
            at = Spot(spot.file, getattr(data, "lines", {}).get(field, 1), spot.where)
            raise at.error(f"unknown field {field!r}", suggestion(str(field), known))


def _follow(recipe: Recipe, given: Sequence[Any], file: str, lines: dict[int, int]) -> None:
    """Follow the columns through the recipe; a stage that reads what nothing before it writes is an error."""
    after: dict[str, dict[str, pa.DataType]] = {}
    kept: dict[str, Kept] = {}
    for made, said in zip(recipe.passes, given, strict=True):
        spot = Spot(file, lines.get(id(said), 1), f"pass {made.name}")
        _check_reads(recipe, made, spot)
        before = after[made.reads[0]] if made.reads else {}
        kept[made.name] = kept[made.reads[0]] if made.reads else ()
        if isinstance(made, Map):
            _follow_stages(made, said, before, spot, lines)
            kept[made.name] = _follow_languages(made, said, kept[made.name], spot, lines)
        else:
            _needs(type(made).__name__, COLUMNS_READ.get(type(made), ()), before, spot)
        if isinstance(made, Corpus):
            _check_partition(recipe, made, before, spot)
        after[made.name] = made.columns(before) if hasattr(made, "columns") else {}


def _check_reads(recipe: Recipe, made: Any, spot: Spot) -> None:
    """Each kind of pass reads what it can: documents, and for a corpus the decisions on those documents."""
    read = [recipe.pass_named(name) for name in made.reads]
    if isinstance(made, Map) and bool(made.source) == bool(read):
        raise spot.error(
            "it needs a source or a pass to read, and not both",
            "Write `source: {use: warc.Warc}` in the first pass, `reads: [extract]` in a later one",
        )
    documents = [p for p in read if isinstance(p, Map | Corpus)]
    if isinstance(made, Corpus) and len(read) == 2:
        decided = isinstance(read[1], Dedup) and read[1].reads == (read[0].name,)
        if not decided:
            raise spot.error(
                f"it reads {made.reads[0]} and {made.reads[1]}, and {made.reads[1]} decides on something else",
                "Name the documents, then the dedup pass that reads just them: `reads: [clean, duplicates]`",
            )
        return
    if len(documents) < len(read):
        other = next(p.name for p in read if p not in documents)
        raise spot.error(f"it reads {other!r}, which holds no documents", "Name a map or corpus pass")
    if len(read) > 1 and not isinstance(made, Dedup):
        raise spot.error(f"it reads {len(read)} passes", "Name one")


COLUMNS_READ: dict[type, tuple[str, ...]] = {
    Dedup: ("id", "text"),
    Corpus: ("id", "text"),
    Tokenize: ("id", "url", "text", "source_file", "source_offset", "source_length"),
}


def _follow_stages(made: Map, said: Any, before: Mapping[str, Any], spot: Spot, lines: dict[int, int]) -> None:
    columns = set(made.given(before))
    for stage, part in zip(made.stages, said.get("stages") or (), strict=True):
        at = Spot(spot.file, lines.get(id(part), spot.line), f"{spot.where}, {type(stage).__name__}")
        _needs(type(stage).__name__, stage.reads, columns, at)
        columns |= set(stage.writes)
    if made.source:
        _check_types(made, spot)
        _check_masks(made, spot)


def _follow_languages(made: Map, said: Any, before: Kept, spot: Spot, lines: dict[int, int]) -> Kept:
    """Stages that keep languages, those of earlier passes first; two that have none in common keep no document."""
    kept = before
    for stage, part in zip(made.stages, said.get("stages") or (), strict=True):
        name, langs = type(stage).__name__, kept_languages(stage)
        other = next((one for one in kept if not set(one[1]) & set(langs)), None)
        if other and langs:
            raise Spot(spot.file, lines.get(id(part), spot.line), f"{spot.where}, {name}").error(
                f"it keeps {', '.join(langs)}, and {other[0]} before it {', '.join(other[1])}: none is in both",
                "Let both keep the same languages",
            )
        kept = (*kept, (name, langs)) if langs else kept
    return kept


def _check_types(made: Map, spot: Spot) -> None:
    """Several sources of a pass may have columns of their own, but one name means one type."""
    types: dict[str, tuple[str, pa.DataType]] = {}
    for source in made.source:
        for column, kind in source.writes.items():
            name, before = types.setdefault(column, (type(source).__name__, kind))
            if before != kind:
                raise spot.error(
                    f"{name} writes {column!r} as {before}, {type(source).__name__} as {kind}",
                    "Give the column one type in both, or two names",
                )


def _check_masks(made: Map, spot: Spot) -> None:
    """No stage may drop between the one that writes text and the one that masks it: what it drops is written down."""
    masks = next((n for n, stage in enumerate(made.stages) if getattr(stage, "masks", False)), None)
    texts = next((n for n, stage in enumerate(made.stages) if "text" in stage.writes), None)
    if masks is None or texts is None:
        return
    for stage in made.stages[texts + 1 : masks]:
        if "drop" in stage.writes:
            raise spot.error(
                f"{type(stage).__name__} may drop documents before {type(made.stages[masks]).__name__} has masked them",
                "Move it behind the masks, or into a later pass",
            )


def _needs(name: str, reads: Sequence[str], columns: Any, spot: Spot) -> None:
    for column in reads:
        if column not in columns and column != "drop":
            known = ", ".join(sorted(columns))
            raise spot.error(f"{name} reads {column!r}, which nothing before it writes", f"There are: {known}")


def _check_partition(recipe: Recipe, made: Corpus, before: Mapping[str, pa.DataType], spot: Spot) -> None:
    if made.partition_by:
        _needs("partition_by", (made.partition_by,), before, spot)
        kind = before[made.partition_by]
        if not pa.types.is_string(kind):
            raise spot.error(f"partition_by: {made.partition_by!r} is {kind}, not a string", "Name a column of names")
    read = recipe.pass_named(made.reads[0])
    counted = getattr(read, "counted", ())
    if made.partition_by and made.partition_by not in counted:
        raise spot.error(
            f"partition_by: {made.partition_by!r} is not counted by pass {read.name}",
            f"Write `counted: [{', '.join([*counted, made.partition_by])}]` in pass {read.name}",
        )
