"""A model is loaded once, checked by digest, and let go of."""

from hashlib import sha256
from pathlib import Path

import pytest

from corpusforge.models.cache import Model, evict, load
from corpusforge.models.language import LID_176, identify_one


@pytest.fixture
def model(tmp_path: Path) -> Model:
    path = tmp_path / "small.bin"
    path.write_bytes(b"weights")
    evict()
    return Model("small", sha256(b"weights").hexdigest(), str(path))


def test_a_model_is_read_once_until_it_is_evicted(model: Model) -> None:
    reads: list[Path] = []

    def loader(path: Path) -> bytes:
        reads.append(path)
        return path.read_bytes()

    assert load(model, loader) is load(model, loader)
    assert len(reads) == 1
    evict()
    assert load(model, loader) == b"weights"
    assert len(reads) == 2


def test_another_file_under_the_name_is_refused(model: Model) -> None:
    Path(model.path).write_bytes(b"other weights")
    with pytest.raises(ValueError, match="is not small"):
        load(model, Path.read_bytes)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(Model("m", "0" * 64, str(tmp_path / "nowhere")), Path.read_bytes)


def test_the_shipped_model_is_the_one_named() -> None:
    evict()
    assert sha256(LID_176.file().read_bytes()).hexdigest() == LID_176.sha256
    assert identify_one("吾輩は猫である。名前はまだ無い。")[0] == "ja"
    assert LID_176.file().with_name("lid.176.LICENCE.md").exists()
