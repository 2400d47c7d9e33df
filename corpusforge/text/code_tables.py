"""Characters that Python's codecs lack or map differently from the tables of the WHATWG Encoding Standard."""

import codecs

_BIG5 = (
    "877a㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏遆㓦珄𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈"
    "䆁𥶙箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋 8e69箸 8e6f簆 8e7e糎 8eab緒 8eb4縝 8ecd者 8ed0耨 8f57菁 8f69蒨 8f6e"
    "萏 8fcb覦覩 8ffe起 906d都 907a銹 90dc靜 90f1響 91bf鼖 9244蔃 92af兙兛兝兞 92c8鍮 92d1瑹 9447浧 94ca禛 95"
    "d9邗 9644靝 96ed瀞 96fc嬨 9b76爁 9b78矗 9b7b纇 9bc6駖 9bde釔 9bec惞 9bf6澶 9c42輶 9c53侻 9c62營 9c68鄄 9"
    "c6b鷰 9c77菏 9cbc尐秣 9cd0婧 9d57輋 9d5a筑 9dc4拐 9ea9恢 9eef痹 9efd汊 9f60鬮 9f66鼗 9fcb僭 9fd8弌 a063蠏"
    " a077拎 a0d5瑨 a0df煢 a0e4牐 a3c0␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡€ c6cf廴 c6d3无 c6d5癶 c6d7隶 c6de〃仝"
    " fa5f倩 fa66偽 fabd包 fac5卄 fad5卿 fb48嘅 fbb8婷 fbf3幵 fbf9廐 fc4f彘 fc6c悤 fcb9撐 fce2晴 fcf1杞 fdb7沜"
    "渝 fdbb港 fdf1煮 fe52猪 fe6f瑜 feaa瓩 fedd砉 "
)
"""Codes of Big5-HKSCS that ``big5hkscs`` lacks, each group by its first code."""

GB18030 = str.maketrans(
    "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7"
    "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "\u3000\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f"
    "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
)
"""Private characters that ``gb18030`` gives for what Unicode has by now."""
KOI8_U = str.maketrans("╝╬", "ўЎ")
CP932 = dict.fromkeys(range(0xF8F0, 0xF8F4), 0xFFFD)
"""What ``cp932`` makes of the bytes A0, FD, FE and FF, which mean nothing."""


def _big5_codes() -> dict[bytes, str]:
    """Each code with its character; trails run from 40 to 7E and from A1 to FE."""
    found: dict[bytes, str] = {}
    for group in _BIG5.split():
        lead, trail = bytes.fromhex(group[:4])
        for character in group[4:]:
            found[bytes((lead, trail))] = character
            trail = trail + 1 if trail != 0x7E else 0xA1
    return found


_BIG5_CODES = _big5_codes()


def _failed(error: UnicodeError) -> UnicodeDecodeError:
    if isinstance(error, UnicodeDecodeError):
        return error
    raise error


def _big5(error: UnicodeError) -> tuple[str | bytes, int]:
    at = _failed(error).start
    text = _BIG5_CODES.get(bytes(_failed(error).object[at : at + 2]))
    return ("\ufffd", at + 1) if text is None else (text, at + 2)


def _jis(error: UnicodeError) -> tuple[str | bytes, int]:
    """Read NEC and IBM extension characters, which cp932 has and Python's other Japanese codecs lack."""
    at = _failed(error).start
    row, cell = (byte & 0x7F for byte in (_failed(error).object[at : at + 2] + b"\0\0")[:2])
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return "\ufffd", at + 1
    lead = (row - 0x21 >> 1) + (0x81 if row < 0x5F else 0xC1)
    trail = cell + 0x7E if row % 2 == 0 else cell + (0x1F if cell < 0x60 else 0x20)
    text = bytes((lead, trail)).decode("cp932", errors="replace")
    return (text, at + 2) if len(text) == 1 and text != "\ufffd" else ("\ufffd", at + 1)


codecs.register_error("corpusforge.big5", _big5)
codecs.register_error("corpusforge.jis", _jis)
