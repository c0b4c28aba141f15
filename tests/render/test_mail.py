"""The head of a mail, held on the bytes that are sent."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as some
from jinja2.ext import extract_from_ast

from syndicate.model import Article, Digest, Envelope, Publication, Rhythm
from syndicate.render import digest, mail
from syndicate.render.templates import FOLDER, environment
from tests.render import digests, hostile, paper
from tests.render.digests import ENVELOPE, LEAVE
from tests.render.inbox import Tags, header_lines, links, part, received

HEADERS = [
    "From",
    "To",
    "Date",
    "Message-ID",
    "Subject",
    "List-Id",
    "List-Archive",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
]

# Encoded words whole and broken, line ends of every kind, marks of addresses and of direction, halves of characters.
PIECES = some.sampled_from(
    [
        *"青岚日报永\"'<>@,;:()\\[]=?_-. \t\r\n\0\x0b\x0c\x1b\x85\u2028\u2029\u202e\u2066\ufeff\ud800",
        "=?utf-8?q?",
        "=?UTF-8?B?",
        "=0ABcc:",
        "?=",
        "\r\nBcc: a@b.example\r\n",
        "\n\n<script>",
        "To: a@b.example",
        "𠮷",
        "e\u0301",
        "👨\u200d👩\u200d👧",
    ]
)
TEXTS = some.one_of(some.text(), some.lists(PIECES, max_size=60).map("".join))


def letters(publication: Publication, subject: str) -> Iterator[EmailMessage]:
    """A bare letter with that paper's name and subject."""
    made = mail.letter(publication, ENVELOPE.address, ENVELOPE.sender, ENVELOPE.message_id, paper.PRINTED)
    made["Subject"] = mail.header(subject)
    yield mail.with_parts(made, "正文", "<p>正文</p>")


# ── what stands in it ────────────────────────────────────────────────────────────────────


def test_the_headers_let_a_reader_go_with_one_click() -> None:
    lines = header_lines(digest.message(paper.digest(), ENVELOPE))

    # RFC 8058; unfolded and unencoded, or DKIM breaks and no mailbox understands them.
    ways = f"List-Unsubscribe: <{LEAVE}>, <mailto:leave-Ef5@news.example?subject=unsubscribe>"
    assert ways.encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_without_an_address_for_it_one_leaves_by_link_only() -> None:
    lines = header_lines(digest.message(paper.digest(), replace(ENVELOPE, leave_mail="")))

    assert f"List-Unsubscribe: <{LEAVE}>".encode() in lines


def test_one_click_is_promised_over_https_only() -> None:
    here = replace(paper.digest(), base_url="http://localhost:8000")

    assert "List-Unsubscribe-Post" not in digest.message(here, ENVELOPE)


def test_every_header_of_a_digest() -> None:
    message = digest.message(paper.digest(), ENVELOPE)

    lines = header_lines(message)
    assert message.keys() == HEADERS
    assert b"Message-ID: <d1.x@qinglan.example>" in lines
    assert b"Date: Mon, 16 Nov 2026 06:00:00 +0800" in lines
    assert b"To: reader@example.org" in lines
    assert b"List-Archive: <https://news.example/qinglan/issues>" in lines


def test_list_and_sender_are_named() -> None:
    message = received(digest.message(paper.digest(), ENVELOPE))

    assert str(message["List-Id"]) == "青岚日报 <qinglan.qinglan.example>"
    assert message["From"].addresses[0].display_name == "青岚日报"
    assert message["From"].addresses[0].addr_spec == "syndicate@news.example"


def test_the_id_of_the_list_is_not_encoded() -> None:
    # Filters look for it in the bytes (RFC 2919 §8).
    wordy = replace(paper.digest(), publication=replace(paper.PAPER, title="青岚日报" * 30))

    raw = digest.message(wordy, ENVELOPE).as_bytes()

    assert re.search(rb"\nList-Id: [^<>]*<qinglan\.qinglan\.example>\r\n", raw)


def test_complaints_are_counted_for_the_mailing_its_kind_and_the_paper() -> None:
    # At most four fields, the last one 5 to 15 characters, none repeated: support.google.com/mail/answer/6254652
    found = digest.message(paper.digest(), ENVELOPE)["Feedback-ID"]

    fields = found.split(":")
    assert fields == ["qinglan-issue-2026-11-16", "issue-digest", "paper-qinglan", "syndicate"]
    assert 5 <= len(fields[-1]) <= 15


def test_both_parts_are_base64_in_which_han_is_shortest() -> None:
    message = received(digest.message(digests.full(), ENVELOPE))

    assert message.get_content_type() == "multipart/alternative"
    parts = list(message.iter_parts())
    assert [p.get_content_type() for p in parts] == ["text/plain", "text/html"]
    assert [p["Content-Transfer-Encoding"] for p in parts] == ["base64", "base64"]
    assert [p.get_content_charset() for p in parts] == ["utf-8", "utf-8"]


def test_lines_are_as_short_as_mail_wants_them() -> None:
    raw = digest.message(digests.full(), ENVELOPE).as_bytes()

    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    for written in raw.split(b"\r\n"):
        assert len(written) <= 78 or written.startswith(b"List-Unsubscribe: ")  # RFC 5322 §2.1.1
        for word in re.findall(rb"=\?[^ ]*\?=", written):
            assert len(word) <= 75  # RFC 2047 §2


# ── what is one reader's ─────────────────────────────────────────────────────────────────

OTHER = Envelope(
    "somebody.else@mail.example",
    "paper@news.example",
    "<d77.y@qinglan.example>",
    LEAVE.replace("Ab3", "Zz9"),
    ENVELOPE.date,
    "https://news.example/qinglan/mine/other-~_",
    "leave-Other@news.example",
)


@pytest.mark.parametrize("contents", [digests.full(), digests.corrections("en"), digests.long(300)])
def test_what_is_one_readers_stands_there_as_it_is(contents: Digest) -> None:
    def pieces(envelope: Envelope) -> list[str]:
        message = digest.message(contents, envelope)
        return [
            "\n".join(map(bytes.decode, header_lines(message))),
            *(part(message, k) for k in ("plain", "html")),
        ]

    theirs = pieces(ENVELOPE)
    for name in ("address", "sender", "message_id", "leave_url", "manage_url", "leave_mail"):
        theirs = [piece.replace(getattr(ENVELOPE, name), getattr(OTHER, name)) for piece in theirs]

    assert theirs == pieces(OTHER)


def test_an_address_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="not one line"):
        digest.message(paper.digest(), replace(ENVELOPE, address="a@example.org\r\nBcc: b@example.org"))


@pytest.mark.parametrize("field", ["message_id", "leave_url", "leave_mail"])
def test_no_value_of_an_envelope_adds_a_header(field: str) -> None:
    wicked = {field: "x\r\nBcc: b@example.org"}

    with pytest.raises(ValueError, match="not one line"):
        digest.message(paper.digest(), replace(ENVELOPE, **wicked))  # type: ignore[arg-type]  # a field of text


def test_an_internationalised_address_is_written_as_it_is() -> None:
    message = digest.message(paper.digest(), replace(ENVELOPE, address="读者@例子.中国"))

    assert "To: 读者@例子.中国".encode() in header_lines(message)


def test_an_address_like_an_encoded_word_stays_one_address() -> None:
    address = "=?utf-8?q?x=0ABcc=3A_v=40y.example?=@example.org"

    lines = header_lines(digest.message(paper.digest(), replace(ENVELOPE, address=address)))

    assert f"To: {address}".encode() in lines


# ── what wants to harm ───────────────────────────────────────────────────────────────────


def test_hostile_text_adds_no_header_and_no_tag() -> None:
    allowed = {tag for tag, _ in Tags(part(digest.message(digests.full(), ENVELOPE), "html")).seen}

    for text in (*hostile.OWN, *hostile.texts(payloads=False)[::8]):
        message = digest.message(digests.saying(text), ENVELOPE)
        assert [
            line.split(b":")[0].decode() for line in header_lines(message) if line[:1] not in b" \t"
        ] == HEADERS
        read = received(message)
        assert read.keys() == HEADERS
        assert all(len(str(value).splitlines()) <= 1 for value in read.values())
        assert read["To"].addresses[0].addr_spec == "reader@example.org"
        assert len(read["From"].addresses) == 1
        page = part(read, "html")
        assert {tag for tag, _ in Tags(page).seen} <= allowed
        assert all(link.startswith("https://news.example/") for link in links(page))


def test_an_encoded_word_becomes_no_header() -> None:
    # CVE-2024-6923: parsed back, this was a Bcc header.
    article = Article("=?utf-8?q?Hi=0ABcc:_x@y.example?=", paragraphs=("正文。",), section="yaowen")

    raw = digest.message(paper.digest(entries=(paper.entry(article, 1),)), ENVELOPE).as_bytes()

    assert b"\nBcc" not in raw
    assert "Bcc" not in email.message_from_bytes(raw, policy=policy.default)


@given(title=TEXTS, subject=TEXTS)
def test_whatever_paper_and_headline_are_called_the_message_reads_back(title: str, subject: str) -> None:
    publication = replace(paper.PAPER, title=title)

    (message,) = letters(publication, subject)

    read = received(message)
    assert read.keys() == message.keys()
    assert str(read["Subject"]) == mail.header(subject)
    assert read["From"].addresses[0].display_name == mail.phrase(title)
    assert read["From"].addresses[0].addr_spec == ENVELOPE.sender
    assert part(read, "plain").strip() == "正文"
    for again in (policy.default, policy.compat32):
        assert email.message_from_bytes(message.as_bytes(), policy=again).keys() == message.keys()


def test_blanks_between_words_of_a_headline_stay() -> None:
    # Python's policies drop those that fall between two encoded words.
    subject = "0000 000000000000000000000000=?ࠀࠀࠀ ¡ 柿子红了 小院亮了 两岸乡亲等了三十年 点球大战6比5 守门员是个养蜂人"

    (message,) = letters(paper.PAPER, subject)

    assert str(received(message)["Subject"]) == mail.header(subject)


@given(title=TEXTS)
def test_whatever_the_paper_is_called_its_list_keeps_its_id(title: str) -> None:
    contents = replace(paper.digest(entries=()), publication=replace(paper.PAPER, title=title, title_en=None))

    message = received(digest.message(contents, ENVELOPE))

    assert message.keys() == HEADERS
    assert str(message["List-Id"]).endswith("<qinglan.qinglan.example>")


# ── its words ────────────────────────────────────────────────────────────────────────────


def test_every_word_of_a_mail_is_translated_and_none_is_left_over() -> None:
    used = {
        message if isinstance(message, str) else str((message or ("",))[0])
        for file in (FOLDER / "email").glob("*.[ht]*")
        for _, _, message in extract_from_ast(environment("en").parse(file.read_text(encoding="utf-8")))
    }

    with (FOLDER / "email/zh_CN.po").open("rb") as lines:
        catalog = read_po(lines, locale="zh_CN")

    assert {m.id if isinstance(m.id, str) else m.id[0] for m in catalog if m.id and m.string} == used


@pytest.mark.parametrize(
    "contents", [digests.full(), digests.corrections(), digests.full(rhythm=Rhythm.WEEKLY)]
)
def test_no_english_is_left_in_a_chinese_mail(contents: Digest) -> None:
    told = re.sub(r"https://\S+", "", digest.text(contents, LEAVE, ENVELOPE.manage_url))

    assert re.findall(r"[A-Za-z]{2,}", told) == []
    assert re.findall(r"[\u4e00-\u9fff][,;:?!()\"][\u4e00-\u9fff]", told) == []
