"""What a pass does at once: a unit, the files it reads, and the manifest that says it is done."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from corpusforge.text.canonical import canonical_json, identity_of


@dataclass(frozen=True)
class File:
    """One committed file; ``path`` is below ``ROOT/CORPUS`` and no part of any identity."""

    role: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Unit:
    """One piece of a pass.

    ``spec`` (JSON) and the digests of ``reads`` are its identity; ``bytes`` orders the work, largest first; ``places``
    says where raw inputs lie and when they changed, by name, and is never part of an identity.
    """

    name: str
    spec: Mapping[str, Any]
    reads: tuple[File, ...] = ()
    bytes: int = 0
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def identity(self, pass_spec: Mapping[str, Any]) -> str:
        """Digest of what this unit computes from which content."""
        reads = [[f.role, f.sha256] for f in self.reads]
        return identity_of({"pass": pass_spec, "unit": self.spec, "reads": reads})


@dataclass(frozen=True)
class Manifest:
    """The record that a unit is done. ``cost`` is outside every digest."""

    step: str
    unit: str
    identity: str
    files: tuple[File, ...]
    counts: Mapping[str, int]
    cost: Mapping[str, Any] = field(default_factory=dict)

    def file(self, role: str) -> File:
        """The file of that role; each role occurs once."""
        return next(f for f in self.files if f.role == role)

    def to_bytes(self) -> bytes:
        return canonical_json(asdict(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Manifest":
        return cls(**{**data, "files": tuple(File(**f) for f in data["files"])})


@dataclass(frozen=True)
class Failed:
    """A unit that was given up, and why each attempt failed."""

    step: str
    unit: str
    causes: tuple[str, ...]
    reads: str
