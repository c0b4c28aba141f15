"""Which addresses are taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate import mailboxes
from syndicate.model import Fault


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" reader@example.org ", "reader@example.org"),
        ("Reader@EXAMPLE.org", "Reader@example.org"),
        ("ｒeader＠example。org", "reader@example.org"),
        ("postmaster@example.org", "postmaster@example.org"),
        ("o'brien+news@example.org", "o'brien+news@example.org"),
        ("li@例子.example.org", "li@xn--fsqu00a.example.org"),
        ("用户@例子.广告", "用户@例子.广告"),
    ],
)
def test_an_address_is_read_as_it_is_meant(typed: str, kept: str) -> None:
    assert mailboxes.read(typed) == (kept, None)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", Fault.MALFORMED),
        ("a@example.org\nBcc: b@example.org", Fault.MALFORMED),
        ("a\0@example.org", Fault.MALFORMED),
        ("\u202ea@example.org", Fault.MALFORMED),
        ("\ud800@example.org", Fault.MALFORMED),
        ("a@[127.0.0.1]", Fault.MALFORMED),
        ('"a b"@example.org', Fault.MALFORMED),
        ("a" * 65 + "@example.org", Fault.MALFORMED),
        ("a@" + "b" * 60 + ".example" * 30 + ".org", Fault.MALFORMED),
        ("a" * 1_000_000, Fault.MALFORMED),
        ("a@mailinator.com", Fault.DISPOSABLE),
        ("a@MAILINATOR.com", Fault.DISPOSABLE),
        ("a@mine.mailinator.com", Fault.DISPOSABLE),
        ("\u0430dmin@example.org", Fault.MIXED),
    ],
)
def test_what_is_not_taken_is_named(typed: str, fault: Fault) -> None:
    assert mailboxes.read(typed)[1] is fault


@pytest.mark.parametrize("domain", ["qq.com", "163.com", "126.com", "foxmail.com", "sina.com", "gmail.com"])
def test_the_domains_of_most_readers_are_taken(domain: str) -> None:
    assert mailboxes.read(f"reader@{domain}") == (f"reader@{domain}", None)


@given(st.text(max_size=80))
def test_reading_never_fails_and_what_is_kept_is_kept_again(typed: str) -> None:
    kept, fault = mailboxes.read(typed)

    if fault is None:
        assert mailboxes.read(kept) == (kept, None)
        assert all(c.isprintable() and c != " " for c in kept)
