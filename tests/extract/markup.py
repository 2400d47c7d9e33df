"""Bytes that look like HTML, for property tests."""

from hypothesis import strategies as st

_ELEMENTS = (
    "p div a li ul td tr table b script style title textarea svg pre br ruby rt x-own select noscript iframe h1 img"
)
NAMES = _ELEMENTS.split()
_TAGS = [f"<{name}>" for name in NAMES] + [f"</{name}>" for name in NAMES]
_SIGNS = ["<", ">", "</", "<!--", "-->", "<!doctype html>", "<?", "<a href='", '<p class="', '"', "'", "=", "/>"]
_SIGNS += ["<![CDATA[", "]]>", "&amp;", "&nbsp;", "&#x3042;", "&#99999999;", "&", ";", "\0", "\r\n", "\t"]
_TEXTS = ["日本語の文章。", "ไทย", "हिन्दी।", "العربية؟", "한국어 문장.", "A sentence, of words. "]
_WITH_ATTRIBUTES = '<{} class="{}" id={} style="display:none">'.format
_PIECES = st.one_of(
    st.sampled_from(_TAGS),
    st.sampled_from(_SIGNS),
    st.builds(_WITH_ATTRIBUTES, st.sampled_from(NAMES), st.text(max_size=12), st.text(max_size=5)),
    st.text(max_size=30),
    st.sampled_from(_TEXTS),
)
markup = st.lists(_PIECES, max_size=60).map(lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass"))
"""Markup, well formed or not, in UTF-8."""
anything = st.one_of(markup, st.binary(max_size=300), st.tuples(markup, st.binary(max_size=20)).map(b"".join))
