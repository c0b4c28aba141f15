"""What mail programs do to HTML, rule by rule: each says where it is known from.

The clients that matter here: QQ Mail, 163, Outlook (whose Windows program draws with Word), Gmail, Apple Mail. None
of them can be asked in a test, so the digests are held against what others found out about them.
caniemail.com: the state of June 2026. A mail that breaks no rule is drawn in a browser at the end, whole and as
QQ Mail leaves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from lxml import etree
from lxml import html as tree
from lxml.html import HtmlElement
from playwright.sync_api import Browser, Error, Page, sync_playwright

from syndicate.model import Rhythm
from syndicate.render import digest
from tests.conftest import optional
from tests.render import digests, paper
from tests.render.digests import LEAVE, MANAGE

CHROMIUM = "/usr/bin/chromium"


@dataclass(frozen=True)
class Sent:
    """The HTML of one digest."""

    html: str

    @cached_property
    def root(self) -> HtmlElement:
        return tree.fromstring(self.html)

    @property
    def body(self) -> HtmlElement:
        (found,) = self.root.iter("body")
        return found

    def all(self, *tags: str) -> Iterator[HtmlElement]:
        """The elements, of these tags or of any, that a reader sees."""
        for element in self.body.iter(*tags):
            if isinstance(element.tag, str) and not any(e.get("class") == "hidden" for e in _up(element)):
                yield element

    def texts(self) -> Iterator[HtmlElement]:
        """The elements that directly hold text which a reader sees."""
        for element in self.all():
            if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
                yield element


def _up(element: HtmlElement) -> Iterator[HtmlElement]:
    yield element
    yield from element.iterancestors()


def style(element: HtmlElement) -> dict[str, str]:
    """The declarations in its style attribute."""
    pairs = (pair.split(":", 1) for pair in element.get("style", "").split(";") if pair.strip())
    return {name.strip(): value.strip() for name, value in pairs}


def inherited(element: HtmlElement, name: str) -> str | None:
    """The value that stands in its own style or in that of what it stands in, the nearest first."""
    return next((style(e)[name] for e in _up(element) if name in style(e)), None)


def pixels(value: str | None) -> int:
    found = re.fullmatch(r"(\d+)px", value or "")
    assert found, value
    return int(found.group(1))


@pytest.fixture(scope="module")
def sent() -> tuple[Sent, ...]:
    """Digests of every kind: with everything, huge, empty, hostile."""
    ordinary = [
        digests.full(),
        digests.full("en"),
        digests.full(rhythm=Rhythm.WEEKLY),
        digests.corrections(),
        digests.long(150),
    ]
    return tuple(Sent(digest.html(made, LEAVE, MANAGE)) for made in (*ordinary, *digests.hard()))


# ── what is drawn at all ─────────────────────────────────────────────────────────────────


def test_nothing_runs_is_filled_in_or_played(sent: tuple[Sent, ...]) -> None:
    # Gmail and Outlook drop svg, video, link; Outlook drops forms:
    # https://www.caniemail.com/features/html-svg/ …/html-video/ …/html-link/ …/html-form/
    for mail in sent:
        for element in mail.root.iter(etree.Element):
            assert element.tag not in {
                *("script", "link", "base", "iframe", "object", "embed", "form", "input", "button", "select"),
                *("svg", "video", "audio", "canvas", "marquee", "picture", "template"),
            }
            assert not [name for name in element.attrib if name.startswith("on")]


def test_nothing_is_fetched_but_pictures(sent: tuple[Sent, ...]) -> None:
    # Gmail removes @font-face and @import: https://www.caniemail.com/features/css-at-font-face/ …/css-at-import/
    for mail in sent:
        assert not re.search(r"url\(|@import|@font-face|background=|srcset=", mail.html)


def test_rows_of_tables_hold_everything(sent: tuple[Sent, ...]) -> None:
    # Word lays out nothing but tables: https://www.hteumeuleu.com/2020/outlook-rendering-engine/ ;
    # QQ Mail and 163 drop what divs would need for it: https://segmentfault.com/a/1190000008864116
    for mail in sent:
        outermost = [element.tag for element in mail.body if isinstance(element.tag, str)]
        assert outermost in (["table"], ["div", "table"])  # the div: what an inbox shows
        assert {element.tag for element in mail.all()} <= {
            *("table", "tbody", "tr", "td", "p", "h1", "h2", "h3", "a", "span", "img", "body"),
        }


def test_tables_are_for_layout_and_say_so(sent: tuple[Sent, ...]) -> None:
    # https://www.caniemail.com/features/html-role/ ; the attributes because Word and QQ Mail have their own defaults
    for mail in sent:
        for table in mail.all("table"):
            told = {name: table.get(name) for name in ("role", "cellpadding", "cellspacing", "border")}
            assert told == {"role": "presentation", "cellpadding": "0", "cellspacing": "0", "border": "0"}


def test_the_sheet_is_600_wide_at_most_for_word_too(sent: tuple[Sent, ...]) -> None:
    # Word keeps max-width on tables only and not reliably there: a table of fixed width in a comment for it.
    # https://www.caniemail.com/features/css-max-width/
    for mail in sent:
        assert '<!--[if mso]><table role="presentation" width="600"' in mail.html
        assert mail.html.count("<!--[if mso]>") == mail.html.count("<![endif]-->") == 3
        for element in mail.all():
            if "max-width" in style(element):
                assert element.tag in ("table", "img")
                assert pixels(style(element)["max-width"]) <= 600
            if (width := element.get("width")) and width != "100%":
                assert 0 < int(width) <= 600


# ── what of CSS is kept ──────────────────────────────────────────────────────────────────

# What QQ Mail, 163, Gmail, Outlook.com and Apple Mail all keep in a style attribute; Word ignores box-sizing,
# white-space and word-break, and draws the same without them. https://www.caniemail.com/features/css-…/
KEPT = {
    *("margin", "padding", "border", "border-top", "border-bottom", "border-collapse", "background-color"),
    *("color", "font-family", "font-size", "font-weight", "line-height", "letter-spacing", "text-align"),
    *(
        "text-decoration",
        "width",
        "max-width",
        "height",
        "display",
        "box-sizing",
        "white-space",
        "word-break",
    ),
    *("mso-padding-alt", "-webkit-text-size-adjust"),
}


def test_only_properties_that_all_of_them_keep(sent: tuple[Sent, ...]) -> None:
    # position and float are filtered by QQ Mail and 163 (https://segmentfault.com/a/1190000008864116) and by Gmail
    # (https://www.caniemail.com/features/css-position/); flex and grid unknown to Word (…/css-display-flex/).
    for mail in sent:
        for element in mail.all():
            assert set(style(element)) <= KEPT
            assert style(element).get("display", "block") in ("block", "inline-block")


def test_lengths_are_pixels_and_colours_have_six_digits(sent: tuple[Sent, ...]) -> None:
    # Word knows neither rem nor var() nor rgba(); for rgb with blanks Gmail drops the whole attribute:
    # https://www.caniemail.com/features/css-unit-rem/ …/css-variables/ …/css-rgba/
    for mail in sent:
        for element in mail.all():
            for value in style(element).values():
                assert not re.search(r"\d(?:r?em|v[wh]|pt|ch)\b|\(|!important", value), value
                assert all(len(colour) == 7 for colour in re.findall(r"#\w+", value)), value


def test_margins_are_neither_negative_nor_auto(sent: tuple[Sent, ...]) -> None:
    # Gmail and Outlook know no negative ones, Word no auto: https://www.caniemail.com/features/css-margin/
    for mail in sent:
        assert not [e for e in mail.all() if re.search(r"-\d|auto", style(e).get("margin", ""))]


def test_cells_are_padded_and_nothing_else_is_for_word(sent: tuple[Sent, ...]) -> None:
    # https://www.caniemail.com/features/css-padding/ ; a button's cell therefore has Word's own mso-padding-alt:
    # https://www.goodemailcode.com/email-enhancements/mso-styles
    for mail in sent:
        for element in mail.all():
            if "padding" in style(element) and element.tag not in ("td", "body"):
                assert element.get("class") == "button"
                assert style(element)["padding"] == style(next(element.iterancestors()))["mso-padding-alt"]


def test_borders_are_cells_and_thin(sent: tuple[Sent, ...]) -> None:
    # On p and div Word is unreliable, and none is wider than 8 pixels: https://www.caniemail.com/features/css-border/
    for mail in sent:
        for element in mail.all():
            for name in ("border", "border-top", "border-bottom"):
                if name in style(element):
                    assert element.tag in ("td", "img")
                    assert int(style(element)[name].split("px")[0]) <= 8


def test_the_style_block_is_one_that_gmail_keeps(sent: tuple[Sent, ...]) -> None:
    # In the head only, 16 KB in all, no @ within an @, and nothing is lost without it:
    # https://www.caniemail.com/features/html-style/ https://github.com/hteumeuleu/email-bugs/issues/90 …/issues/21
    for mail in sent:
        (block,) = mail.root.iter("style")
        rules = block.text or ""
        assert next(block.iterancestors()).tag == "head"
        assert len(rules.encode()) < 8192  # half: what Gmail's limit was before 2017
        assert "<" not in rules
        assert "/*" not in rules
        whole = re.findall(r"@media[^{]*\{(?:[^{}@]*\{[^{}@]*\})*[^{}@]*\}", rules)
        assert len(whole) == rules.count("@") == 2


def test_every_text_has_its_font_size_and_colour_with_it(sent: tuple[Sent, ...]) -> None:
    # QQ Mail shows the body without <style> and classes: https://developer.aliyun.com/article/1492633 ;
    # so does 163: https://segmentfault.com/a/1190000008864116 ; Gmail with accounts of others:
    # https://www.caniemail.com/features/html-style/
    for mail in sent:
        for element in mail.texts():
            for name in ("font-family", "font-size", "line-height", "color", "background-color"):
                assert inherited(element, name), (name, tree.tostring(element)[:200])
            # Links do not inherit their colour: each client has its own.
            if element.tag == "a":
                assert "color" in style(element)
                assert "text-decoration" in style(element)


def test_the_ground_is_a_table_s_not_only_the_body_s(sent: tuple[Sent, ...]) -> None:
    # What stands outside the body's contents is replaced by webmail: https://developer.aliyun.com/article/1492633
    for mail in sent:
        (outermost,) = mail.root.xpath("/html/body/table")
        assert style(outermost)["background-color"] == style(mail.body)["background-color"]


# ── reading ──────────────────────────────────────────────────────────────────────────────


def test_nothing_is_smaller_than_14_pixels(sent: tuple[Sent, ...]) -> None:
    # Most body text below the browsers' 16 pixels has 14; 11 to 13 is what one has to zoom into:
    # https://stylecampaign.com/blog/2018/08/small-text-and-accessibility-in-email
    for mail in sent:
        for element in mail.texts():
            size, height = (pixels(inherited(element, name)) for name in ("font-size", "line-height"))
            assert size >= 14
            assert 1.1 <= height / size <= 1.8


def test_every_font_stack_has_chinese_fonts_and_ends_generically(sent: tuple[Sent, ...]) -> None:
    # Web fonts are removed (https://www.caniemail.com/features/css-at-font-face/): what macOS, iOS and Windows have.
    for mail in sent:
        for element in mail.texts():
            stack = [name.strip() for name in (inherited(element, "font-family") or "").split(",")]
            assert stack[-1] in ("serif", "sans-serif")
            assert {"PingFang SC", "Songti SC", "Georgia"} & set(stack)
            assert "'" not in "".join(stack)
            assert '"' not in "".join(stack)
        # Word takes Times New Roman where it does not know the first font of a stack.
        assert '<!--[if mso]><xml xmlns:o="urn:schemas-microsoft-com:office:office">' in mail.html
        assert 'font-family:"Microsoft YaHei",Arial' in mail.html


def test_links_can_be_hit_with_a_thumb(sent: tuple[Sent, ...]) -> None:
    # WCAG 2.2, 2.5.8: 24 pixels; for the one thing to press 44, as 2.5.5 and Apple want it.
    for mail in sent:
        for link in mail.all("a"):
            assert link.find("img") is not None or pixels(inherited(link, "line-height")) >= 24
            if link.get("class") == "button":
                assert (
                    2 * pixels(style(link)["padding"].split()[0]) + pixels(style(link)["line-height"]) >= 44
                )


def test_pictures_have_sizes_words_and_no_gap(sent: tuple[Sent, ...]) -> None:
    # Clients block pictures at first, Word takes its size from the attributes, and inline pictures get a gap below:
    # https://www.caniemail.com/features/html-img/ …/css-width/ ; QQ Mail and 163 hide them from strangers:
    # https://cnblogs.com/xcr1234/p/10697004.html
    seen = 0
    for mail in sent:
        for image in mail.all("img"):
            seen += 1
            assert image.attrib["src"].startswith("https://")
            assert "alt" in image.attrib
            assert int(image.attrib["width"]) > 0
            assert int(image.attrib["height"]) > 0
            assert {"display": "block", "height": "auto"}.items() <= style(image).items()
            assert style(image)["max-width"] == f"{image.get('width')}px"
            assert pixels(inherited(image, "font-size")) >= 14  # of its words
    assert seen > 5


def test_languages_are_named(sent: tuple[Sent, ...]) -> None:
    # WCAG 2.2, 3.1.1 and 3.1.2; it also chooses Chinese glyphs: https://www.caniemail.com/features/html-lang/
    chinese, english = sent[0], sent[1]

    assert chinese.root.get("lang") == "zh-CN"
    assert english.root.get("lang") == "en"
    stories = [cell for cell in english.all("td") if (cell.get("class") or "").startswith("story")]
    assert {cell.get("lang") for cell in stories} == {"zh-CN"}


def test_the_head_says_what_it_is_before_anything_else(sent: tuple[Sent, ...]) -> None:
    # HTML 4.2.5.5: within the first 1024 bytes. A title for who opens the mail in a browser, nothing that iOS zooms,
    # no dates that iOS makes links of.
    for mail in sent:
        assert '<meta charset="utf-8">' in mail.html.encode()[:1024].decode(errors="ignore")
        assert mail.html.startswith("<!DOCTYPE html>")
        names = {meta.get("name"): meta.get("content") for meta in mail.root.iter("meta")}
        assert names["viewport"] == "width=device-width, initial-scale=1"
        assert "date=no" in (names["format-detection"] or "")
        assert "x-apple-disable-message-reformatting" in names
        assert mail.root.findtext("head/title")


def test_what_an_inbox_shows_comes_first_and_is_hidden(sent: tuple[Sent, ...]) -> None:
    # https://www.emailonacid.com/help-article/gmail-12-things-update/ (6); Word hides by mso-hide.
    for mail in sent[:5]:
        first = mail.body[0]
        assert first.tag == "div"
        assert style(first)["display"] == "none"
        assert style(first)["mso-hide"] == "all"
        assert len((first.text or "").strip()) > 10


def test_the_page_is_shown_whole_with_two_ways_out(sent: tuple[Sent, ...]) -> None:
    # https://github.com/hteumeuleu/email-bugs/issues/41 ; support.google.com/mail/answer/81126: a visible link
    for mail in sent:
        assert len(mail.html.encode()) < 102 * 1024
        assert [link.get("href") for link in mail.all("a")].count(LEAVE) == 2
        assert all(link.attrib["href"].startswith("https://") for link in mail.all("a"))


# ── dark mode ────────────────────────────────────────────────────────────────────────────


def test_dark_mode_is_declared_in_every_way_that_is_asked_for(sent: tuple[Sent, ...]) -> None:
    # Apple Mail 12 wants the meta tags, later ones the property: https://github.com/hteumeuleu/email-bugs/issues/104
    for mail in sent:
        names = {meta.get("name"): meta.get("content") for meta in mail.root.iter("meta")}
        assert names["color-scheme"] == names["supported-color-schemes"] == "light dark"
        assert ":root { color-scheme: light dark; supported-color-schemes: light dark; }" in mail.html
        assert "@media (prefers-color-scheme: dark)" in mail.html


def luminance(colour: tuple[int, ...]) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(ink: tuple[int, ...], ground: tuple[int, ...]) -> float:
    """WCAG 2.2, 1.4.3: 1 to 21."""
    light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: str | None) -> tuple[int, ...]:
    assert colour
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def test_text_can_be_read_as_it_is_and_when_a_client_inverts_it(sent: tuple[Sent, ...]) -> None:
    # WCAG 2.2, 1.4.3: 4.5. Gmail and the Outlooks for Windows and phones do not know prefers-color-scheme and turn
    # colours round themselves: https://www.caniemail.com/features/css-at-media-prefers-color-scheme/
    for mail in sent[:5]:
        for element in mail.texts():
            ink, ground = (rgb(inherited(element, name)) for name in ("color", "background-color"))
            inverted = [tuple(255 - c for c in colour) for colour in (ink, ground)]
            assert contrast(ink, ground) >= 4.5, (ink, ground)
            assert contrast(inverted[0], inverted[1]) >= 4.5, (ink, ground)


# ── drawn ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        optional(f"no browser: {CHROMIUM} is missing (apt-get install chromium)")
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except Error as e:
            optional(f"no browser: {CHROMIUM} does not start: {e.message.splitlines()[0]}")
            raise
        yield opened
        opened.close()


def drawn(browser: Browser, html: str, width: int, scheme: str = "light") -> Page:
    """The mail in a window of that width; no picture arrives."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
    page.route("**/*", lambda route: route.abort())
    page.set_content(html)
    return page


def as_qq_leaves_it(html: str) -> str:
    """Without <style>, classes and all that stands around the body's contents."""
    inside = html[html.index("<table") : html.rindex("</body>")]
    return f"<div>{re.sub(r' class=.[^>]*?. ?(?=[a-z>])', ' ', inside)}</div>"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_sticks_out_however_it_is_shown(browser: Browser, width: int) -> None:
    for made in (digests.full(), digests.saying("W" * 10_000), digests.saying("永" * 10_000)):
        html = digest.html(made, LEAVE, MANAGE)
        for shown in (html, as_qq_leaves_it(html)):
            page = drawn(browser, shown, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()


BUTTONS = ("阅读全部版面", "阅读各期报纸", "The whole issue online", "All issues online")

INKS = """() => [...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
  .map(e => {
    let ground = e;
    while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
    return [e.textContent.trim(), getComputedStyle(e).color, getComputedStyle(ground).backgroundColor];
  })"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_text_can_be_read_by_day_and_by_night(browser: Browser, scheme: str, language: str) -> None:
    for made in (digests.full(language), digests.long(150), paper.digest(language, Rhythm.WEEKLY)):
        page = drawn(browser, digest.html(made, LEAVE, MANAGE), 600, scheme)
        inks = page.evaluate(INKS)
        page.close()

        assert len(inks) > 20
        for text, ink, ground in inks:
            colours = [tuple(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, ground)]
            assert contrast(*colours) >= 4.5, (text, ink, ground)
            if text not in BUTTONS:
                assert (luminance(colours[1]) < 0.2) == (scheme == "dark"), (text, ground)


def test_in_qq_mail_it_looks_the_same_but_for_the_phone(browser: Browser) -> None:
    html = digest.html(digests.full(), LEAVE, MANAGE)
    sizes = (
        "[...document.querySelectorAll('h3, p, td')].map(e => [e.offsetLeft, e.offsetWidth, e.offsetHeight])"
    )

    whole, left = (drawn(browser, shown, 1280) for shown in (html, as_qq_leaves_it(html)))

    # Seven pixels at each side: there the window around the mail is the client's.
    heights = [[row[2] for row in page.evaluate(sizes)] for page in (whole, left)]
    assert heights[0] == heights[1]
    whole.close()
    left.close()
