"""The process that signs, asked as a digest's run asks it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from syndicate.deliver import signatory
from syndicate.deliver.dkim import Signatures, Signer, Unsigned, new_key
from syndicate.deliver.signatory import SHARED, Signatory, SignatoryError
from syndicate.model import Cast

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)
SIGNER = Signer({"s1": new_key("rsa"), "s2": new_key("ed25519")}, "example.org", lambda: NOW)


@pytest.fixture
def asked() -> Iterator[Signatory]:
    made = Signatory(SIGNER)
    end = time.monotonic() + 60
    while not made.there:
        assert time.monotonic() < end
        time.sleep(0.01)
    yield made
    made.close()


def letter(number: int, shared: bytes, *, plain: bool = True) -> Unsigned:
    head = (b"From: paper@example.org\r\n", b"Message-ID: <%d@example.org>\r\n" % number)
    return SIGNER.unsigned(Cast(head, (shared, b"%d" % number, shared, b"\r\n"), plain))


def answered(asked: Signatory) -> list[Signatures]:
    end = time.monotonic() + 60
    while (found := asked.answer()) is None:
        assert time.monotonic() < end
        time.sleep(0.001)
    return found


def test_it_signs_with_each_key_as_it_would_be_done_here(asked: Signatory) -> None:
    lot = [letter(n, b"77yM" * SHARED) for n in range(5)] + [letter(5, b"a  b .\r\n" * SHARED, plain=False)]

    asked.ask(lot)

    assert answered(asked) == [one.signatures() for one in lot]


def test_lots_are_answered_in_the_order_in_which_they_were_asked(asked: Signatory) -> None:
    lots = [[letter(n, bytes([65 + n]) * SHARED)] for n in range(9)]

    for lot in lots:
        asked.ask(lot)

    assert [answered(asked) for _ in lots] == [[lot[0].signatures()] for lot in lots]


def test_who_asks_does_not_wait_for_it(asked: Signatory) -> None:
    asked._child.send_signal(signal.SIGSTOP)
    lots = [[letter(n, bytes([65 + n]) * 1_000_000)] for n in range(9)]
    for lot in lots:
        asked.ask(lot)
    asked._child.send_signal(signal.SIGCONT)

    assert [answered(asked) for _ in lots] == [[lot[0].signatures()] for lot in lots]


def test_a_piece_that_letters_share_is_told_once(asked: Signatory, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    framed = signatory._framed

    def counting(what: Any) -> bytes:
        told.append(len(what[1]))
        return framed(what)

    monkeypatch.setattr(signatory, "_framed", counting)
    piece = b"77yM" * SHARED

    for n in range(3):
        asked.ask([letter(n, piece)])

    assert told == [1, 0, 0]
    assert [answered(asked) for n in range(3)] == [[letter(n, piece).signatures()] for n in range(3)]


def test_it_forgets_old_pieces_and_still_signs_right(
    asked: Signatory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signatory, "KNOWN", 2)
    lots = [[letter(n, bytes([65 + n % 5]) * SHARED)] for n in range(20)]

    for lot in lots:
        asked.ask(lot)

    assert [answered(asked) for _ in lots] == [[lot[0].signatures()] for lot in lots]


def test_it_ends_when_nobody_can_ask_it_any_more() -> None:
    asked = Signatory(SIGNER)
    asked.close()

    assert asked._child.returncode == 0


def test_that_it_was_killed_is_told_to_who_asks(asked: Signatory) -> None:
    asked._child.kill()
    asked._child.wait()

    def ask_again() -> None:
        for n in range(2):
            asked.ask([letter(n, b"")])
            asked.answer()

    with pytest.raises(SignatoryError):
        ask_again()
