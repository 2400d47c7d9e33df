"""Learning rates and optimizers by name, each with its source: what a configuration leaves out is taken from one."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("presets.yaml")


@lru_cache(1)
def presets() -> dict[str, dict[str, Any]]:
    """Presets by name: ``source`` says where the numbers are from, ``values`` are fields of a configuration."""
    return dict(yaml.safe_load(FILE.read_text("utf-8")))


def filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with what it leaves out taken from the preset that it names, if it does.

    Raises ``ValueError`` naming the presets there are.
    """
    name = given.get("preset")
    if name is None:
        return dict(given)
    if name not in presets():
        raise ValueError(f"there is no preset {name}; take one of {', '.join(presets())}, or leave it out")
    return _under(presets()[name]["values"], given)


def _under(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` with the ``values`` that it does not have, mapping by mapping."""
    found = dict(given)
    for name, value in values.items():
        own = found.get(name)
        if name not in found:
            found[name] = value
        elif isinstance(own, Mapping) and isinstance(value, Mapping):
            found[name] = _under(value, own)
    return found
