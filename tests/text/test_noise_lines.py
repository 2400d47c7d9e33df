"""Which lines are noise, in the lines' own company."""

import io
import json
import tarfile

import numpy as np
import pyarrow as pa
import pytest

from corpusforge.text.noise import line_links, noise_lines
from tests.real import real

BODY = {
    "ja": "庭の椿が今年も赤い花をつけたので、祖母に写真を送った。",
    "en": "The camellia in our garden bloomed again, so I sent my grandmother a photo.",
    "zh": "院子里的山茶花今年又开了，我给奶奶寄了一张照片。",
    "ko": "마당의 동백꽃이 올해도 피어서 할머니께 사진을 보냈다.",
    "de": "Die Kamelie im Garten blüht wieder, also schickte ich meiner Großmutter ein Foto.",
}

NOISE = {
    "ja": [
        "シェアする",
        "ログイン / 新規登録",
        "カートに入れる",
        "当サイトではクッキーを使用しています。",
        "続きを読む＞＞",
        "ホーム | 会社概要 | お問い合わせ",
        "ホーム＞製品情報＞加湿器",
        "タグ: 猫, 犬",
        "Copyright © 2020 みどり社",
        "1,234回視聴",
        "本記事の無断転載を禁じます",
        "【送料無料】加湿器 最安値 加湿器 卓上 加湿器★",
        "« 前へ 1 2 3 次へ »",
        "#猫 #犬 #鳥",
        "関連記事：冬の庭の手入れ",
        "コメントするにはログインしてください。",
    ],
    "en": [
        "Share on Facebook",
        "Log in | Register",
        "Add to basket",
        "We use cookies to give you the best experience.",
        "Read more →",
        "Home > Garden > Shrubs",
        "Filed under: gardens",
        "© 2019 Green Press. All rights reserved.",
        "12 comments",
        "Page 1 2 3 Next »",
        "Subscribe to our newsletter",
        "Related: Pruning in winter",
        "Cheap hose! Buy hose online, hose 20% off, free shipping on every hose",
    ],
    "zh": [
        "分享到：微信 微博",
        "请先登录",
        "加入购物车",
        "阅读全文",
        "上一篇 下一篇",
        "版权所有，未经书面授权不得转载",
    ],
    "ko": ["공유하기 | 인쇄", "장바구니에 담기", "무단전재 및 재배포 금지", "조회수 1,024", "태그: 정원, 꽃"],
    "de": [
        "Auf Facebook teilen",
        "In den Warenkorb",
        "Alle Rechte vorbehalten.",
        "Startseite > Garten > Pflanzen",
        "weiterlesen »",
    ],
}

KEPT = {
    "ja": [
        "ログイン",
        "検索",
        "第一章　総則",
        "「次へ行こう」",
        "東京・大阪・名古屋",
        "電話番号　03-1234-5678",
        "2",
        "まとめ",
        "ファイル > 新規作成 > 画像",
        "1 2 3 4 5",
        "| 品名 | 価格 |",
        "3. 送料無料になる条件を確かめる",
        "価格：¥800",
        "無断転載をめぐる議論が続いている",
        "この操作にはログインが必要です。",
        "ブラウザはcookieを保存する。",
        "# 見出し",
        "int main() {",
    ],
    "en": [
        "Login",
        "Contact",
        "Chapter 1",
        "“Share it,” he said.",
        "Input | Output | Example",
        "File > New > Image",
        "1 2 3 4",
        "The browser stores cookies until they expire.",
        "3. Copy the link",
        "#include <stdio.h>",
        "x > 3 and y > 4",
        "Were to incense the boar to follow us",
        "It was the best price he had ever paid.",
        "Privacy",
        "12 > 8 > 3",
    ],
    "zh": ["登录", "搜索", "第一章", "未经授权的访问会被拒绝。", "生活"],
    "ko": ["로그인", "검색", "제1장", "결론"],
    "de": ["Anmelden", "Kontakt", "Kapitel 1", "Teilen"],
}


def between(line: str, lang: str) -> list[bool]:
    return noise_lines([BODY[lang], line, BODY[lang]], lang, [None] * 3)


@pytest.mark.parametrize(("lang", "line"), [(lang, line) for lang, lines in NOISE.items() for line in lines])
def test_noise_goes_and_the_body_stays(lang: str, line: str) -> None:
    assert between(line, lang) == [False, True, False]


@pytest.mark.parametrize(("lang", "line"), [(lang, line) for lang, lines in KEPT.items() for line in lines])
def test_lines_that_may_be_content_stay_alone(lang: str, line: str) -> None:
    assert between(line, lang) == [False, False, False]


def test_single_words_go_in_company() -> None:
    lines = [BODY["ja"], "ホーム", "会社概要", "お問い合わせ", "", BODY["ja"]]
    assert noise_lines(lines, "ja", [None] * 6) == [False, True, True, True, False, False]


def test_links_go_in_runs_and_references_stay() -> None:
    lines = [BODY["en"], "Roses", "Lilies of the valley", "Tulips", "Herbs", BODY["en"]]
    assert noise_lines(lines, "en", [0.0, 1.0, 1.0, 1.0, 1.0, 0.9]) == [False, True, True, True, True, False]
    addresses = ["https://a.example/x/y/z", "https://b.example/", "https://c.example/", "https://d.example/"]
    assert not any(noise_lines(addresses, "en", [1.0] * 4))


def test_lines_under_a_head_of_related_pages() -> None:
    lines = [BODY["en"], "Related articles", "Pruning in winter", "Ten shrubs for shade", BODY["en"]]
    assert noise_lines(lines[:4], "en", [None] * 4) == [False, True, True, True]
    assert noise_lines(lines, "en", [None] * 5) == [False, True, False, False, False]
    assert noise_lines(lines, "en", [0.0, 0.0, 1.0, 1.0, 0.0]) == [False, True, True, True, False]


def test_link_shares_of_lines() -> None:
    ranges = np.array([(0, 5), (6, 12), (13, 20), (21, 25)])
    assert line_links(ranges, *np.array([(0, 5, 255), (6, 20, 0)]).T) == [1.0, 0.0, 0.0, None]
    assert line_links(ranges, *np.array([(6, 20, -1), (0, 5, 51)]).T) == [0.2, None, None, None]


def test_real_prose_is_left_alone() -> None:
    with pa.input_stream(str(real("text-ja-wikipedia/jawiki-paragraphs.jsonl.zst"))) as file:
        articles = [json.loads(line)["text"] for line in file.read().decode().splitlines()[:800]]
    with pa.input_stream(str(real("text-en-books/books.jsonl.zst"))) as file:
        chapters = [json.loads(line)["text"] for line in file.read().decode().splitlines()[::16]]
    for texts, lang in ((articles, "ja"), (chapters, "en")):
        lines = [line for text in texts for line in text.split("\n")]
        noise = noise_lines(lines, lang, [None] * len(lines))
        lost = sum(len(line) for line, gone in zip(lines, noise, strict=True) if gone)
        assert lost <= 0.001 * sum(map(len, lines))


def test_real_news_lose_lists_of_links_and_little_else() -> None:
    lost = before_heads = total = 0
    for text in news(every=12):
        lines = text.split("\n")
        noise = noise_lines(lines, "ja", [None] * len(lines))
        head = next((at for at, line in enumerate(lines) if "関連" in line and noise[at]), len(lines))
        lost += sum(noise)
        before_heads += sum(len(line) for line, gone in zip(lines[:head], noise, strict=False) if gone)
        total += len(text)
    assert lost > 200
    assert before_heads <= 0.004 * total  # copyright lines, 「記事をもっと見る」, categories of apps


def news(every: int) -> list[str]:
    """Bodies of news articles; some end with lists of related ones."""
    with pa.input_stream(str(real("text-ja-livedoor-news/livedoor-news.tar.zst"))) as file:
        packed = io.BytesIO(file.read())
    with tarfile.open(fileobj=packed) as archive:
        members = [m for m in archive if m.isfile() and m.name.endswith(".txt")][::every]
        return [archive.extractfile(m).read().decode() for m in members]  # type: ignore[union-attr]
