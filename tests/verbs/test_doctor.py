"""`doctor` says what is wrong with a machine and what to do about it."""

from importlib import metadata
from pathlib import Path

import pytest

from corpusforge import api
from corpusforge.models.cache import Model
from corpusforge.verbs import doctor as module


def found(**given: str | bool) -> dict[str, api.Finding]:
    return {finding.what: finding for finding in api.doctor(**given)}  # type: ignore[arg-type]


def test_this_machine_is_well(tmp_path: Path) -> None:
    told = found(root=str(tmp_path))
    assert {"python", "libraries", "memory", "shared memory", "temporary folder", "ray", "root", "disk"} <= set(told)
    assert [f.line() for f in told.values() if f.state == "error"] == []
    assert told["model lid.176.ftz"].state == "ok"
    assert all(f.cure for f in told.values() if f.state == "warning")


@pytest.mark.ray
def test_a_local_ray_starts() -> None:
    assert "starts here" in found(ray=True)["ray"].found


def test_what_is_wrong_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert "a part of the path is a file" in found(root=str(tmp_path / "file" / "out"))["root"].line()
    assert "No such file or directory. Choose another place" in found(root="/proc/out")["root"].line()
    needs = ["no-such-library>=1; python_version > '3'", "numpy>=99", "ray[default]>=2", "moto>=99; extra == 'dev'"]
    monkeypatch.setattr(module, "requires", lambda name: needs)
    told = found()
    assert told["no-such-library"].line().startswith("error    no-such-library: it is not installed. pip install")
    assert (
        told["numpy"].line()
        == f"error    numpy: {metadata.version('numpy')}, and >=99 is needed. pip install 'numpy>=99'"
    )
    assert "libraries" not in told
    assert "moto" not in told
    monkeypatch.setattr(module, "_meminfo", lambda name: 4 << 30)
    assert found()["memory"].cure == "A worker may take 3 GiB: build with --workers 1"
    monkeypatch.setattr(Model, "file", lambda self: tmp_path / "file")
    assert "has another digest. Install corpusforge anew" in found()["model lid.176.ftz"].line()


def test_the_token_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_answers", lambda address: api.Finding("cluster", "ok", address))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    told = found(address="head:6379")
    assert told["token mode"].line() == "error    token mode: RAY_AUTH_MODE is not set. export RAY_AUTH_MODE=token"
    assert told["token"].cure == "Copy it from the head of the cluster"
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o644)
    assert found(address="head:6379")["token"].cure == f"chmod 600 {tmp_path / 'token'}"
    (tmp_path / "token").chmod(0o600)
    assert found(address="head:6379")["token"].state == "ok"


def test_a_cluster_that_does_not_answer() -> None:
    told = found(address="http://127.0.0.1:9")["cluster"]
    assert told.state == "error"
    assert "no Ray cluster takes jobs at http://127.0.0.1:9" in told.found
