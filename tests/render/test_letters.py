"""A cast is what would have been written for that reader, byte for byte."""

from __future__ import annotations

import email
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from syndicate.model import Cast, Envelope, Rhythm
from syndicate.render import digest, letters, mail
from tests.render import paper

LEAVE = "https://news.example/qinglan/leave/" + "Ab3-_." * 12
ENVELOPE = Envelope(
    "reader@example.org",
    "syndicate@news.example",
    "<d1.x@qinglan.example>",
    LEAVE,
    paper.PRINTED,
    manage_url="https://news.example/qinglan/mine/MTIz.x9K",
    leave_mail="leave+12.abc@news.example",
)


class Writing:
    """Writes small letters, and counts them."""

    def __init__(self, form: Callable[[Envelope], str] | None = None) -> None:
        self.count = 0
        self.form = form or (lambda e: f"您好，{e.leave_url}\n再见 {e.manage_url}{e.leave_url}。")

    def __call__(self, envelope: Envelope) -> EmailMessage:
        self.count += 1
        written = mail.letter(
            paper.PAPER, envelope.address, envelope.sender, envelope.message_id, envelope.date
        )
        written["List-Unsubscribe"] = f"<{envelope.leave_url}>, <mailto:{envelope.leave_mail}>"
        text = self.form(envelope)
        return mail.with_parts(
            written, text, f"<p>{'文' * 90}<a href='{escape(envelope.leave_url)}'>{escape(text)}</a>"
        )


def raw(cast: Cast) -> bytes:
    return b"".join((*cast.fields, b"\r\n", *cast.body))


ADDRESSES = st.one_of(
    st.from_regex(r"[a-z0-9.+_'%=?-]{1,40}@[a-z0-9-]{1,20}\.example", fullmatch=True),
    st.sampled_from(
        ["读者@例子.example", "a&b@x.example", "=?utf-8?q?=0ABcc:x?=@x.example", '"a b"@x.example']
    ),
)
LINKS = st.one_of(
    st.from_regex(r"https://news\.example/[A-Za-z0-9._~-]{0,90}", fullmatch=True),
    st.from_regex(r"[!-~]{1,30}", fullmatch=True),
    st.sampled_from(
        ["", "https://x.example/?a=1&b=2", "https://x.example/'\"<>", "文", "a", "ab", "aab", "p"]
    ),
)
NAMES = st.from_regex(r"[a-z0-9+.]{0,60}@news\.example", fullmatch=True)
SHARED = letters.mould(Writing())  # for all examples: frames made for some are used for others


@given(address=ADDRESSES, number=st.integers(0, 10**9), leave=LINKS, manage=LINKS, by_mail=NAMES)
def test_every_letter_is_as_it_would_have_been_written(
    address: str, number: int, leave: str, manage: str, by_mail: str
) -> None:
    envelope = replace(
        ENVELOPE,
        address=address,
        message_id=f"<{number}@x>",
        leave_url=leave,
        manage_url=manage,
        leave_mail=by_mail,
    )

    assert raw(SHARED.cast(envelope)) == Writing()(envelope).as_bytes()


@given(before=st.integers(0, 130), between=st.integers(0, 130), length=st.integers(1, 200))
def test_links_may_begin_and_end_anywhere_in_a_line(before: int, between: int, length: int) -> None:
    write = Writing(lambda e: "x" * before + e.leave_url + "y" * between + e.manage_url)
    mould = letters.mould(write)
    envelope = replace(ENVELOPE, leave_url="Q9-" * length, manage_url="/" + "k" * length)
    other = replace(envelope, leave_url="Z.7" * length, manage_url="/" + "w" * length)

    assert raw(mould.cast(envelope)) == write(envelope).as_bytes()
    assert raw(mould.cast(other)) == write(other).as_bytes()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("rhythm", [Rhythm.ISSUE, Rhythm.WEEKLY])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"manage_url": "", "leave_mail": ""},
        {"leave_url": LEAVE + "longer", "address": "a.much.longer.name@a.longer.domain.example"},
        {"leave_url": LEAVE + "&a='<b>'"},
        {"address": "读者@例子.example"},
        {"date": paper.PRINTED + timedelta(days=1)},
        {"sender": "青岚日报 <another.sender@news.example>"},
    ],
)
def test_digests_are_cast_as_they_are_written(language: str, rhythm: Rhythm, change: dict[str, str]) -> None:
    contents = paper.digest(language, rhythm)
    mould = letters.mould(lambda envelope: digest.message(contents, envelope))
    envelope = replace(ENVELOPE, **change)  # type: ignore[arg-type]  # a date or texts

    for one in (ENVELOPE, envelope):
        cast = mould.cast(one)
        assert raw(cast) == digest.message(contents, one).as_bytes()

    parsed = email.message_from_bytes(raw(cast), policy=policy.default)
    assert not parsed.defects
    assert isinstance(parsed, EmailMessage)
    assert parsed["To"] == envelope.address
    for kind in ("plain", "html"):
        part = parsed.get_body((kind,))
        assert part is not None
        assert envelope.manage_url in part.get_content()


def test_thousands_are_cast_from_what_was_written_twice() -> None:
    write = Writing()
    mould = letters.mould(write)

    casts = [
        mould.cast(
            replace(ENVELOPE, address=f"r{n}@x.example", message_id=f"<{n}@x>", leave_url=f"{LEAVE}{n:04}")
        )
        for n in range(1000)
    ]

    assert write.count == 2
    assert len({raw(cast) for cast in casts}) == 1000
    # What they share is there once: a copied state of a hash, and no memory, for each.
    assert len({id(cast.body[0]) for cast in casts}) == 1


def test_links_of_another_length_are_not_written_for_again() -> None:
    write = Writing()
    mould = letters.mould(write)

    for n in (1, 22, 233, 2, 33, 244):
        envelope = replace(
            ENVELOPE, leave_url=f"{LEAVE}{n}", leave_mail="x" * n + "@y", address="z" * n + "@y"
        )
        assert raw(mould.cast(envelope)) == Writing()(envelope).as_bytes()

    assert write.count == 2


def test_links_that_are_much_longer_or_shorter_are_written_for_anew() -> None:
    write = Writing()
    mould = letters.mould(write)

    for length in (50, 51, 110, 111, 49):
        envelope = replace(ENVELOPE, leave_url="https://x.example/".ljust(length, "k"))
        assert raw(mould.cast(envelope)) == Writing()(envelope).as_bytes()

    assert write.count == 6


def test_where_the_length_of_a_link_matters_each_length_is_written_for() -> None:
    form = "{0.leave_url} and {1} words".format
    write = Writing(lambda e: form(e, "few" if len(e.leave_url) < 80 else "many"))
    mould = letters.mould(write)

    for length in (78, 79, 80, 81, 78, 79):
        envelope = replace(ENVELOPE, leave_url="https://x.example/".ljust(length, "k"))
        assert raw(mould.cast(envelope)) == write(envelope).as_bytes()


def test_what_depends_on_a_reader_in_another_way_is_written_for_each() -> None:
    write = Writing(lambda e: f"{e.leave_url} has {e.leave_url.count('A')} A, and {e.address.upper()}")
    mould = letters.mould(write)

    for n in range(4):
        envelope = replace(ENVELOPE, leave_url=LEAVE[:-4] + "A" * n + "b" * (4 - n))
        assert raw(mould.cast(envelope)) == write(envelope).as_bytes()


def test_many_lengths_do_not_fill_the_memory() -> None:
    mould = letters.mould(Writing())

    for n in range(1, 60):
        mould.cast(replace(ENVELOPE, leave_url=LEAVE + "x" * n))

    assert len(mould._frames) <= 16


@pytest.mark.parametrize("field", ["address", "message_id", "leave_url", "leave_mail"])
@pytest.mark.parametrize("evil", ["a@b\r\nBcc: x@y", "a@b\nBcc: x@y", "a@b\rBcc: x@y", "a@b\u2028Bcc: x@y"])
def test_no_value_adds_a_header(field: str, evil: str) -> None:
    mould = letters.mould(lambda envelope: digest.message(paper.digest(), envelope))
    mould.cast(ENVELOPE)

    with pytest.raises(ValueError, match="one line"):
        mould.cast(replace(ENVELOPE, **{field: evil}))  # type: ignore[arg-type]  # all of them texts


def test_a_single_message_is_cast_as_it_is() -> None:
    message = EmailMessage()
    message["Subject"] = "a long one " * 12
    message.set_content("one\n.two\n\n")

    cast = letters.cast(message)

    assert raw(cast) == message.as_bytes().replace(b"\n", b"\r\n")
    assert not cast.plain
    assert len(cast.fields) == 4
