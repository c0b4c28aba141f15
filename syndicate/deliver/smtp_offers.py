"""What a mail server offers in its answer to EHLO (RFC 5321 §4.1.1.1), and which letters it can be given so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from syndicate.model import Letter

LONGEST_ADDRESS = 320  # RFC 5321 §4.5.3.1: 64 octets before the @, 255 behind it

_ADDRESS = re.compile(r"[^<>\s]+@[^<>\s]+")


class Unfit(NamedTuple):
    """Why a letter is not even offered."""

    stage: str  # the command that it would fail at
    why: str
    status: str  # RFC 3463


@dataclass(frozen=True, slots=True)
class Offers:
    """The words of an answer to EHLO, in capitals, each with what stands behind it."""

    words: dict[str, str] = field(default_factory=dict)

    def __contains__(self, word: str) -> bool:
        """Whether that is offered."""
        return word in self.words

    @property
    def passwords(self) -> list[str]:
        """The ways to give one."""
        return self.words.get("AUTH", "").upper().split()

    def parameters(self, letter: Letter) -> str | Unfit:
        """What MAIL says of the letter (RFC 1870, RFC 6152, RFC 6531), or why it cannot go this way."""
        size, ascii_only = sum(map(len, letter.pieces)), _is_ascii(letter)
        unfit = _malformed(letter) or self._too_large(size)
        if not unfit and not ascii_only:
            unfit = self._unreadable(letter)
        if unfit:
            return unfit
        said = f" SIZE={size}" if "SIZE" in self else ""
        if ascii_only:
            return said
        return f"{said} BODY=8BITMIME{' SMTPUTF8' if _is_international(letter) else ''}"

    def _too_large(self, size: int) -> Unfit | None:
        most = self.words.get("SIZE", "").strip()
        if most.isdecimal() and 0 < int(most) < size:
            return Unfit("mail", f"{size} bytes, it takes {most}", "5.3.4")
        return None

    def _unreadable(self, letter: Letter) -> Unfit | None:
        """A letter that is not ASCII."""
        if "8BITMIME" not in self:
            return Unfit("mail", "it takes letters in ASCII only (no 8BITMIME)", "5.6.3")
        if _is_international(letter) and "SMTPUTF8" not in self:
            return Unfit("mail", f"it cannot write to {letter.recipient} (no SMTPUTF8)", "5.6.7")
        return None


def offers(lines: Iterable[str]) -> Offers:
    """What these lines offer, those below the first of an answer to EHLO."""
    return Offers({word.upper(): rest for word, _, rest in (line.partition(" ") for line in lines)})


def is_address(address: str) -> bool:
    """Whether it can stand between < and > of a command: nothing in it ends the command or the line."""
    good = len(address) <= LONGEST_ADDRESS and address.isprintable()
    return good and _ADDRESS.fullmatch(address) is not None


def _malformed(letter: Letter) -> Unfit | None:
    """A letter that no server can be given."""
    if letter.sender and not is_address(letter.sender):  # RFC 3463 §3.2
        return Unfit("mail", f"not an address: {letter.sender!r}", "5.1.7")
    if not is_address(letter.recipient):
        return Unfit("rcpt", f"not an address: {letter.recipient!r}", "5.1.3")
    if not letter.pieces or not letter.pieces[-1].endswith(b"\r\n"):  # its dot would not be seen
        return Unfit("data", "a letter without an end", "5.6.0")
    return None


def _is_ascii(letter: Letter) -> bool:
    return (letter.sender + letter.recipient).isascii() and all(map(bytes.isascii, letter.pieces))


def _is_international(letter: Letter) -> bool:
    """Whether addresses or headers are UTF-8, as only SMTPUTF8 may send them."""
    head = b"".join(letter.pieces).partition(b"\r\n\r\n")[0]
    return not (letter.sender + letter.recipient).isascii() or not head.isascii()
