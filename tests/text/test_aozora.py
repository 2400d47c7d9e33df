"""The format of Aozora Bunko: what is read is the work as it was printed, and nothing of the file's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.aozora import SIGNS, work_of
from corpusforge.text.normal import is_normal
from tests.sources.samples.aozora import COLOPHON, LEGEND


def text_of(body: str, legend: str = LEGEND) -> str:
    return work_of(f"題\n著者\n\n{legend}\n{body}\n{COLOPHON}").text


def test_head_legend_and_colophon_are_no_text() -> None:
    work = work_of(
        f"題名\n――副題――\n著者名\n訳者名訳\n\n{LEGEND}\n\n　本文。\n\n　終わり。\n{COLOPHON}".replace("\n", "\r\n")
    )
    assert (work.title, work.author) == ("題名\u3000――副題――", "著者名")
    assert work.text == "　本文。\n\n　終わり。"
    assert work.colophon is not None
    assert work.colophon.startswith("底本：「作品集」見本書店")
    assert work.colophon.endswith("で作られました。")


def test_names_in_latin_letters_say_the_same_again() -> None:
    work = work_of(
        f"黒猫\nTHE BLACK CAT\nエドガー・アラン・ポー\nEdgar Allan Poe\n佐々木直次郎訳\n\n{LEGEND}\n本文\n{COLOPHON}"
    )
    assert (work.title, work.author) == ("黒猫", "エドガー・アラン・ポー")


def test_a_file_without_legend_has_a_head_if_it_has_a_colophon() -> None:
    work = work_of(f"題\n著者\n\n本文。\n二行目。\n{COLOPHON}")
    assert (work.title, work.author, work.text) == ("題", "著者", "本文。\n二行目。")
    any_text = work_of("一行目\n二行目\n\n三行目\n")
    assert (any_text.title, any_text.text, any_text.colophon) == (None, "一行目\n二行目\n\n三行目", None)


def test_a_source_book_in_the_text_ends_no_text() -> None:
    body = "底本：と彼は言つた。\n" + "　長い本文。\n" * 50
    assert text_of(body).count("本文") == 50
    books = f"題\n著者\n\n{LEGEND}\n本文\n\n底本：「甲」\n　　　1990年\n底本：「乙」\n入力：誰か\n"
    assert work_of(books).text == "本文"


@pytest.mark.parametrize(
    ("body", "text", "ruby"),
    [
        ("吾輩《わがはい》は", "吾輩は", [("吾輩", "わがはい")]),
        ("一番｜獰悪《どうあく》な", "一番獰悪な", [("獰悪", "どうあく")]),
        ("ここの人々《ひとびと》", "ここの人々", [("人々", "ひとびと")]),
        ("霞ヶ関《かすみがせき》", "霞ヶ関", [("霞ヶ関", "かすみがせき")]),
        ("彼のパンツ《ズボン》", "彼のパンツ", [("パンツ", "ズボン")]),
        ("the Thames《テムズ》", "the Thames", [("Thames", "テムズ")]),
        ("｜東京の街《まち》と村《むら》", "東京の街と村", [("東京の街", "まち"), ("村", "むら")]),
        ("余□《うん》の", "余□の", [("□", "うん")]),
        ("※［＃「虫＋車」、第3水準1-91-55］《むし》", "蛼", [("蛼", "むし")]),
    ],
)
def test_ruby_is_taken_out_and_kept(body: str, text: str, ruby: list[tuple[str, str]]) -> None:
    work = work_of(f"題\n著者\n\n{LEGEND}\n{body}\n{COLOPHON}")
    assert work.text == text
    assert [(work.text[one.start : one.end], one.reading) for one in work.ruby] == ruby


def test_brackets_are_ruby_as_the_legend_says() -> None:
    body = "雑誌《ざっし》と《明星》"
    assert (
        text_of(body, LEGEND.replace("《》：ルビ", "").replace("《わがはい》", "").replace("《どうあく》", "")) == body
    )
    assert text_of(body, "") == "雑誌と《明星》"
    assert text_of("※［＃始め二重山括弧、1-1-52］明星※［＃終わり二重山括弧、1-1-53］") == "《明星》"


@pytest.mark.parametrize(
    ("note", "character"),
    [
        ("「てへん＋劣」、第3水準1-84-77", "挘"),
        ("「言＋墟のつくり」、第4水準2-88-74", "譃"),
        ("「魚＋（萠－くさかんむり）」、U+29E00、76-5", "𩸀"),
        ("濁点付き片仮名ワ、1-7-82", "ヷ"),
        ("半濁点付き平仮名か、1-4-87", "か゚"),
        ("疑問符感嘆符、1-8-77", "⁈"),
        ("ローマ数字1、1-13-21", "Ⅰ"),
        ("二の字点、1-2-22", "〻"),
        ("「りっしんべん＋發」、読みは「はつ」、570-16", "〓"),
        ("「緇のつくり＋鳥」、208-下-11", "〓"),
        ("何か、1-99-99", "〓"),
        ("何か、U+D800", "〓"),
    ],
)
def test_notes_on_characters_become_characters(note: str, character: str) -> None:
    work = work_of(f"題\n著者\n\n{LEGEND}\n前※［＃{note}］後\n{COLOPHON}")
    assert work.text == f"前{character}後"
    assert work.missing == (character == "〓")


def test_other_notes_are_taken_out() -> None:
    body = """［＃５字下げ］一［＃「一」は大見出し］

　春［＃「春」に傍点］が
［＃改ページ］
［＃ここから２字下げ］
来た［＃「※［＃「虫＋車」、第3水準1-91-55］」に傍点］。
［＃ここで字下げ終わり］
有［＃レ］朋［＃（リテ）］自［＃二］遠方［＃一］来"""
    assert text_of(body) == "一\n\n　春が\n来た。\n有朋自遠方来"


def test_accents_are_put_together_where_the_legend_has_them() -> None:
    body = "〔cafe'〕と〔Fac,ade a` la oe&uvre〕と〔Stra/sse, Stras&e〕と〔一九三二年〕"
    assert text_of(body) == "caféとFaçade à la œuvreとStra/sse, Straßeと〔一九三二年〕"
    assert text_of("〔Note: yes〕", LEGEND.replace("アクセント分解された欧文", "")) == "〔Note: yes〕"


PIECES = st.sampled_from(
    [*SIGNS, "漢", "か", "ア", "e", "'", "〔", "〕", "、1-84-77", "\n", "ﾊ", "-" * 20, "底本：", " "]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_whatever_the_signs_the_ruby_lies_in_a_normal_text(body: str) -> None:
    for raw in (body, f"題\n著者\n\n{LEGEND}\n{body}\n{COLOPHON}"):
        work = work_of(raw)
        assert is_normal(work.text)
        for one in work.ruby:
            assert 0 <= one.start <= one.end <= len(work.text)
