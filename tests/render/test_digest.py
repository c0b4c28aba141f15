from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from lxml import html as tree

from syndicate.model import (
    Article,
    Byline,
    Digest,
    DigestSection,
    Entry,
    Envelope,
    Rhythm,
    Section,
    Subscription,
    SubscriptionState,
)
from syndicate.render import digest
from tests.golden import Golden
from tests.render import hostile, paper
from tests.render.test_articles import everywhere

LEAVE = "https://news.example/qinglan/leave/" + "Ab3-_." * 30  # long, as signed tokens are
CONFIRM = "https://news.example/qinglan/confirm/" + "Ab3-_." * 12
ENVELOPE = Envelope(
    "reader@example.org", "syndicate@news.example", "<d1.x@qinglan.example>", LEAVE, paper.PRINTED
)
PENDING = Subscription(
    1,
    "qinglan",
    "reader@example.org",
    ("yaowen", "wenti"),
    Rhythm.ISSUE,
    "zh-CN",
    SubscriptionState.PENDING,
    paper.PRINTED,
)
KINDS = [("zh-CN", Rhythm.ISSUE), ("en", Rhythm.ISSUE), ("zh-CN", Rhythm.WEEKLY), ("en", Rhythm.WEEKLY)]


def received(message: EmailMessage) -> EmailMessage:
    """The message as it comes out of its bytes."""
    parsed = email.message_from_bytes(message.as_bytes(), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def header_lines(message: EmailMessage) -> list[bytes]:
    """The lines of the head as they go over the wire."""
    return message.as_bytes().split(b"\r\n\r\n", 1)[0].split(b"\r\n")


def links(page: str) -> list[str]:
    return [a.get("href", "") for a in tree.fromstring(page).iter("a")]


def long_digest(entries: int, sections: int = 3) -> Digest:
    """So many entries in so many sections."""
    article = Article(
        "一条不短的标题写满十四个字",
        kicker="引题也有这么长",
        byline=Byline(("何晓楠",)),
        paragraphs=("导语说得很细。" * 17,),
    )
    chosen = tuple(paper.entry(article, n) for n in range(1, entries + 1))
    made = tuple(DigestSection(Section(f"s{n}", f"栏目{n}"), chosen[n::sections]) for n in range(sections))
    return replace(paper.digest(), sections=made)


# ── what it says ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("language", "rhythm"), KINDS)
def test_a_digest_is_written_as_its_golden_files(language: str, rhythm: Rhythm, golden: Golden) -> None:
    contents = paper.digest(language, rhythm)

    golden(f"digests/{rhythm}.{language}.html", digest.html(contents, LEAVE).encode())
    golden(f"digests/{rhythm}.{language}.txt", digest.text(contents, LEAVE).encode())


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_confirmation_is_written_as_its_golden_file(language: str, golden: Golden) -> None:
    golden(
        f"digests/confirmation.{language}.eml", confirmation(replace(PENDING, language=language)).as_bytes()
    )


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_both_parts_tell_every_story_in_the_papers_order(kind: str) -> None:
    message = received(digest.message(paper.digest(), ENVELOPE))

    shown = part(message, kind)

    # Rows of the table come in this order; so do lines of the text.
    told = [
        "要闻",
        "两岸乡亲等了三十年",
        "何晓楠 郑文海",
        "沙洲段堤防加固提前完工",
        "文体",
        "石埠队挺进",
        "综合",
        "两所山村小学的午饭",
    ]
    places = [
        re.sub(r"<div class=.hidden.*?</div>", "", shown).index(words)
        for words in told
        if words != "两岸乡亲等了三十年"
    ]
    assert places == sorted(places)
    assert "两岸乡亲等了三十年" in shown
    assert all(paper.BASE + entry.path in shown for entry in paper.ENTRIES)


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_the_way_out_stands_at_top_and_bottom(kind: str) -> None:
    shown = part(received(digest.message(paper.digest(), ENVELOPE)), kind)

    first, last = shown.index(LEAVE), shown.rindex(LEAVE)

    assert first < shown.index("何晓楠") < last


def test_the_subject_names_day_and_first_headline() -> None:
    def subject(language: str, rhythm: Rhythm) -> str:
        return str(received(digest.message(paper.digest(language, rhythm), ENVELOPE))["Subject"])

    assert subject("zh-CN", Rhythm.ISSUE) == "青岚日报 11月16日：青溪二桥今起试通车"
    assert subject("en", Rhythm.ISSUE) == "Qinglan Daily, 16 November: 青溪二桥今起试通车"
    assert subject("zh-CN", Rhythm.WEEKLY) == "青岚日报一周选读（11月16日—11月17日）"
    assert subject("en", Rhythm.WEEKLY) == "Qinglan Daily, the week of 16 November to 17 November"


def test_a_digest_without_stories_can_be_previewed() -> None:
    empty = replace(paper.digest(), sections=(), issues=())

    assert "青岚日报" in digest.html(empty, LEAVE)
    assert str(digest.message(empty, ENVELOPE)["Subject"]) == "青岚日报"


# ── how large ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("entries", [30, 90, 300, 2000])
def test_a_long_digest_stays_below_what_gmail_shows(entries: int) -> None:
    page = digest.html(long_digest(entries), LEAVE)

    assert len(page.encode()) <= digest.HTML_BYTES < 102 * 1024
    assert page.count(LEAVE) == 2


def test_what_is_not_told_is_named_and_what_is_not_named_is_counted() -> None:
    named, counted = digest.html(long_digest(150), LEAVE), digest.html(long_digest(2000), LEAVE)

    assert named.count("一条不短的标题写满十四个字") == 150
    assert 9 < named.count("导语说得很细。" * 17) < 150
    left = [int(n) for n in re.findall(r"还有 (\d+) 篇", counted)]
    assert len(left) == 3
    assert counted.count("一条不短的标题写满十四个字") + sum(left) == 2000
    assert "https://news.example/qinglan/sections/s0" in counted


def test_a_page_that_was_read_as_one_headline_is_cut() -> None:
    huge = "一整版都成了标题" * 50_000
    article = Article(huge, kicker=huge, byline=Byline((huge,)), paragraphs=(huge,))
    section = DigestSection(Section("yaowen", "要闻"), (paper.entry(article, 1),))

    mail = digest.message(replace(paper.digest(), sections=(section,)), ENVELOPE)

    assert len(str(mail["Subject"])) < 200
    assert len(mail.as_bytes()) < 200_000


def test_sections_beyond_number_are_still_a_page() -> None:
    assert digest.html(long_digest(700, sections=700), LEAVE).count(LEAVE) == 2


# ── how it is built ──────────────────────────────────────────────────────────────────────


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    page = digest.html(paper.digest(), LEAVE)

    tags = {tag for tag, _ in Tags(page).seen}
    assert not tags & {"script", "img", "link", "iframe", "form", "input", "svg", "video", "object"}
    assert "url(" not in page
    assert "@import" not in page
    assert "@font-face" not in page


def test_every_cell_of_text_carries_its_style() -> None:
    # QQ Mail and 163 drop <style>; Outlook's Word engine knows tables, but neither max-width nor flex.
    page = digest.html(paper.digest(), LEAVE)

    for cell in tree.fromstring(page).iter("p", "h1", "h2", "h3", "a"):
        style = " ".join(above.get("style", "") for above in (cell, *cell.iterancestors("td")))
        assert "font-family" in style
        assert "color" in cell.get("style", "") + style
    for table in tree.fromstring(page).iter("table"):
        assert (table.get("role"), table.get("cellspacing")) == ("presentation", "0")
    assert "<!--[if mso]>" in page
    assert "flex" not in page


def test_dark_mode_is_declared_and_styled() -> None:
    page = digest.html(paper.digest(), LEAVE)

    assert '<meta name="color-scheme" content="light dark">' in page
    assert "@media (prefers-color-scheme: dark)" in re.sub(r"\s+", " ", page)


def test_the_same_digest_gives_the_same_bytes() -> None:
    assert (
        digest.message(paper.digest(), ENVELOPE).as_bytes()
        == digest.message(paper.digest(), ENVELOPE).as_bytes()
    )


# ── its head ─────────────────────────────────────────────────────────────────────────────


def test_the_headers_let_a_reader_go_with_one_click() -> None:
    lines = header_lines(digest.message(paper.digest(), ENVELOPE))

    # RFC 8058; unfolded and unencoded, or DKIM breaks and no mailbox understands them.
    assert f"List-Unsubscribe: <{LEAVE}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert b"Message-ID: <d1.x@qinglan.example>" in lines
    assert b"Date: Mon, 16 Nov 2026 06:00:00 +0800" in lines
    assert b"To: reader@example.org" in lines


def test_list_and_sender_are_named() -> None:
    message = received(digest.message(paper.digest(), ENVELOPE))

    assert str(message["List-Id"]) == "青岚日报 <qinglan.qinglan.example>"
    assert message["From"].addresses[0].display_name == "青岚日报"
    assert message["From"].addresses[0].addr_spec == "syndicate@news.example"
    assert message["Auto-Submitted"] is None
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]


def test_lines_are_as_short_as_mail_wants_them() -> None:
    raw = digest.message(paper.digest(), ENVELOPE).as_bytes()

    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    for written in raw.split(b"\r\n"):
        assert len(written) <= 78 or written.startswith(b"List-Unsubscribe: ")  # RFC 5322 §2.1.1
        for word in re.findall(rb"=\?[^ ]*\?=", written):
            assert len(word) <= 75  # RFC 2047 §2


def addressed() -> Iterator[EmailMessage]:
    """A digest and a confirmation for every hostile text, wherever a text may stand."""
    for text in (*hostile.OWN, *hostile.texts(payloads=False)[::8]):
        publication = replace(paper.PAPER, title=text, title_en=text, publisher=text)
        entry: Entry = paper.entry(everywhere(text), 1)
        sections = (DigestSection(Section("yaowen", text, text), (entry,)),)
        yield digest.message(replace(paper.digest(), publication=publication, sections=sections), ENVELOPE)
        yield confirmation(PENDING, replace(publication, sections=(Section("yaowen", text),)))


def test_hostile_text_adds_no_header_and_no_tag() -> None:
    usual = set(digest.message(paper.digest(), ENVELOPE).keys()) | {"Auto-Submitted"}

    for message in addressed():
        names = {line.split(b":")[0].decode() for line in header_lines(message) if line[:1] not in b" \t"}
        assert names <= usual
        read = received(message)
        assert set(read.keys()) <= usual
        assert all(len(str(value).splitlines()) <= 1 for value in read.values())
        assert read["To"].addresses[0].addr_spec == "reader@example.org"
        assert len(read["From"].addresses) == 1
        tags = {tag for tag, _ in Tags(part(read, "html")).seen}
        assert tags <= {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "div",
            "table",
            "tbody",
            "tr",
            "td",
            "p",
            "h1",
            "h2",
            "h3",
            "a",
        }
        assert all(link.startswith("https://news.example/") for link in links(part(read, "html")))


def test_an_encoded_word_becomes_no_header() -> None:
    # CVE-2024-6923: parsed back, this was a Bcc header.
    article = Article("=?utf-8?q?Hi=0ABcc:_x@y.example?=", paragraphs=("正文。",))

    raw = digest.message(
        paper.digest(entries=(paper.entry(replace(article, section="yaowen"), 1),)), ENVELOPE
    ).as_bytes()

    assert b"\nBcc" not in raw
    assert received(digest.message(paper.digest(), ENVELOPE))["Bcc"] is None
    assert "Bcc" not in email.message_from_bytes(raw, policy=policy.default)


def test_an_address_like_an_encoded_word_stays_one_address() -> None:
    address = "=?utf-8?q?x=0ABcc=3A_v=40y.example?=@example.org"

    lines = header_lines(digest.message(paper.digest(), replace(ENVELOPE, address=address)))

    assert f"To: {address}".encode() in lines


def test_an_address_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="not one line"):
        digest.message(paper.digest(), replace(ENVELOPE, address="a@example.org\r\nBcc: b@example.org"))


def test_an_internationalised_address_is_written_as_it_is() -> None:
    message = digest.message(paper.digest(), replace(ENVELOPE, address="读者@例子.中国"))

    assert "To: 读者@例子.中国".encode() in header_lines(message)


# ── the question ─────────────────────────────────────────────────────────────────────────


def confirmation(subscription: Subscription = PENDING, publication: object = None) -> EmailMessage:
    asked = publication or paper.PAPER
    return digest.confirmation(
        asked,  # type: ignore[arg-type]
        subscription,
        CONFIRM,
        "syndicate@news.example",
        paper.BASE,
        "<c1.x@qinglan.example>",
        paper.PRINTED,
    )


def test_a_confirmation_has_one_link_and_wants_no_answer() -> None:
    message = received(confirmation())

    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert links(part(message, "html")) == [CONFIRM]
    assert re.findall(r"https?://\S+", part(message, "plain")) == [CONFIRM]


def test_a_confirmation_says_what_was_chosen() -> None:
    whole = replace(PENDING, sections=(), rhythm=Rhythm.WEEKLY, language="en")

    assert "每期一封 · 要闻、文体" in part(received(confirmation()), "plain")
    assert "once a week · the whole paper" in part(received(confirmation(whole)), "html")
