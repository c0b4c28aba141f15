"""Letters that are signed beside the sending come out as they would have been signed at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from syndicate.deliver.dkim import Signer, new_key
from syndicate.jobs.signing import AHEAD, LOT, MANY, Signing
from syndicate.model import Cast, Letter

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)


def cast(number: int) -> Cast:
    head = (b"From: paper@example.org\r\n", b"Message-ID: <%d@example.org>\r\n" % number)
    return Cast(head, (b"77yM", b"%03d" % number, b"\r\n"), plain=True)


def signer(kind: str) -> Signer:
    return Signer({"s1": new_key(kind)} if kind else {}, "example.org", lambda: NOW)


def taken_out(signing: Signing) -> list[Letter]:
    """All that is inside; the last ones wait for no others."""
    out: list[Letter] = []
    signing.hasten()
    while not signing.empty:
        found = signing.next()
        if isinstance(found, Letter):
            out.append(found)
        else:
            time.sleep(found)
    return out


def until_beside(signing: Signing) -> list[Letter]:
    """Letters that were signed until the other process was there."""
    signing.expect(MANY)
    out: list[Letter] = []
    end = time.monotonic() + 60
    while not signing.beside:
        assert time.monotonic() < end
        signing.add(len(out), "paper@example.org", f"{len(out)}@example.com", cast(len(out)))
        out += taken_out(signing)
        time.sleep(0.01)
    return out


def add(signing: Signing, begin: int, end: int) -> list[Letter]:
    out: list[Letter] = []
    for n in range(begin, end):
        if signing.full:
            out += taken_out(signing)
        signing.add(n, "paper@example.org", f"{n}@example.com", cast(n))
    return out


def are_signed(out: list[Letter], keys: Signer) -> bool:
    """Whether they are in order, and as they would have been signed at once."""
    return out == [
        Letter(n, "paper@example.org", f"{n}@example.com", keys.signed(cast(n))) for n in range(len(out))
    ]


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_letters_come_out_in_order_as_they_would_have_been_signed_at_once(kind: str) -> None:
    keys = signer(kind)
    with Signing(keys) as signing:
        out = until_beside(signing)
        count = len(out) + AHEAD + LOT + 3
        out += add(signing, len(out), count)
        out += taken_out(signing)

    assert len(out) == count
    assert are_signed(out, keys)


@pytest.mark.parametrize("kind", ["rsa", "ed25519", ""])
def test_for_a_few_letters_no_process_is_started(kind: str) -> None:
    keys = signer(kind)
    with Signing(keys) as signing:
        signing.expect(5)
        out = add(signing, 0, 5) + taken_out(signing)
        assert signing._signatory is None

    assert len(out) == 5
    assert are_signed(out, keys)


def test_without_a_key_there_is_nothing_to_do_for_a_process() -> None:
    keys = signer("")
    with Signing(keys) as signing:
        signing.expect(MANY)
        out = add(signing, 0, 50) + taken_out(signing)
        assert signing._signatory is None

    assert len(out) == 50
    assert are_signed(out, keys)


def test_what_a_process_left_that_was_killed_is_signed_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keys = signer("ed25519")
    with Signing(keys) as signing:
        out = until_beside(signing)
        assert signing._signatory is not None
        signing._signatory._child.kill()
        signing._signatory._child.wait()
        count = len(out) + 2 * AHEAD
        out += add(signing, len(out), count)
        out += taken_out(signing)
        assert not signing.beside

    assert len(out) == count
    assert are_signed(out, keys)
    assert "are signed by the process that sends them" in caplog.text


def test_what_waits_for_company_is_signed_when_no_other_comes() -> None:
    with Signing(signer("rsa")) as signing:
        number = len(until_beside(signing))
        signing.add(number, "paper@example.org", "r@example.com", cast(number))
        assert not isinstance(signing.next(), Letter)
        signing.hasten()
        assert [letter.number for letter in taken_out(signing)] == [number]
