"""Fitting: what is wrong with the data is told first, whatever is installed."""

import sys
from pathlib import Path

import pytest

from corpusforge import api


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rapidfuzz", "torch", "corpusforge.extract.fit.card", "corpusforge.extract.fit.fitting"):
        monkeypatch.setitem(sys.modules, name, None)


def test_folders_without_pages_are_told_apart_before_what_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "pages.jsonl").write_text("{}\n")
    for name, problem in (
        ("nowhere", "nowhere does not exist"),
        ("pages.jsonl", r"pages\.jsonl is a file"),
        ("empty", "empty holds no pages with truth"),
    ):
        with pytest.raises(api.NotFitted, match=f"{problem}: give a folder of .jsonl, .jsonl.gz, .jsonl.zst files"):
            api.fit_extractor(tmp_path / name, tmp_path / "own.npz")
    with pytest.raises(api.NotFitted, match=r"own is no name for a model; end it with \.npz"):
        api.fit_extractor(tmp_path / "empty", tmp_path / "own")


def test_what_is_not_installed_is_told_with_what_installs_it(tmp_path: Path) -> None:
    (tmp_path / "pages.jsonl").write_text("{}\n")
    with pytest.raises(api.NotFitted, match=r"fitting needs pip install torch, then pip install 'corpusforge\[fit\]'"):
        api.fit_extractor(tmp_path, tmp_path / "own.npz")
