"""`corpusforge.api` is what the command line, jobs and `import corpusforge` call: every name of it is there."""

import subprocess
import sys

import corpusforge as cf
from corpusforge import api


def test_every_name_that_is_promised_is_there() -> None:
    assert len(set(api.__all__)) == len(api.__all__)
    for name in api.__all__:
        assert getattr(api, name).__doc__ or name == "PoolName", name
    for name in cf.__all__:
        assert getattr(cf, name) is getattr(api, name)
    assert set(cf.__all__) <= set(api.__all__)


def test_everything_but_training_needs_none_of_the_extras() -> None:
    """A missing library is one whose import is refused: the development environment has them all."""
    absent = ("torch", "deepspeed", "transformers", "peft", "jinja2", "tensorboard", "safetensors", "huggingface_hub")
    others = ("sudachipy", "sentencepiece", "boto3", "gigatoken", "rapidfuzz", "resiliparse")
    without = f"import sys; sys.modules.update(dict.fromkeys({absent + others})); "
    ask = "from corpusforge import api, cli; [getattr(api, name) for name in api.__all__]; cli.main()"
    for command in (["--help"], ["train", "--help"], ["recipes"]):
        done = subprocess.run([sys.executable, "-c", without + ask, *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_nothing_of_training_is_loaded_by_those_who_do_not_train() -> None:
    """torch's threads beside Arrow's end a process with an abort now and then, and both take seconds to load."""
    heavy = ("torch", "transformers", "deepspeed", "resiliparse")
    ask = f"import sys; from corpusforge import api, cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
