"""The demo's score: full marks for a faultless corpus, and every fault shows in its own measure only."""

from collections.abc import Iterable
from typing import Any

import pytest

from corpusforge.demo.score import Count, lines, score
from corpusforge.demo.truth import Page, Truth
from corpusforge.demo.write import write
from corpusforge.text.edits import apply

Row = dict[str, Any]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return write(tmp_path_factory.mktemp("demo"), pages=150)


def faultless_row(page: Page) -> Row:
    """A row whose text was masked before it was written, and whose noise lines were removed by recorded edits."""
    written = "\n".join([*page.paragraphs(), *page.noise])
    for value in page.private:
        written = written.replace(value.value, "[masked]")
    start = len(written) - len("\n".join(page.noise)) - 1 if page.noise else len(written)
    text, edits = apply("NoiseLines", written, [(start, len(written), "")])
    row = {"id": page.record_id, "url": page.url, "text": text, "edits": edits, "charset": page.charset}
    return {**row, "drop": None, "survivor_id": None}


def faultless(truth: Truth) -> tuple[list[Row], list[Row]]:
    """One page of each group is kept, the others name it as their survivor; pages that are no article are swept."""
    kept: list[Row] = []
    swept: list[Row] = []
    survivors: dict[str, str] = {}
    for page in truth.pages:
        if page.kind != "article":
            row = {"id": page.record_id, "url": page.url, "drop": "MainText.no_text", "charset": None}
            swept.append({**row, "text": None, "edits": None})
        elif page.group in survivors:
            survivor = survivors[page.group]
            swept.append({**faultless_row(page), "drop": f"duplicates.{page.copy}", "survivor_id": survivor})
        else:
            if page.group:
                survivors[page.group] = page.record_id
            kept.append(faultless_row(page))
    return kept, swept


def faults(truth: Truth, kept: Iterable[Row], swept: Iterable[Row]) -> dict[str, Count]:
    """Measures that differ from those of a faultless corpus."""
    best, found = score(truth, *faultless(truth)), score(truth, kept, swept)
    return {name: count for name, count in found.items() if count != best[name]}


def first(truth: Truth, what: str) -> Page:
    """The first article outside every group that has noise, private values …"""
    return next(p for p in truth.pages if p.kind == "article" and not p.group and getattr(p, what))


def replaced(rows: list[Row], url: str, **columns: Any) -> list[Row]:
    return [{**row, **columns} if row["url"] == url else row for row in rows]


def test_a_faultless_corpus_gets_full_marks(truth: Truth) -> None:
    result = score(truth, *faultless(truth))
    nothing = ("planted noise removed by extraction", "body characters lost to noise removal")
    for name, count in result.items():
        wanted = 0 if name in nothing or name.startswith("documents dropped") else count.of
        assert (count.n, count.of > 0) == (wanted, True), name
    articles = sum(p.kind == "article" for p in truth.pages)
    assert result["articles kept, or dropped as duplicates"] == (articles, articles)


def test_a_noise_line_that_is_left_is_counted(truth: Truth) -> None:
    page = first(truth, "noise")
    kept, swept = faultless(truth)
    text = "\n".join([*page.paragraphs(), page.noise[0]])
    for value in page.private:
        text = text.replace(value.value, "[masked]")
    found = faults(truth, replaced(kept, page.url, text=text, edits=[]), swept)
    removed = found["planted noise removed"]
    assert removed.n == removed.of - 1
    by_extraction = found["planted noise removed by extraction"]
    assert by_extraction.n == len(page.noise) - 1
    assert all(name.startswith("planted noise") for name in found)


def test_a_lost_sentence_is_counted_by_its_characters(truth: Truth) -> None:
    page = next(p for p in truth.pages if p.kind == "article" and not p.group and not p.private and p.lang == "ja")
    kept, swept = faultless(truth)
    written = "\n".join([*page.paragraphs(), *page.noise])
    end = len("".join(page.paragraphs()[:1]))
    lost = page.body[0][-1]
    text, edits = apply(
        "NoiseLines", written, [(end - len(lost), end, ""), (len("\n".join(page.paragraphs())), len(written), "")]
    )
    found = faults(truth, replaced(kept, page.url, text=text, edits=edits), swept)
    assert found.pop("body characters lost to noise removal").n == len("".join(lost.split()))
    assert set(found) <= {"lookalikes of PII left as they are"}


def test_a_pair_that_is_kept_twice_is_not_found(truth: Truth) -> None:
    kept, swept = faultless(truth)
    twice = next(row for row in swept if row["drop"] == "duplicates.near")
    swept.remove(twice)
    found = faults(truth, [*kept, {**twice, "drop": None, "survivor_id": None}], swept)
    near = found["planted near-duplicates found"]
    assert near.n == near.of - 1
    assert "planted exact duplicates found" not in found


def test_a_page_dropped_for_another_text_is_a_false_duplicate(truth: Truth) -> None:
    kept, swept = faultless(truth)
    page = first(truth, "noise")
    row = next(row for row in kept if row["url"] == page.url)
    kept.remove(row)
    survivor = next(r["id"] for r in kept)
    found = faults(truth, kept, [*swept, {**row, "drop": "duplicates.near", "survivor_id": survivor}])
    assert found["documents dropped as duplicates without a planted twin"].n == 1


def test_a_survivor_of_another_group_is_a_false_duplicate(truth: Truth) -> None:
    kept, swept = faultless(truth)
    row = next(row for row in swept if row["drop"] == "duplicates.exact")
    swept = replaced(swept, row["url"], survivor_id=next(r["id"] for r in kept if r["id"] != row["survivor_id"]))
    found = faults(truth, kept, swept)
    assert found == {
        "documents dropped as duplicates without a planted twin": Count(
            1, sum(bool(row.get("survivor_id")) for row in swept)
        )
    }


def test_what_an_earlier_stage_sweeps_is_no_duplicate_any_more(truth: Truth) -> None:
    kept, swept = faultless(truth)
    row = next(row for row in swept if row["drop"] == "duplicates.near")
    found = faults(truth, kept, replaced(swept, row["url"], drop="TooShort.low_characters", survivor_id=None))
    best = score(truth, *faultless(truth))["planted near-duplicates found"]
    assert found["planted near-duplicates found"] == (best.n - 1, best.of - 1)
    assert found["articles kept, or dropped as duplicates"].n == found["articles kept, or dropped as duplicates"].of - 1


@pytest.mark.parametrize("where", ["kept", "swept", "removed"])
def test_personal_data_is_found_wherever_it_stands(truth: Truth, where: str) -> None:
    page = first(truth, "private")
    kept, swept = faultless(truth)
    text = "\n".join(page.paragraphs())
    row = {**faultless_row(page), "text": text, "edits": []}
    if where == "removed":
        row["text"], row["edits"] = apply("NoiseLines", text, [(0, len(text), "")])
    if where == "kept":
        kept = replaced(kept, page.url, text=row["text"], edits=row["edits"])
    else:
        kept = [r for r in kept if r["url"] != page.url]
        swept = [*swept, {**row, "drop": "TooShort.low_characters"}]
    masked = faults(truth, kept, swept)["PII masked"]
    assert masked.n == masked.of - len(page.private)


def test_wide_digits_are_found_as_narrow_ones(truth: Truth) -> None:
    page = next(p for p in truth.pages if any(v.value.startswith("０３") for v in p.private) and not p.group)
    kept, swept = faultless(truth)
    value = next(v.value for v in page.private if v.value.startswith("０３"))
    row = faultless_row(page)
    narrow = value.translate(str.maketrans("０１２３４５６７８９－", "0123456789-"))
    found = faults(truth, replaced(kept, page.url, text=f"{row['text']}{narrow}", edits=[]), swept)
    assert found["PII masked"].n == found["PII masked"].of - 1


def test_an_encoding_is_read_right_by_its_bytes_and_by_its_text(truth: Truth) -> None:
    page = next(p for p in truth.pages if p.charset == "cp932" and p.declared and not p.group)
    kept, swept = faultless(truth)
    assert not faults(truth, replaced(kept, page.url, charset="Shift_JIS"), swept)
    for columns in ({"charset": "euc_jp"}, {"charset": None}, {"text": "縺ゅ＞縺", "edits": []}):
        encodings = faults(truth, replaced(kept, page.url, **columns), swept)["encodings read right"]
        assert encodings.n == encodings.of - 1


def test_a_page_that_was_not_planted_is_refused(truth: Truth) -> None:
    kept, swept = faultless(truth)
    with pytest.raises(KeyError, match=r"http://other\.example/ is not one of the planted pages"):
        score(truth, [*kept, {"id": "x", "url": "http://other.example/", "text": "x"}], swept)


def test_lines_say_how_many_of_how_many() -> None:
    assert lines({"planted noise removed": Count(1234, 1300)}) == ["planted noise removed: 1,234 of 1,300"]
