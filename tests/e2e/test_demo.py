"""What the demo planted, and what a build on two Ray workers finds of it: the bars of the product's promises."""

import pytest

import corpusforge as cf
from corpusforge.demo.score import Count, score
from corpusforge.demo.write import write

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Count]:
    folder = tmp_path_factory.mktemp("demo")
    truth = write(folder / "in")
    run = cf.build("web_multi", inputs=[str(folder / "in")], root=folder / "out", workers=2)
    return score(truth, run.documents(), cf.dropped(run.address))


AT_LEAST = {
    "articles kept, or dropped as duplicates": 0.95,
    "planted noise removed": 0.90,
    "planted noise let through by extraction, removed later": 0.90,
    "planted exact duplicates found": 1.0,
    "planted near-duplicates found": 0.95,
    "PII masked": 0.98,
    "lookalikes of PII left as they are": 0.98,
    "encodings read right": 1.0,
}


@pytest.mark.parametrize("name", sorted(AT_LEAST))
def test_what_was_planted_is_found(found: dict[str, Count], name: str) -> None:
    count = found[name]
    assert count.of > 10, "too few were planted to say anything"
    assert count.n >= AT_LEAST[name] * count.of, f"{count.n} of {count.of}"


def test_no_page_is_a_duplicate_of_a_different_one(found: dict[str, Count]) -> None:
    assert found["documents dropped as duplicates without a planted twin"].n == 0


def test_hardly_any_body_text_is_lost_to_noise_removal(found: dict[str, Count]) -> None:
    lost = found["body characters lost to noise removal"]
    assert lost.of > 100_000
    assert lost.n <= 0.005 * lost.of
