"""Pages for the extractor's tests: articles in many languages between menus and footers."""

TEXTS = {
    "ja": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。",
    "en": "It was a bright cold day in April, and the clocks were striking thirteen. Nobody in the street looked up.",
    "zh": "今天天气很好，我们去公园散步。孩子们在草地上跑来跑去，老人坐在长椅上聊天，看着远处的山。",
    "ko": "오늘은 날씨가 매우 좋습니다. 우리는 공원으로 산책을 갔습니다. 아이들은 잔디밭에서 뛰어놀았습니다.",
    "th": "วันนี้อากาศดีมาก เราไปเดินเล่นที่สวนสาธารณะ เด็กๆ วิ่งเล่นบนสนามหญ้า คนแก่นั่งคุยกันบนม้านั่ง",
    "ar": "كان الطقس جميلا اليوم، فذهبنا إلى الحديقة. كان الأطفال يلعبون على العشب، والكبار يتحدثون على المقاعد.",
    "hi": "आज मौसम बहुत अच्छा है। हम पार्क में टहलने गए। बच्चे घास पर खेल रहे थे और बूढ़े लोग बेंच पर बातें कर रहे थे।",
}
MENU = "".join(
    f'<li><a href="/{n}">{name}</a></li>' for n, name in enumerate(("Home", "News", "About", "Contact", "RSS"))
)


def article(lang: str, paragraphs: int = 6, extra: str = "") -> str:
    """A page with a headline and paragraphs of one language."""
    body = "".join(f"<p>{TEXTS[lang]} {n}</p>" for n in range(paragraphs))
    return f"""<!DOCTYPE html><html lang="{lang}"><head><title>{TEXTS[lang][:20]} | Site</title></head><body>
<header class="site-header"><nav class="menu"><ul>{MENU}</ul></nav></header>
<main><article class="post"><h1>{TEXTS[lang][:20]}</h1>
{body}{extra}</article></main>
<aside class="sidebar widget"><h3>Links</h3><ul>{MENU}</ul></aside>
<footer class="footer"><p>Copyright 2026 Site. <a href="/privacy">Privacy</a></p></footer></body></html>"""
