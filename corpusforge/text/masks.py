"""Find e-mail addresses, IP addresses and phone numbers in a text.

Offsets are code points. Every expression works on a short window or on a run of digits, so that no text makes a
search quadratic; which windows are worth it a compiled pass says (``text/mask_places.py``).
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from corpusforge.text.mask_places import MaskPlaces, mask_places
from corpusforge.text.words import codes

Found = tuple[int, int, str]

_NARROW = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−ーｰ─"), "-")
_DIGITS = str.maketrans({**_NARROW, **_DASHES})
"""Full-width forms to ASCII, one code point for one, so that offsets hold; dashes only where digits are compared."""

MOST_LOCAL = 64
MOST_DOMAIN = 255
_AT = re.compile(
    r"[@＠]|[ 　]?[\[(（［【<＜{][ 　]?(?:at|AT|アットマーク|アット|あっと|@|＠)[ 　]?[\])）］】>＞}][ 　]?| at "
)
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}([A-Za-z]{2,24})(?![A-Za-z0-9-])")
_FILE = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "html", "htm", "php"))
_OPENERS = ":：(（[「『【<＜・|/,、。"


def emails(text: str, places: MaskPlaces) -> list[Found]:
    """Addresses, also with a full-width ＠, ``[at]``, ``（アット）`` and, after a label or a script without spaces,
    `` at ``."""
    found: list[Found] = []
    for at, end in _ats(text, places):
        window = text[max(0, at - MOST_LOCAL) : at].translate(_NARROW)
        local = window[len(window.rstrip(_LOCAL)) :].lstrip(".%+-_")
        start = at - len(local)
        domain = _DOMAIN.match(text[end : end + MOST_DOMAIN].translate(_NARROW))
        if not local or local == "git" or not domain or domain[1].lower() in _FILE:
            continue
        if found and start < found[-1][1]:
            continue
        if text[at:end] == " at " and not _labelled(text, start):
            continue
        found.append((start, end + domain.end(), "EMAIL"))
    return found


def _ats(text: str, places: MaskPlaces) -> list[tuple[int, int]]:
    """Start and end of each at-sign; one in brackets may take a space from another, so there the text is searched."""
    if places.bracketed:
        return [at.span() for at in _AT.finditer(text)]
    return [(at, at + (4 if text[at] == " " else 1)) for at in places.ats.tolist()]


def _labelled(text: str, start: int) -> bool:
    """Whether a label or a script without spaces stands before: "連絡先 taro at …", but not "look at example.com"."""
    before = text[max(0, start - 4) : start].rstrip(" \u3000")[-1:]
    return before in _OPENERS if before.isascii() or not before.isalpha() else True


_V4 = re.compile(r"(?<![0-9A-Za-z_.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z_]|\.[0-9]|-[0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![0-9A-Za-z:])")
_VERSION = re.compile(
    r"(?:v|ver|version|release|rev|build|firmware|バージョン|版|第|§|[=<>~^]=)[.:：]?[ 　]?\Z", re.IGNORECASE
)
# This network, private, shared, loopback, link-local, protocol, documentation, 6to4, benchmarks, net masks.
_SPECIAL_V4 = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 255.0.0.0/8"
)
_NOT_PUBLIC = tuple(map(ipaddress.IPv4Network, _SPECIAL_V4.split()))


def ips(text: str, places: MaskPlaces) -> list[Found]:
    """Public IPv4 addresses (RFC 6890 leaves out private, loopback, documentation …) and global IPv6 addresses.

    What ends in 0 or is small throughout (under 16, then under 32) is left: that is a version, a section or a network.
    """
    fours = (_V4.match(text, at) for at in places.fours.tolist())
    found = [(at.start(), at.end(), "IP") for at in fours if at and _is_v4(text, at)]
    if places.sixes:
        found += [(at.start(), at.end(), "IP") for at in _V6.finditer(text) if _is_v6(at[0])]
    return found


def _is_v4(text: str, at: re.Match[str]) -> bool:
    octets = at[0].split(".")
    numbers = [int(part) for part in octets]
    if max(numbers) > 255 or any(len(part) > 1 and part[0] == "0" for part in octets):
        return False
    if numbers[3] == 0 or (numbers[0] < 16 and max(numbers) < 32):
        return False
    if _VERSION.search(text[max(0, at.start() - 12) : at.start()]):
        return False
    address = ipaddress.IPv4Address(at[0])
    return not any(address in net for net in _NOT_PUBLIC)


def _is_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return address not in ipaddress.IPv6Network("2001:db8::/32")


_EDGE = r"(?:(?<![0-9A-Za-z_+])(?<![0-9A-Za-z][-=])(?<![0-9][.,/])|(?<=TEL|Tel|tel|FAX|Fax|fax))"
_END = r"(?![0-9A-Za-z_]|[-.,/=][0-9])"
_PHONE = re.compile(
    _EDGE + r"(?:"
    # Abroad: +81-90-1234-5678, +81 (0)3 1234 5678, +1 (555) 123-4567; 8 to 15 digits (ITU-T E.164).
    r"(?P<abroad>\+[1-9][0-9]{0,2}(?:[ .-]?(?:\([0-9]{1,4}\)|[0-9]{1,4})){2,5})"
    # Japan, by the digits of area code, exchange and line; the sum is checked in ``_is_phone``.
    r"|(?P<japan>\(0[0-9]{1,4}\)[ -]?[0-9]{1,4}[ -][0-9]{4}|0[0-9]{1,4}\([0-9]{1,4}\)[ -]?[0-9]{4}"
    r"|0[0-9]{1,4}(?P<gap>[ .-])[0-9]{1,4}(?P=gap)[0-9]{3,4}|0[0-9]{2,3}-[0-9]{7,8}|0[0-9]{9,10})"
    # France: 01 23 45 67 89.
    r"|(?P<france>0[1-9](?P<dot>[ .])[0-9]{2}(?P=dot)[0-9]{2}(?P=dot)[0-9]{2}(?P=dot)[0-9]{2}(?! [0-9a-f]{2}\b))"
    # North America: (555) 123-4567, 1-800-555-1234, 555.123.4567.
    r"|(?P<america>(?:1[ .-])?(?:\([2-9][0-9]{2}\)[ -]?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[.-][0-9]{4})"
    r")" + _END
)
_NUMBERED = re.compile(
    r"(?:ISBN|ISSN|JAN|EAN|ASIN|No\.?|№|番号札|注文番号|品番|型番)[-:：0-9 　]{0,6}\Z", re.IGNORECASE
)
_SHORT_CODES = ("0120", "0570", "0800", "0990", "0180", "0170")
_MOBILE = re.compile("0[1-9]0")


def phones(text: str, places: MaskPlaces) -> list[Found]:
    """Phone numbers: Japan in every usual spelling, with country codes (+NN), North America, France."""
    found: list[Found] = []
    for run_start, run_end in places.runs.tolist():
        first = max(0, run_start - 3)
        window = text[first : run_end + 2].translate(_DIGITS)
        for at in _PHONE.finditer(window):
            start = first + at.start()
            if _is_phone(at) and not _NUMBERED.search(text[max(0, start - 14) : start]):
                found.append((start, first + at.end(), "PHONE"))
    return found


def _is_phone(at: re.Match[str]) -> bool:
    digits = re.sub("[^0-9]", "", at[0])
    if at["abroad"]:
        return 8 <= len(digits) <= 15
    if not at["japan"]:
        return True
    groups = [len(group) for group in re.findall("[0-9]+", at[0])]
    if digits[1] == "0":
        return False
    if digits.startswith(_SHORT_CODES):
        return (len(digits) == 10 and groups in ([4, 3, 3], [4, 2, 4], [10], [4, 6])) or (
            len(digits) == 11 and digits.startswith("0800") and groups in ([4, 3, 4], [11])
        )
    if len(digits) == 11:
        return bool(_MOBILE.match(digits)) and groups in ([3, 4, 4], [11], [3, 8])
    return len(digits) == 10 and groups in ([2, 4, 4], [3, 3, 4], [4, 2, 4], [5, 1, 4], [10], [3, 7])


def find(text: str, kinds: Sequence[str] = ("EMAIL", "IP", "PHONE")) -> list[Found]:
    """Places ``(start, end, kind)`` in order, none overlapping; the earlier, then the longer one stands."""
    places = mask_places(codes(text))
    found = emails(text, places) if "EMAIL" in kinds else []
    found += ips(text, places) if "IP" in kinds else []
    found += phones(text, places) if "PHONE" in kinds else []
    clear: list[Found] = []
    for place in sorted(found, key=lambda at: (at[0], -at[1])):
        if not clear or place[0] >= clear[-1][1]:
            clear.append(place)
    return clear


def moved(offset: int, found: Iterable[Found], widths: dict[str, int]) -> int:
    """Where ``offset`` comes to lie when every place is replaced by a mask of ``widths[kind]`` code points.

    An offset inside a place moves to the start of its mask.
    """
    shift = 0
    for start, end, kind in found:
        if offset <= start:
            break
        if offset < end:
            return start + shift
        shift += widths[kind] - (end - start)
    return offset + shift
