"""Mojibake is told from text, and read back only where that gives the mojibake again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.charset import decide
from corpusforge.text.mojibake import WAYS, WINDOWS, Way, bytes_of, is_misread, may_be_misread, read_back, suspect

JAPANESE = "国境の長いトンネルを抜けると雪国であった。夜の底が白くなった。信号所に汽車が止まった。"
GERMAN = "Die Prüfung „Übergröße“ – größtenteils für Köln, Düsseldorf und Nürnberg – fällt schön aus…"


def page(body: str, title: str = "") -> bytes:
    return f"<html><head><title>{title}</title></head><body>\n<p>{body}</p>\n</body></html>".encode()


def western(text: str, codec: str = "utf-8") -> str:
    return WINDOWS.forth(text.encode(codec))


@pytest.mark.parametrize("text", [JAPANESE * 3, GERMAN * 3], ids=["ja", "de"])
def test_utf8_read_as_windows_1252_is_read_back(text: str) -> None:
    decision = decide(page(western(text), title="雪国 – Köln"), "utf-8")
    assert (decision.charset, decision.by, decision.doubtful) == ("utf-8", "repaired", False)
    assert decision.score <= 0.9
    assert decision.utf8 == page(text, title="雪国 – Köln")


@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
def test_japanese_read_as_latin_1_is_read_back(codec: str) -> None:
    wrong = (JAPANESE * 3).encode(codec).decode("latin-1")
    decision = decide(page(wrong), "utf-8")
    assert (decision.by, decision.utf8) == ("repaired", page(JAPANESE * 3))


def test_what_lost_characters_is_doubtful() -> None:
    wrong = (JAPANESE * 3).encode().decode("cp932", "replace")
    decision = decide(page(wrong), "utf-8")
    assert (decision.by, decision.doubtful, decision.score) == ("http", True, 0.1)


@pytest.mark.parametrize(
    "text",
    [
        JAPANESE * 3,
        GERMAN * 3,
        "« À l’été, où ça ? » – « Là-bas… à « Âge d’or » » ; É”, Ã, Â°C " * 4,
        "NÃO HÁ AÇÃO SEM RAZÃO; AVÓ, ÓRGÃO – “CORAÇÃO” " * 5,
        "ESPAÑA “NIÑO” AÑO™ SEÑOR® " * 6,
    ],
)
def test_real_text_is_left_alone(text: str) -> None:
    assert not is_misread(text)
    decision = decide(page(text), None)
    assert (decision.by, decision.doubtful, decision.utf8) == ("utf-8", False, page(text))


@given(st.text(max_size=60), st.sampled_from(WAYS))
def test_pieces_come_back_exactly_or_stay(text: str, way: Way) -> None:
    misread = suspect(text.encode())
    assert isinstance(bytes_of(misread, way), bytes)
    mended = (read_back(misread, WINDOWS, bytes.decode) or b"").decode()
    if mended not in ("", text):
        assert western(mended) == western(text) or mended.count("\n") == text.count("\n")


@given(st.text(st.sampled_from("ab<>\n é日Ã©縺"), max_size=40))
def test_pieces_are_what_stands_between_tags_and_is_foreign(text: str) -> None:
    misread = suspect(text.encode())
    found = [misread.utf8[start:end].decode() for start, end in misread.pieces]
    assert found == [piece for piece in re.split("[<>\n]", text) if not piece.isascii()]


def test_the_quick_look_misses_nothing() -> None:
    for text in (western(JAPANESE), western(GERMAN), JAPANESE.encode("cp932").decode("latin-1")):
        assert may_be_misread(text.encode())
    assert not may_be_misread((JAPANESE + "naïve café").encode())


@given(st.lists(st.sampled_from(("Ã©", "Ð±", "â€™", "ã‚¹", "\x80", "縺", "繧", "繝", "a", "日本", "é "))).map("".join))
def test_the_quick_look_lets_all_through_that_is_misread(text: str) -> None:
    assert may_be_misread(text.encode()) or not is_misread(text)
