"""JSON Schemas of what users write and read: recipe, training, manifest, report, document and token columns."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from corpusforge.engine.unit import Manifest
from corpusforge.parts import GIVEN, parts_in
from corpusforge.recipe import PASSES
from corpusforge.schema import DECISION, DOCUMENT, TOKEN_DOCUMENT, TOKEN_ENDS
from corpusforge.train.config import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema into ``folder``; the same code gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in every_schema().items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"$schema": DIALECT, **schema}, indent=1, ensure_ascii=False) + "\n", "utf-8")
        written.append(path)
    return written


def every_schema() -> dict[str, dict[str, Any]]:
    """The schemas by name."""
    return {
        "recipe": _recipe(),
        "training": {"title": "CorpusForge training configuration", **TypeAdapter(Config).json_schema()},
        "manifest": TypeAdapter(Manifest).json_schema(),
        "report": _report(),
        "document": _columns("document", DOCUMENT),
        "decision": _columns("decision", DECISION),
        "tokens": _columns("token document", pa.unify_schemas([TOKEN_DOCUMENT, TOKEN_ENDS])),
    }


def _recipe() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    sources = _parts("corpusforge.sources", definitions)
    stages = _parts("corpusforge.stages", definitions)
    passes = [_pass(use, kind, sources, stages, definitions) for use, kind in PASSES.items()]
    return {
        "title": "CorpusForge recipe",
        "type": "object",
        "required": ["corpus", "passes"],
        "additionalProperties": False,
        "properties": {
            "corpus": {"type": "string"},
            "description": {"type": "string"},
            "passes": {"type": "array", "minItems": 1, "items": {"anyOf": passes}},
        },
        "$defs": definitions,
    }


def _parts(home: str, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """One choice for each stage or source of ours, and one for anybody's own."""
    choices: list[dict[str, Any]] = []
    for name, part in parts_in(home).items():
        schema = _schema_of(part, definitions)
        schema["properties"] = {"use": {"const": name}, **schema.get("properties", {})}
        schema["required"] = ["use", *schema.get("required", [])]
        choices.append({**schema, "additionalProperties": False})
    own = {"type": "object", "required": ["use"], "properties": {"use": {"type": "string", "pattern": ":"}}}
    names = sorted(c["properties"]["use"]["const"] for c in choices)
    return [*choices, own, {"enum": names}]


def _pass(
    use: str, kind: type, sources: list[dict[str, Any]], stages: list[dict[str, Any]], definitions: dict[str, Any]
) -> dict[str, Any]:
    schema = _schema_of(kind, definitions)
    known = [f.name for f in fields(kind) if f.name not in GIVEN]
    properties = {name: value for name, value in schema.get("properties", {}).items() if name in known}
    if "source" in properties:
        properties["source"] = {"anyOf": [*sources, {"type": "array", "minItems": 1, "items": {"anyOf": sources}}]}
    if "stages" in properties:
        properties["stages"] = {"type": "array", "items": {"anyOf": stages}}
    properties["use"] = {"const": use}
    required = ["name"] if use == "map" else ["name", "use"]
    return {**schema, "properties": properties, "required": required, "additionalProperties": False}


def _schema_of(part: type, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(part).json_schema()
    definitions.update(schema.pop("$defs", {}))
    schema["description"] = " ".join((part.__doc__ or "").split())
    return schema


def _report() -> dict[str, Any]:
    integers = {"type": "object", "additionalProperties": {"type": "integer"}}
    sample = {"type": "object", "required": ["hash", "id"]}
    return {
        "title": "Report of a unit or of any sum of units",
        "type": "object",
        "required": ["counts", "histograms", "samples", "sketches"],
        "properties": {
            "counts": {**integers, "description": "records = kept + the sum of drop.*"},
            "histograms": {"type": "object", "additionalProperties": integers},
            "samples": {"type": "object", "additionalProperties": {"type": "array", "items": sample}},
            "sketches": {"type": "object", "additionalProperties": integers},
        },
    }


def _columns(title: str, schema: pa.Schema) -> dict[str, Any]:
    """A table of columns: name and Arrow type."""
    properties = {field.name: {"description": str(field.type)} for field in schema}
    return {"title": f"Columns of a {title}", "type": "object", "properties": properties}
