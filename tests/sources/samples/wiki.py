"""A dump of many bz2 streams, as Wikimedia writes them: a head, pages by threes, an end."""

import bz2
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ja">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>jawiki</dbname>
    <base>https://ja.wikipedia.org/wiki/%E3%83%A1%E3%82%A4%E3%83%B3%E3%83%9A%E3%83%BC%E3%82%B8</base>
    <case>first-letter</case>
    <namespaces>
      <namespace key="-2" case="first-letter">メディア</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">ノート</namespace>
      <namespace key="6" case="first-letter">ファイル</namespace>
      <namespace key="14" case="first-letter">Category</namespace>
    </namespaces>
  </siteinfo>
"""
END = "</mediawiki>\n"
settings = [{"namespaces": [0, 1], "tables": True}]


def page(number: int, title: str, text: str, namespace: int = 0, more: str = "", model: str = "wikitext") -> str:
    return f"""  <page>
    <title>{escape(title)}</title>
    <ns>{namespace}</ns>
    <id>{number}</id>{more}
    <revision>
      <id>{1000 + number}</id>
      <timestamp>2026-08-0{1 + number % 9}T00:00:00Z</timestamp>
      <contributor><username>A</username><id>7</id></contributor>
      <model>{model}</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text.encode())}" sha1="x" xml:space="preserve">{escape(text)}</text>
      <sha1>x</sha1>
    </revision>
  </page>
"""


def multistream(pages: Sequence[str], together: int = 3, head: str = HEAD, end: str = END) -> bytes:
    groups = [head, *("".join(pages[n : n + together]) for n in range(0, len(pages), together)), end]
    return b"".join(bz2.compress(group.encode()) for group in groups)


def made() -> list[str]:
    redirect = '\n    <redirect title="猫" />'
    pages = [
        page(n, f"記事 {n}", f"'''記事{n}'''は[[猫|ねこ]]の記事である。<ref>x</ref>\n\n== 節 ==\n" + "本文。" * n)
        for n in range(14)
    ]
    pages[3] = page(3, "転送元", "#転送 [[猫]]", more=redirect)
    pages[5] = page(5, "ノート:猫", "話し合い", namespace=1)
    return pages


def sample(folder: Path) -> Path:
    path = folder / "jawiki-pages-articles-multistream.xml.bz2"
    path.write_bytes(multistream(made()))
    return path
