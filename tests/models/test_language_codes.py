"""Codes of languages: just those of the model, and what was likely meant by any other word."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.models.cache import load
from corpusforge.models.language import LID_176, _open
from corpusforge.models.language_codes import CODES, COUNTRIES, LONGER, UNDETERMINED, known_language


def test_the_codes_are_the_labels_of_the_model() -> None:
    assert sorted(label.removeprefix("__label__") for label in load(LID_176, _open).get_labels()) == list(CODES)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("jp", "ja"),
        ("JA", "ja"),
        ("zh-Hans", "zh"),
        ("zh-cn", "zh"),
        ("en-US", "en"),
        ("en_GB", "en"),
        ("cn", "zh"),
        ("jpn", "ja"),
        ("Japanese", "ja"),
        ("germna", "de"),
    ],
)
def test_what_was_meant_is_said(written: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"^unknown language '{written}'; did you mean '{meant}'\\?$"):
        known_language(written)


def test_a_word_that_is_like_none_is_told_how_codes_look() -> None:
    with pytest.raises(ValueError, match="unknown language 'qq'; write a code of ISO 639"):
        known_language("qq")


def test_other_names_are_no_codes_and_lead_to_one() -> None:
    for written, meant in {**COUNTRIES, **LONGER}.items():
        assert written not in CODES
        assert meant in CODES


@given(st.text(max_size=12))
def test_nothing_but_a_code_is_one(written: str) -> None:
    if written in (*CODES, UNDETERMINED):
        assert known_language(written) == written
    else:
        with pytest.raises(ValueError, match="unknown language"):
            known_language(written)


def test_a_check_loads_no_model() -> None:
    program = (
        "from corpusforge import api\n"
        "import fasttext\n"
        "def refuse(*given): raise AssertionError('the model was loaded')\n"
        "fasttext.load_model = refuse\n"
        "print(len(api.plan('web_ja').recipe.passes))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "5\n"), done.stderr
