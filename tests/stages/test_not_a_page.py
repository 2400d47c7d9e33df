"""What a server sends instead of a page is told from articles about such things."""

import pyarrow as pa
import pytest

from corpusforge.stages.not_a_page import NotAPage
from corpusforge.stages.prove import prove

ARTICLE = (
    "When a server has no page at an address, it answers with status 404. This article explains how to write an error "
    "page that helps: say that the page you requested is not here, offer a search field, and link to the home page. "
) * 5
CASES = [
    ("404 Not Found", "ページが見つかりません\nお探しのページは移動または削除された可能性があります。", "not_found"),
    ("記事", "お探しのページは移動または削除された可能性があります。トップページへお戻りください。", "nothing_here"),
    ("Example", "Oops! The page you are looking for has been moved.", "nothing_here"),
    ("記事", "ログイン\nパスワードを忘れた方はこちら。会員登録（無料）はこちら。", "login"),
    ("example.jp", "このドメインはお名前.exampleで取得されています。\n転職 保険 脱毛", "parked"),
    ("App", "You need to enable JavaScript to run this app.", "script_only"),
    ("Titel", "Lorem ipsum dolor sit amet, consetetur. " * 9, "filler"),
    ("記事", "この文章はダミーです。文字の大きさ、量、字間を確認するために入れています。" * 9, "filler"),
    ("How to write a 404 page: page not found", ARTICLE, None),
    ("Typography", "Printers set “Lorem ipsum dolor sit amet” to show type. " + "It is not Latin prose. " * 30, None),
    ("猫", "吾輩は猫である。名前はまだ無い。", None),
    (None, None, None),
]


@pytest.mark.parametrize(("title", "text", "reason"), CASES)
def test_what_is_no_page(title: str | None, text: str | None, reason: str | None) -> None:
    schema = pa.schema({"title": pa.string(), "text": pa.large_string(), "drop": pa.string()})
    batch = pa.RecordBatch.from_pylist([{"title": title, "text": text, "drop": None}], schema)
    assert prove(NotAPage(), batch)["drop"][0].as_py() == (reason and f"NotAPage.{reason}")
