"""Letters that are signed beside the sending come out as they would have been signed at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from syndicate.deliver.dkim import Signer, new_key
from syndicate.jobs.signing import AHEAD, LOT, Signing
from syndicate.model import Cast, Letter

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)


def cast(number: int) -> Cast:
    head = (b"From: paper@example.org\r\n", b"Message-ID: <%d@example.org>\r\n" % number)
    return Cast(head, (b"77yM", b"%03d" % number, b"\r\n"), plain=True)


def signer(kind: str) -> Signer:
    return Signer({"s1": new_key(kind)} if kind else {}, "example.org", lambda: NOW)


def taken_out(signing: Signing) -> list[Letter]:
    out: list[Letter] = []
    while not signing.empty:
        found = signing.next()
        if isinstance(found, Letter):
            out.append(found)
        else:
            time.sleep(found)
    return out


@pytest.mark.parametrize("kind", ["rsa", "ed25519", ""])
def test_letters_come_out_in_order_as_they_would_have_been_signed_at_once(kind: str) -> None:
    keys, count = signer(kind), 2 * LOT + 3
    out: list[Letter] = []
    with Signing(keys) as signing:
        for n in range(count):
            if signing.full:
                out += taken_out(signing)
            signing.add(n, "paper@example.org", f"{n}@example.com", cast(n))
        signing.hasten()
        out += taken_out(signing)

    assert [letter.number for letter in out] == list(range(count))
    assert [letter.recipient for letter in out] == [f"{n}@example.com" for n in range(count)]
    assert [letter.pieces for letter in out] == [keys.signed(cast(n)) for n in range(count)]


def test_with_a_slow_key_letters_are_made_ahead_and_with_a_quick_one_they_are_not() -> None:
    with Signing(signer("rsa")) as slow, Signing(signer("ed25519")) as quick:
        for n in range(AHEAD):
            assert not slow.full
            slow.add(n, "paper@example.org", "r@example.com", cast(n))
        assert slow.full
        quick.add(1, "paper@example.org", "r@example.com", cast(1))
        assert quick.full
        assert isinstance(quick.next(), Letter)
        assert quick.empty


def test_what_waits_for_company_is_signed_when_no_other_comes() -> None:
    with Signing(signer("rsa")) as signing:
        signing.add(1, "paper@example.org", "r@example.com", cast(1))
        assert not isinstance(signing.next(), Letter)
        signing.hasten()
        assert [letter.number for letter in taken_out(signing)] == [1]
