"""What a stage, source or pass computes, as JSON: its import path, revision, fields, models and library versions."""

from dataclasses import MISSING, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from corpusforge.text.canonical import sha256


def spec_of(part: Any) -> dict[str, Any]:
    """The part of an identity that one stage or source makes up."""
    spec: dict[str, Any] = {"use": use_of(part), "revision": part.revision, "fields": fields_of(part)}
    models = getattr(part, "models", ())
    if models:
        spec["models"] = {model.name: model.sha256 for model in models}
    data = getattr(part, "data", ())
    if data:
        spec["data"] = {path.name: sha256(path.read_bytes()) for path in data}
    libraries = getattr(part, "built_on", ())
    if libraries:
        spec["built_on"] = {name: library_version(name) for name in libraries}
    return spec


def use_of(part: Any) -> str:
    """The import path of a part, as a recipe names it."""
    return f"{type(part).__module__}:{type(part).__qualname__}"


def fields_of(part: Any) -> dict[str, Any]:
    """The configuration of a part as JSON values."""
    dumped = TypeAdapter(type(part)).dump_python(part, mode="json")
    return {f.name: dumped[f.name] for f in fields(part)}


def default_of(field: Any) -> Any:
    """The default of a dataclass field as a JSON value; a field without one has none that equals anything."""
    if field.default is not MISSING and not isinstance(field.default, FieldInfo):
        return to_jsonable_python(field.default)
    if isinstance(field.default, FieldInfo):
        return to_jsonable_python(field.default.get_default(call_default_factory=True), fallback=str)
    return to_jsonable_python(field.default_factory()) if field.default_factory is not MISSING else MISSING


def library_version(name: str) -> str:
    """The installed version of a library; ``missing`` where it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
