"""Encodings of the web: labels, the codecs that read them, and the characters that are frequent in text they carry.

Labels and names follow the WHATWG Encoding Standard; the codec is the superset that pages need: ISO-8859-1 is
windows-1252, GB2312 is GB18030, KS C 5601 is cp949. A page that calls itself Shift_JIS is read by the table of that
name as long as this reads all of it (so that 〜 is U+301C, as in EUC-JP and ISO-2022-JP), and by Microsoft's cp932 if
it has a character of NEC or IBM; TIS-620 stands beside windows-874 in the same way.
"""

import re
from dataclasses import dataclass, replace

from corpusforge.text.code_tables import CP932, GB18030, KOI8_U


@dataclass(frozen=True)
class Encoding:
    """One encoding: its name, Python's codec for it, and what is frequent in the text it was made for."""

    name: str
    codec: str
    frequent: frozenset[str]
    family: str
    """``multibyte``, ``stateful`` (escape sequences), ``wide`` (UTF-16, UTF-32), ``unicode``, ``latin`` (one byte,
    Latin script), ``single`` (one byte, another script) or ``ebcdic``."""
    strict: str = ""
    """A codec that comes first and must read every byte."""


JAPANESE = (
    "のーいにでしをるす。、てントたまとはながスイかこりクルくれうらッんもっさリレラ・プきあドジ会サア年つロ日グフだタけよおテシ合ポせ月めメ用や"
    "えコどバ）（みマデ「」事そ定ュ本ム入一ブ作キ方行要ィ業使人大わウョちビ場報動：書ごカ者数問じ記内ミ情エ中開上実学法新ニ前公パ理生出時文へ分"
    "成セ部認ダ関ェペ金ば自？チ設名度確ソ対変社ナ最モ的発以ァ手第ょ表能利オ間料見考検下式ず読活後全ャ性組機同更所ネ通品相応容子目必次化！加ぜ"
)
SIMPLIFIED = (
    "的，。一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之"
    "进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各"
    "重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题程展五果料员入常文总次品式及管特"
    "长求老头资边流路级少图山统接知将组见计别手期根论运指几区强放决西做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增"
    "、“”：；（）？！"
)
TRADITIONAL = (
    "的，。一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說產種面而方後多定行學法所民得經十三之"
    "進著等部度家電力裡裏如水化高自二理起小物現實加量都兩體制機當使點從業本去把性好應開它合還因由其些然前外天政四日那社義事平形相全表間樣與關"
    "各重新線內數正心反你明看原又麼利比或但質氣第向道命此變條只沒結解問意建月公無系軍很情者最立代想已通並提直題程展五果料員入常文總次品式及管"
    "特長求老頭資邊流路級少圖山統接知將組見計別手期根論運指幾區強放決西做必戰先回則任取據處隊南給色光門即保治北造百規熱領七海口東導器壓志世金"
    "增、「」：；（）？！"
)
KOREAN = (
    "다이하는니을기에를로서지의한스가수자리사있정시용고드그어해일도트합보은면으문습할설제인들파선대입상아위치미만모구프우개부라나성터데과크메화전"
    "여장경록적안단요비작택키것동되게러체오열내주바션소발필래마디티명때된공음행표와글목관·중간유않생변색려통분함방말식조버레타형각른계값움원점영"
    "본더현야없법결축재확실새저거번반업운능진및호직력같환블채참커집됩세예속배연처코추름차했절좋당복또노두출었역불누무령람준국민회의학년월"
)
CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчй"
KAZAKH = CYRILLIC + "әғқңөұүһі"
GREEK = "ατοεισνρηκμπςυίάλγόήέδχ"
HEBREW = "יוהלאתרבשמנחדעקפסגצםןזטךץ"
ARABIC = "اليونمرتبدعةسحفهقكجشطصأخ"
THAI = "านรกอเงมยลตวดส่้ทะคีิั์บแปชใจหไพุู็ขำโถนื"
WESTERN = "éäüöàèßóáíêñçâîôûúïœæøåãÜÖÄÉ’“”–—…©«»·€ °"
CENTRAL = "áéíóúýčďěňřšťůžąćęłńśźżőűäöüßăâîşţôľĺŕđŽŠČÉÁ„”’–—"
BALTIC = "āēīūģķļņšžčąęėįųūõäöü„“"
TURKISH = "ığşüçöİâŞÇÖÜ’“”"
VIETNAMESE = "đàáâưăơêôãíìùúèéóòý\u0300\u0301\u0303\u0309\u0323"


ANY = JAPANESE + SIMPLIFIED + TRADITIONAL + KOREAN + CYRILLIC + GREEK + HEBREW + ARABIC + THAI + WESTERN + CENTRAL


def _encodings() -> tuple[Encoding, ...]:
    rows = (
        ("utf-8", "utf-8", "", "unicode"),
        ("utf-16le", "utf-16-le", ANY, "wide"),
        ("utf-16be", "utf-16-be", ANY, "wide"),
        ("utf-32le", "utf-32-le", ANY, "wide"),
        ("utf-32be", "utf-32-be", ANY, "wide"),
        ("iso-2022-jp", "iso2022_jp_ext", JAPANESE, "stateful"),
        ("iso-2022-kr", "iso2022_kr", KOREAN, "stateful"),
        ("hz-gb-2312", "hz", SIMPLIFIED, "stateful"),
        ("shift_jis", "cp932", JAPANESE, "multibyte"),
        ("euc-jp", "euc_jp", JAPANESE, "multibyte"),
        ("gb18030", "gb18030", SIMPLIFIED, "multibyte"),
        ("big5", "big5hkscs", TRADITIONAL, "multibyte"),
        ("euc-kr", "cp949", KOREAN, "multibyte"),
        ("johab", "johab", KOREAN, "multibyte"),
        ("windows-1252", "cp1252", WESTERN, "latin"),
        ("iso-8859-15", "iso8859_15", WESTERN, "latin"),
        ("macintosh", "mac_roman", WESTERN, "latin"),
        ("windows-1250", "cp1250", CENTRAL, "latin"),
        ("iso-8859-2", "iso8859_2", CENTRAL, "latin"),
        ("windows-1251", "cp1251", CYRILLIC, "single"),
        ("koi8-r", "koi8_r", CYRILLIC, "single"),
        ("koi8-u", "koi8_u", CYRILLIC, "single"),
        ("ibm866", "cp866", CYRILLIC, "single"),
        ("ibm855", "cp855", CYRILLIC, "single"),
        ("iso-8859-5", "iso8859_5", CYRILLIC, "single"),
        ("x-mac-cyrillic", "mac_cyrillic", CYRILLIC, "single"),
        ("windows-1253", "cp1253", GREEK, "single"),
        ("iso-8859-7", "iso8859_7", GREEK, "single"),
        ("windows-1254", "cp1254", TURKISH, "latin"),
        ("windows-1255", "cp1255", HEBREW, "single"),
        ("iso-8859-8", "iso8859_8", HEBREW, "single"),
        ("windows-1256", "cp1256", ARABIC, "single"),
        ("iso-8859-6", "iso8859_6", ARABIC, "single"),
        ("windows-1257", "cp1257", BALTIC, "latin"),
        ("iso-8859-4", "iso8859_4", BALTIC, "latin"),
        ("iso-8859-13", "iso8859_13", BALTIC, "latin"),
        ("iso-8859-3", "iso8859_3", TURKISH, "latin"),
        ("iso-8859-10", "iso8859_10", WESTERN, "latin"),
        ("iso-8859-14", "iso8859_14", WESTERN, "latin"),
        ("iso-8859-16", "iso8859_16", CENTRAL, "latin"),
        ("windows-1258", "cp1258", VIETNAMESE, "latin"),
        ("windows-874", "cp874", THAI, "single"),
        ("cp437", "cp437", WESTERN, "latin"),
        ("cp850", "cp850", WESTERN, "latin"),
        ("cp858", "cp858", WESTERN, "latin"),
        ("cp860", "cp860", WESTERN, "latin"),
        ("cp861", "cp861", WESTERN, "latin"),
        ("cp863", "cp863", WESTERN, "latin"),
        ("cp865", "cp865", WESTERN, "latin"),
        ("hp-roman8", "hp_roman8", WESTERN, "latin"),
        ("mac-iceland", "mac_iceland", WESTERN, "latin"),
        ("cp852", "cp852", CENTRAL, "latin"),
        ("mac-latin2", "mac_latin2", CENTRAL, "latin"),
        ("cp775", "cp775", BALTIC, "latin"),
        ("cp857", "cp857", TURKISH, "latin"),
        ("mac-turkish", "mac_turkish", TURKISH, "latin"),
        ("cp720", "cp720", ARABIC, "single"),
        ("cp864", "cp864", ARABIC, "single"),
        ("cp737", "cp737", GREEK, "single"),
        ("cp869", "cp869", GREEK, "single"),
        ("mac-greek", "mac_greek", GREEK, "single"),
        ("cp856", "cp856", HEBREW, "single"),
        ("cp862", "cp862", HEBREW, "single"),
        ("cp1125", "cp1125", CYRILLIC, "single"),
        ("kz1048", "kz1048", KAZAKH, "single"),
        ("ptcp154", "ptcp154", KAZAKH, "single"),
        ("koi8-t", "koi8_t", CYRILLIC, "single"),
        ("cp424", "cp424", HEBREW, "ebcdic"),
        ("cp500", "cp500", WESTERN, "ebcdic"),
        ("cp875", "cp875", GREEK, "ebcdic"),
        ("cp1026", "cp1026", TURKISH, "ebcdic"),
        ("cp1140", "cp1140", WESTERN, "ebcdic"),
        ("cp273", "cp273", WESTERN, "ebcdic"),
    )
    return tuple(Encoding(name, codec, frozenset(often), family) for name, codec, often, family in rows)


BY_NAME = {encoding.name: encoding for encoding in _encodings()}

OTHER_LABELS = {
    "utf-8": "utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf-8n utf8mb4 cp65001",
    "utf-16le": "utf-16-le utf-16 utf16 unicode ucs-2 iso-10646-ucs-2 csunicode unicodefeff",
    "utf-16be": "utf-16-be unicodefffe",
    "utf-32le": "utf-32-le utf-32 utf32",
    "utf-32be": "utf-32-be",
    "iso-2022-jp": "csiso2022jp iso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-ms cp50220 cp50221 jis jis7",
    "iso-2022-kr": "csiso2022kr iso2022kr",
    "hz-gb-2312": "hz",
    "shift_jis": "ms932 sjis-win windows-31j cp932 cp943 cswindows31j",
    "euc-jp": "cseucpkdfmtjapanese x-euc-jp eucjp euc_jp eucjp-win eucjp-ms cp51932 ujis x-eucjp",
    "gb18030": "gbk gb2312 gb_2312 gb_2312-80 gb-2312 x-gbk cp936 ms936 windows-936 chinese csgb2312 csiso58gb231280"
    " iso-ir-58 euc-cn euccn gb18030-2000",
    "big5": "big5-hkscs big5hkscs cn-big5 csbig5 x-x-big5 big-5 cp950 ms950 windows-950",
    "euc-kr": "euckr euc_kr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 ks_c_5601 ks-c-5601 korean cseuckr"
    " csksc56011987 iso-ir-149 windows-949 cp949 ms949 uhc x-euc-kr x-windows-949",
    "windows-1252": "iso-8859-1 iso8859-1 iso_8859-1 iso88591 iso_8859-1:1987 latin1 latin-1 l1 ascii us-ascii"
    " ansi_x3.4-1968 cp1252 x-cp1252 cp819 ibm819 csisolatin1 iso-ir-100",
    "windows-1254": "iso-8859-9 iso8859-9 iso_8859-9 iso88599 latin5 l5 cp1254 x-cp1254 csisolatin5 iso-ir-148"
    " iso_8859-9:1989",
    "windows-874": "iso-8859-11 iso8859-11 iso885911 dos-874 cp874",
    "iso-8859-15": "iso8859-15 iso_8859-15 iso885915 csisolatin9 l9 latin9 latin-9",
    "macintosh": "mac csmacintosh x-mac-roman macroman",
    "windows-1250": "cp1250 x-cp1250",
    "iso-8859-2": "iso8859-2 iso_8859-2 iso88592 latin2 l2 csisolatin2 iso-ir-101 iso_8859-2:1987",
    "windows-1251": "cp1251 x-cp1251 win-1251 win1251 windows1251",
    "koi8-r": "koi koi8 koi8_r cskoi8r",
    "koi8-u": "koi8-ru",
    "ibm866": "866 cp866 csibm866",
    "iso-8859-5": "iso8859-5 iso_8859-5 iso88595 cyrillic csisolatincyrillic iso-ir-144 iso_8859-5:1988",
    "x-mac-cyrillic": "x-mac-ukrainian maccyrillic",
    "windows-1253": "cp1253 x-cp1253",
    "iso-8859-7": "iso8859-7 iso_8859-7 iso88597 greek greek8 elot_928 ecma-118 csisolatingreek iso-ir-126"
    " sun_eu_greek iso_8859-7:1987",
    "windows-1255": "cp1255 x-cp1255",
    "iso-8859-8": "iso-8859-8-i iso-8859-8-e iso8859-8 iso_8859-8 iso88598 hebrew visual logical csisolatinhebrew"
    " csiso88598e csiso88598i iso-ir-138 iso_8859-8:1988",
    "windows-1256": "cp1256 x-cp1256",
    "iso-8859-6": "iso8859-6 iso_8859-6 iso88596 arabic asmo-708 ecma-114 csisolatinarabic iso-ir-127"
    " csiso88596e csiso88596i iso-8859-6-e iso-8859-6-i iso_8859-6:1987",
    "windows-1257": "cp1257 x-cp1257",
    "iso-8859-4": "iso8859-4 iso_8859-4 iso88594 latin4 l4 csisolatin4 iso-ir-110 iso_8859-4:1988",
    "iso-8859-13": "iso8859-13 iso885913",
    "iso-8859-3": "iso8859-3 iso_8859-3 iso88593 latin3 l3 csisolatin3 iso-ir-109 iso_8859-3:1988",
    "iso-8859-10": "iso8859-10 iso885910 latin6 l6 csisolatin6 iso-ir-157",
    "iso-8859-14": "iso8859-14 iso885914",
    "windows-1258": "cp1258 x-cp1258",
}
BY_LABEL = BY_NAME | {label: BY_NAME[name] for name, labels in OTHER_LABELS.items() for label in labels.split()}
BY_LABEL |= {
    label: replace(BY_NAME[name], strict=codec)
    for name, codec, labels in (
        ("shift_jis", "shift_jis", "shift_jis csshiftjis ms_kanji shift-jis shiftjis sjis x-sjis"),
        ("windows-874", "tis_620", "tis-620 tis620"),
    )
    for label in labels.split()
}


def encoding_of(label: str | None) -> Encoding | None:
    """The encoding that a label names; None if it names none."""
    return BY_LABEL.get((label or "").strip(" \t\r\n\f\"'").lower())


HANDLERS = {"euc-jp": "corpusforge.jis", "iso-2022-jp": "corpusforge.jis", "big5": "corpusforge.big5"}
MENDED = {"gb18030": GB18030, "koi8-u": KOI8_U, "shift_jis": CP932}
_MENDED = {name: re.compile(f"[{''.join(map(chr, table))}]") for name, table in MENDED.items()}


def decode(encoding: Encoding, data: bytes) -> str:
    """Decode, with U+FFFD for what cannot be."""
    if encoding.strict:
        try:
            return data.decode(encoding.strict)
        except UnicodeDecodeError:
            pass
    try:
        text = data.decode(encoding.codec)
    except UnicodeDecodeError:
        text = data.decode(encoding.codec, errors="replace")
        # A handler in Python takes 2 µs an error, so it is not for what is no text at all.
        if encoding.name in HANDLERS and text.count("\ufffd") <= max(1000, len(data) // 20):
            text = data.decode(encoding.codec, errors=HANDLERS[encoding.name])
    # Looked for first: translating takes 50 ns a character.
    mended = encoding.name in MENDED and _MENDED[encoding.name].search(text)
    return text.translate(MENDED[encoding.name]) if mended else text
