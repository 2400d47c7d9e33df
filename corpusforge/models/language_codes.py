"""Codes of the languages that lid.176 tells apart, and a type for fields that name some of them."""

from dataclasses import fields
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, Field

UNDETERMINED = "und"
"""Language of a text without letters (ISO 639-2)."""
LABELS = """
af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de diq
dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is
it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl
my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh
si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi yo yue zh
"""
CODES = tuple(LABELS.split())
"""The 176 labels of the model: ISO 639-1 where a language has such a code, else mostly ISO 639-3."""
COUNTRIES = {
    **{"ae": "ar", "at": "de", "au": "en", "cn": "zh", "cz": "cs", "dk": "da", "ee": "et", "eg": "ar", "gb": "en"},
    **{"gr": "el", "il": "he", "ir": "fa", "jp": "ja", "kr": "ko", "kz": "kk", "mx": "es", "nb": "no", "rs": "sr"},
    **{"se": "sv", "tw": "zh", "ua": "uk", "us": "en", "vn": "vi", "iw": "he"},
}
"""Codes of countries, and older or narrower ones of languages, that are written for a language."""
LONGER = {
    **{"ara": "ar", "chi": "zh", "cmn": "zh", "deu": "de", "eng": "en", "fra": "fr", "fre": "fr", "ger": "de"},
    **{"hin": "hi", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "nld": "nl", "nob": "no", "pol": "pl"},
    **{"por": "pt", "rus": "ru", "spa": "es", "swe": "sv", "tha": "th", "tur": "tr", "ukr": "uk", "vie": "vi"},
    **{"zho": "zh", "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en"},
    **{"french": "fr", "german": "de", "hindi": "hi", "indonesian": "id", "italian": "it", "japanese": "ja"},
    **{"korean": "ko", "norwegian": "no", "polish": "pl", "portuguese": "pt", "russian": "ru", "spanish": "es"},
    **{"swedish": "sv", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi"},
}
"""Codes of three letters (ISO 639-2 and 639-3) and English names of the languages most asked for."""


def known_language(code: str) -> str:
    """The code, if it is one of the model's or ``und``; raises ``ValueError`` with the one that was likely meant."""
    if code == UNDETERMINED or code in CODES:
        return code
    meant = _meant(code.lower())
    cure = f"did you mean {meant!r}?" if meant else "write a code of ISO 639 that lid.176 knows, such as ja, en, zh"
    raise ValueError(f"unknown language {code!r}; {cure}")


def _meant(code: str) -> str:
    """The model's code for what was written with a region, a script, in capitals, or for a country or a name."""
    first = code.replace("_", "-").split("-")[0].strip()
    if first in CODES:
        return first
    names = [name for name in LONGER if len(name) > 3]
    near = get_close_matches(first, names, 1, cutoff=0.8)
    return {**COUNTRIES, **LONGER}.get(near[0] if near else first, "")


LanguageCode = Annotated[str, AfterValidator(known_language), Field(json_schema_extra={"enum": [*CODES, UNDETERMINED]})]
Languages = tuple[LanguageCode, ...]
"""Type of a field that names languages; stages with such a field ``keep`` must have one in common."""
Score = Annotated[float, Field(ge=0, le=1)]
"""How sure the model is."""


def kept_languages(stage: Any) -> tuple[str, ...]:
    """The languages that a stage keeps; empty where it keeps every one or knows none."""
    kept: tuple[str, ...] = next((stage.keep for f in fields(stage) if f.name == "keep" and f.type == Languages), ())
    return kept
