"""What came back, read: invented reports in the shape of those that servers write (tests/deliver/reports)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.model import BounceKind
from syndicate.readers import reports

SAMPLES = Path(__file__).parent.parent / "deliver" / "reports"
OURS = "bounces+d1-y3cj7dsbhzqcu@paper.example"
HARD, SOFT, COMPLAINT = BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT

MEANT = {
    "163-full": (SOFT, "5.2.2"),
    "163-spam": (SOFT, "5.7.1"),
    "163-unknown": (HARD, "5.1.1"),
    "address-no-match": (HARD, "5.1.1"),
    "coremail-closed": (HARD, "5.1.1"),
    "directory-no-mailbox": (HARD, "5.1.1"),
    "directory-no-match": (HARD, "5.1.1"),
    "exchange-not-found": (HARD, "5.1.10"),
    "exim-sender-refused": (SOFT, "5.1.8"),
    "exim-unrouteable": (HARD, "5.1.1"),
    "gmail-disabled": (SOFT, "5.2.1"),
    "gmail-rate": (SOFT, "4.7.28"),
    "gmail-unknown": (HARD, "5.1.1"),
    "heading-over-quota": (SOFT, "5.2.2"),
    "hotmail-feedback": (COMPLAINT, None),
    "outlook-authentication": (SOFT, "5.7.515"),
    "outlook-blocked": (SOFT, "5.7.1"),
    "postfix-expired": (SOFT, "4.4.1"),
    "postfix-full": (SOFT, "5.2.2"),
    "postfix-no-domain": (HARD, "5.4.4"),
    "postfix-unknown": (HARD, "5.1.1"),
    "qmail-unknown": (HARD, "5.1.1"),
    "qq-frequency": (SOFT, "4.7.1"),
    "qq-unknown": (HARD, "5.1.1"),
    "rewritten-sender": (HARD, "5.1.1"),
    "ses-complaint-json": (COMPLAINT, None),
    "ses-suppressed": (HARD, "5.1.1"),
    "sina-unknown": (HARD, "5.1.1"),
    "space-not-enough": (SOFT, "5.2.2"),
    "yahoo-feedback": (COMPLAINT, None),
}
NOTHING = ("auto-reply-zh", "challenge", "feedback-not-spam", "out-of-office", "postfix-delayed", "success")
STRANGE = ("leave", "spam")


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes()


def test_every_sample_is_spoken_of() -> None:
    assert {file.stem for file in SAMPLES.glob("*.eml")} == {*MEANT, *NOTHING, *STRANGE}


@pytest.mark.parametrize("name", MEANT)
def test_hard_and_soft_and_complaints_are_told_apart(name: str) -> None:
    report = reports.read(sample(name))

    assert (report.kind, report.status) == MEANT[name], report.said
    assert report.said
    assert report.understood


@pytest.mark.parametrize("name", NOTHING)
def test_delays_receipts_and_automatic_answers_change_nothing(name: str) -> None:
    report = reports.read(sample(name))

    assert (report.kind, report.understood) == (None, True), report.said


def test_what_is_no_report_is_not_understood() -> None:
    report = reports.read(sample("spam"))

    assert (report.kind, report.understood) == (None, False)


@pytest.mark.parametrize("name", sorted({*MEANT, *NOTHING} - {"rewritten-sender"}))
def test_the_signed_address_is_found_wherever_it_stands(name: str) -> None:
    report = reports.read(sample(name))

    assert OURS in report.sent_to or OURS.removeprefix("bounces") in report.quoted


def test_an_address_in_a_quoted_letter_is_not_one_the_report_was_sent_to() -> None:
    report = reports.read(sample("yahoo-feedback"))

    assert report.sent_to == ("feedback@paper.example",)
    assert report.letters == ("<5f0c2d@qinglan.example>",)
    assert report.about == ("reader@town.example",)


def test_a_report_is_known_again_by_its_bytes() -> None:
    mail = sample("qmail-unknown")

    assert reports.read(mail) == reports.read(mail)
    assert reports.read(mail).key != reports.read(mail + b"\n").key


@pytest.mark.parametrize("ends", [b"\r\n", b"\r"])
@pytest.mark.parametrize("name", ["postfix-unknown", "163-unknown", "qmail-unknown", "yahoo-feedback"])
def test_line_ends_make_no_difference(name: str, ends: bytes) -> None:
    report = reports.read(sample(name).replace(b"\n", ends))

    assert (report.kind, report.status) == MEANT[name]


def test_statuses_are_read_however_the_part_is_coded() -> None:
    fields = "UmVwb3J0aW5nLU1UQTogZG5zOyBhCgpGaW5hbC1SZWNpcGllbnQ6IHJmYzgyMjsgYUBiLmV4YW1wbGUKQWN0aW9uOiBmYWlsZWQKU3RhdHVzOiA1LjEuMQo="
    mail = (
        "From: a\nContent-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n"
        f"Content-Transfer-Encoding: base64\n\n{fields}\n--x--\n"
    )

    report = reports.read(mail.encode())

    assert (report.kind, report.status, report.about) == (HARD, "5.1.1", ("a@b.example",))


DEEP = b"From: a\n" + b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)
)
WIDE = (
    b"From: mailer-daemon@a.example\nContent-Type: multipart/mixed; boundary=x\n\n"
    + b"--x\n\n550 5.1.1 user unknown\n" * 20_000
)
HOSTILE = {
    "nothing": b"",
    "no header": b"550 5.1.1 user unknown",
    "no From": b"Subject: failure notice\n\n550 5.1.1 user unknown\n",
    "NULs": b"From: mailer-daemon@a.example\n\n550 5.1.1 user\0 unknown\n",
    "a charset that is none": b"From: mailer-daemon\nContent-Type: text/plain; charset=\"\xff\xfe\"\n\n550 unknown user\n",
    "bytes that are no text": b"From: mailer-daemon\nSubject: =?utf-8?b?/////w?=\nContent-Type: text/plain; charset=gb2312\n\n\xff\xff\x81",
    "base64 that is none": b"From: mailer-daemon\nContent-Transfer-Encoding: base64\n\n=====\xff",
    "deep": DEEP,
    "wide": WIDE,
    "messages in messages": b"Content-Type: message/rfc822\n\n" * 30_000,
    "fifty megabytes": b"From: mailer-daemon@a.example\n\n550 5.1.1 user unknown\n" + b"x" * 50_000_000,
    "a long line": b"From: mailer-daemon@a.example\nSubject: " + b"a " * 400_000 + b"\n\n550 unknown user",
    "tags": b"From: mailer-daemon\nContent-Type: text/html\n\n" + b"<a <style <!-- " * 60_000,
    "at signs": b"From: mailer-daemon\nTo: " + b"a+@" * 300_000 + b"\n\n" + b"+@" * 100_000,
    "a status that is none": b"Content-Type: message/delivery-status\n\nAction: failed\nStatus: " + b"5." * 100_000,
    "empty states": b"From: a\nContent-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n\n\n--x--",
}  # fmt: skip


@pytest.mark.parametrize("mail", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_mail_is_read_and_raises_nothing(mail: bytes) -> None:
    report = reports.read(mail)

    assert len(report.key) == 64
    assert len(report.said) <= reports.SAID
    assert "\n" not in report.said


@given(st.binary(max_size=2000), st.sampled_from(sorted(MEANT)), st.integers(0, 2000))
@example(b"Content-Type: message/delivery-status\n\n", "spam", 0)
def test_no_bytes_raise(noise: bytes, name: str, at: int) -> None:
    mail = sample(name)

    report = reports.read(mail[:at] + noise + mail[at:])

    assert report.kind in (None, *BounceKind)
