"""What a text with links in it says."""

from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.addresses import without_addresses


def test_links_and_images_are_what_they_show() -> None:
    assert without_addresses("See [the list](https://a.jp/x?b=1) and ![a cat](/c.png).") == "See the list and a cat."
    assert without_addresses("- [猫](https://a.jp/%28x%29)\n![](/c.png)") == "- 猫\n"
    assert without_addresses("[a [b] c](/x) d") == "[a [b] c d"
    assert without_addresses("f(x) = [1, 2] (so) [c]") == "f(x) = [1, 2] (so) [c]"


@given(st.text(alphabet="[]()! a\n", max_size=60))
def test_no_line_is_lost_and_nothing_is_added(text: str) -> None:
    found = without_addresses(text)
    assert found.count("\n") == text.count("\n")
    assert len(found) <= len(text)
