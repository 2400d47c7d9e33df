"""The files of a folder of pages with truth; they are looked for before anything that a fit needs is imported."""

from pathlib import Path

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
CURE = f"give a folder of {', '.join(ENDINGS)} files"


def files_of(folder: Path) -> list[Path]:
    """The JSON Lines files in a folder and its folders, by name; raises ``ValueError`` where there is none."""
    if not folder.exists():
        raise ValueError(f"{folder} does not exist: {CURE}")
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file: {CURE}")
    files = sorted(path for path in folder.rglob("*") if path.name.endswith(ENDINGS))
    if not files:
        raise ValueError(f"{folder} holds no pages with truth: {CURE}")
    return files
