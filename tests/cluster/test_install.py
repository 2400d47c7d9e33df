"""cluster/install.sh, the one step of the Dockerfile: into a fresh environment, from what the image gets to see."""

import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from corpusforge import __version__
from tests.cluster.files import CHECKOUT, CLUSTER, pinned


def context(folder: Path) -> Path:
    """What `docker build` hands over: the tracked files that .dockerignore lets in, read-only."""
    lines = [line for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    let_in = tuple(line[1:] for line in lines if line.startswith("!"))
    list_files = ["git", "-C", str(CHECKOUT), "ls-files", "-co", "--exclude-standard"]
    for name in subprocess.run(list_files, check=True, capture_output=True, text=True).stdout.splitlines():
        if any(fnmatch(name, one) or name.startswith(f"{one}/") for one in let_in) and (CHECKOUT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    return folder


def sh(*command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run([str(c) for c in command], env={**kept, **more}, capture_output=True, text=True, cwd="/")


def test_the_image_is_made_of_one_step_and_starts_as_nobody_special() -> None:
    lines = (CLUSTER / "Dockerfile").read_text().splitlines()
    (run,) = [line for line in lines if line.startswith("RUN ")]
    assert run.endswith("/cluster/install.sh --image python")
    assert "USER 1000" in lines
    assert not [line for line in lines if line.startswith(("COPY", "ADD", "ENTRYPOINT"))]
    # Empty by default: an image without training is light.
    assert {"ARG EXTRAS=", "ARG TORCH_INDEX="} <= set(lines[: lines.index(run)])


def test_the_context_holds_the_package_and_nothing_private(tmp_path: Path) -> None:
    there = context(tmp_path)
    assert (there / "corpusforge" / "__init__.py").is_file()
    assert {p.name for p in there.iterdir()} == {
        "LICENSE", "README.md", "cluster", "constraints.txt", "corpusforge", "pyproject.toml"
    }  # fmt: skip
    assert [p.name for p in (there / "cluster").iterdir()] == ["install.sh"]


def noted(folder: Path, **more: str) -> list[str]:
    """What the script does for an image, with what changes a system replaced by apt's simulation and by notes."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get here")
    notes = folder / "notes"
    for name in ("useradd", "install", "python"):
        (folder / name).write_text(f'#!/bin/sh\necho "${{DS_ACCELERATOR:-}} {name} $*" >> {notes}\n')
    simulated = 'case "$1" in update) exit 0;; esac\nexec /usr/bin/apt-get --simulate "$@"\n'
    (folder / "apt-get").write_text(f'#!/bin/sh\necho "apt-get $*" >> {notes}\n' + simulated)
    # The script's last rm is its own clean-up.
    (folder / "rm").write_text('#!/bin/sh\ncase "$2" in /tmp/*) exec /bin/rm "$@";; esac\n')
    for stub in folder.iterdir():
        stub.chmod(0o755)
    done = sh(CLUSTER / "install.sh", "--image", "python", PATH=f"{folder}:{os.environ['PATH']}", **more)
    if "Unable to locate package" in done.stderr:
        pytest.skip("apt has no package lists here")
    assert done.returncode == 0, done.stdout + done.stderr
    return notes.read_text().splitlines()


def test_the_packages_and_the_user_of_the_image_can_be_had(tmp_path: Path) -> None:
    said = "\n".join(noted(tmp_path))
    assert "useradd --create-home --uid 1000 " in said
    assert "/home/corpusforge/.ray" in said
    assert "[aws,sentencepiece]" in said
    assert "torch" not in said
    assert "g++" not in said


def test_an_image_with_training_gets_torch_first_and_then_builds_beside_it(tmp_path: Path) -> None:
    lines = noted(tmp_path, EXTRAS="train")
    assert "g++" in next(line for line in lines if line.startswith("apt-get install"))
    torch, tools, package = [line for line in lines if " pip install " in line]
    assert torch.endswith(f" torch=={pinned('torch')}")
    assert tools.endswith(" setuptools wheel ninja")
    assert " --no-build-isolation " in package
    assert package.startswith("cpu python ")
    assert package.endswith("[aws,sentencepiece,train]")
    assert all("--constraint" in line for line in (torch, tools, package))


def test_torch_may_come_from_an_index_of_its_own(tmp_path: Path) -> None:
    index = "https://wheels.example.com/cu126"
    first, *others = [line for line in noted(tmp_path, EXTRAS="train", TORCH_INDEX=index) if " pip install " in line]
    assert first.endswith(f"torch=={pinned('torch')} --extra-index-url {index}")
    assert not [line for line in others if index in line]


def test_without_an_interpreter_it_says_how_it_is_called() -> None:
    done = sh(CLUSTER / "install.sh")
    assert done.returncode != 0
    assert "usage: cluster/install.sh [--image] PYTHON" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_fresh_environment_gets_corpusforge_in_the_pinned_versions(tmp_path: Path) -> None:
    there = context(tmp_path / "context")
    before = sorted(p.relative_to(there) for p in there.rglob("*"))
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    done = sh("sh", there / "cluster" / "install.sh", python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "web_ja" in done.stdout
    assert sorted(p.relative_to(there) for p in there.rglob("*")) == before
    ask = "import boto3, corpusforge as cf, ray, sentencepiece; print(cf.__version__, ray.__version__, cf.__file__)"
    said = sh(python, "-c", ask).stdout.split()
    assert said[:2] == [__version__, pinned("ray")]
    assert said[2].startswith(str(tmp_path / "env"))
    frozen = sh(python, "-m", "pip", "freeze", "--exclude", "corpusforge").stdout.lower().replace("_", "-").splitlines()
    known = (CHECKOUT / "constraints.txt").read_text("utf-8").lower().replace("_", "-").splitlines()
    assert sorted(set(frozen) - set(known)) == []
    refused = sh(python.parent / "ray", "start", "--head", "--port=0", HOME=str(tmp_path), RAY_AUTH_MODE="token")
    assert refused.returncode != 0
    assert "token" in refused.stdout + refused.stderr
