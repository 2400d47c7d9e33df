"""Ways in which pages of the web carry their encoding, rightly, wrongly or not at all."""

import codecs
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """How one page is encoded (Python codec) and what its HTTP header and its ``<meta>`` say; None is silence."""

    lang: str
    charset: str
    header: str | None = None
    meta: str | None = None
    bom: bytes = b""

    def declared(self) -> str:
        said = (("bom", "yes" if self.bom else None), ("header", self.header), ("meta", self.meta))
        return ", ".join(f"{where} {what}" for where, what in said if what) or "nowhere"


PLAIN = Case("", "utf-8", header="utf-8", meta="utf-8")

CASES = (
    Case("ja", "cp932", header="Shift_JIS"),
    Case("ja", "cp932", meta="Shift_JIS"),
    Case("ja", "cp932"),
    Case("ja", "cp932", header="UTF-8"),
    Case("ja", "cp932", header="ISO-8859-1", meta="x-sjis"),
    Case("ja", "cp932", header="utf-8", meta="utf-8"),
    Case("ja", "euc_jp", header="EUC-JP"),
    Case("ja", "euc_jp", meta="euc-jp"),
    Case("ja", "euc_jp"),
    Case("ja", "euc_jp", header="Shift_JIS"),
    Case("ja", "iso2022_jp", header="ISO-2022-JP"),
    Case("ja", "iso2022_jp", meta="iso-2022-jp"),
    Case("ja", "iso2022_jp"),
    Case("ja", "utf-8", bom=codecs.BOM_UTF8),
    Case("ja", "utf-8", header="Shift_JIS", bom=codecs.BOM_UTF8),
    Case("ja", "utf-8", meta="Shift_JIS"),
    Case("ja", "utf-8", header="ISO-8859-1"),
    Case("ja", "utf-8"),
    Case("ja", "utf-16-le", bom=codecs.BOM_UTF16_LE),
    Case("ko", "cp949", header="EUC-KR"),
    Case("ko", "cp949", meta="ks_c_5601-1987"),
    Case("ko", "cp949"),
    Case("zh", "gb18030", header="GB18030"),
    Case("zh", "gb18030", meta="gb2312"),
    Case("zh", "gb18030"),
    Case("zh", "utf-8", meta="gb2312"),
    Case("zh-Hant", "cp950", header="Big5"),
    Case("zh-Hant", "cp950", meta="big5"),
    Case("zh-Hant", "cp950"),
    Case("de", "cp1252", header="ISO-8859-1"),
    Case("de", "cp1252", meta="windows-1252"),
    Case("de", "cp1252"),
    Case("fr", "cp1252", header="UTF-8"),
    Case("fr", "cp1252", meta="iso-8859-1"),
    Case("en", "cp1252", header="windows-1252"),
    Case("ru", "cp1251", header="windows-1251"),
    Case("ru", "koi8_r", meta="koi8-r"),
)

LABELS = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks-c-5601-1987": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950",
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252",
}  # fmt: skip
"""Labels that browsers read as a larger set (WHATWG Encoding Standard, §4.2)."""


def same_bytes(text: str, charset: str, other: str) -> bool:
    """Whether both charsets write ``text`` with the same bytes: then no reader can tell them apart."""
    try:
        first, second = (text.encode(codec(name), "xmlcharrefreplace") for name in (charset, other))
    except LookupError:
        return False
    return first == second


def codec(label: str) -> str:
    """The Python codec of a label; a mark at the start of UTF-8 or UTF-16 is no part of the text."""
    name = label.strip().lower().replace("_", "-")
    name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(name, name)
    return LABELS.get(name, name)
