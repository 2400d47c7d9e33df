"""Fitting: labels from truth, folds that keep a site together, a model that learns and comes back from its file."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("rapidfuzz")

from corpusforge import api
from corpusforge.extract.extractor import extract
from corpusforge.extract.fit.labels import labels
from corpusforge.extract.fit.truths import Truth, f1, folds, labelled, site
from corpusforge.extract.network import read_network
from corpusforge.extract.surroundings import SLOTS
from tests.extract.pages import MENU, TEXTS, article

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]


def test_labels_follow_the_truth_and_not_words_that_stand_elsewhere_too() -> None:
    texts = [
        "Home",
        "The clocks were striking thirteen in April",
        TEXTS["ja"],
        "April",
        "A footer of quite other words here.",
    ]
    share, words = labels(texts, f"The clocks were striking thirteen in April\n{TEXTS['ja']}")
    assert share.round(2).tolist() == [0, 1, 1, 0, 0]
    assert words[1] == 7
    assert words[2] == sum(letter not in "。" for letter in TEXTS["ja"])


def test_pages_of_one_owner_are_in_one_fold() -> None:
    assert site("www.news.example.co.jp") == site("blog.example.co.jp") == "example.co.jp"
    assert site("a.example.com:8080") == "example.com"
    assert len(set(folds(["a.example.com", "b.example.com", "example.com"]).tolist())) == 1


def test_the_score_of_a_choice_is_f1_of_words() -> None:
    page = labelled(Truth("1", b"<p>one two three</p><p>four</p>", "one two three", "a.com"))
    assert f1(page, np.array([True, False])) == 1
    assert f1(page, np.array([True, True])) == pytest.approx(6 / 7)
    assert f1(page, np.array([False, False])) == 0


def test_a_model_learns_from_pages_with_truth(tmp_path: Path) -> None:
    with (tmp_path / "pages.jsonl").open("w", encoding="utf-8") as file:
        for number in range(48):
            lang = list(TEXTS)[number % len(TEXTS)]
            count = 2 + number % 5
            truth = "\n".join([TEXTS[lang][:20], *(f"{TEXTS[lang]} {n}" for n in range(count))])
            row = {
                "url": f"https://site{number % 16}.example{number % 16}.org/",
                "html": article(lang, count),
                "text": truth,
            }
            file.write(json.dumps({**row, "source": "made", "lang": lang, "kind": "article"}) + "\n")
    path = api.fit_extractor(tmp_path, tmp_path / "own.npz", note="Made pages.", say=lambda line: None)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "Made pages." in card
    scores = [float(line.split("|")[4]) for line in card.splitlines() if line.startswith("| made")]
    assert len(scores) >= 7
    assert min(scores) > 0.9
    text = extract(article("ja", 4).encode(), read_network(path, SLOTS)).text
    assert TEXTS["ja"] in text
    assert "News" not in text
    again = api.fit_extractor(tmp_path, tmp_path / "again.npz", note="Made pages.", say=lambda line: None)
    assert again.read_bytes() == path.read_bytes()


def test_what_cannot_be_fitted_is_told(tmp_path: Path) -> None:
    with pytest.raises(api.NotFitted, match="holds no pages with truth: give a folder of"):
        api.fit_extractor(tmp_path, tmp_path / "own.npz")
    (tmp_path / "pages.jsonl").write_text(json.dumps({"url": "https://a.com/", "html": MENU}) + "\n")
    with pytest.raises(api.NotFitted, match=r"pages\.jsonl, line 1 is no page with truth \('text'\)"):
        api.fit_extractor(tmp_path, tmp_path / "own.npz")
    (tmp_path / "pages.jsonl").write_text(json.dumps({"url": "https://a.com/", "html": MENU, "text": ""}) + "\n")
    with pytest.raises(api.NotFitted, match="has pages of 1 sites; 10 are the least"):
        api.fit_extractor(tmp_path, tmp_path / "own.npz")
    with pytest.raises(api.NotFitted, match=r"end it with \.npz"):
        api.fit_extractor(tmp_path, tmp_path / "own")
