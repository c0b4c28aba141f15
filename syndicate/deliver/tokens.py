"""Signed links: who holds one was sent it, and it can be neither guessed nor turned to another use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_encode


class Tokens:
    """Makes and reads the tokens in confirmation and unsubscribe links, signed with `secret`.

    They do not expire: a digest may be left years after it came (RFC 8058 asks no less).
    """

    def __init__(self, secret: str) -> None:
        self._confirm = _Numbers(secret, "confirm")
        self._leave = _Numbers(secret, "leave")
        self._manage = _Numbers(secret, "manage")
        self._move = URLSafeSerializer(secret, salt="move")
        self._erased_key = hmac.new(secret.encode(), b"erased", hashlib.sha256).digest()
        self._received_key = hmac.new(secret.encode(), b"received", hashlib.sha256).digest()
        self._received = hashlib.blake2b(key=self._received_key)  # begun once, a copy goes on
        self._mail_key = hmac.new(secret.encode(), b"return path", hashlib.sha256).digest()

    def confirm(self, subscription: int) -> str:
        """The token that confirms a subscription."""
        return self._confirm.signed(subscription)

    def confirmed(self, token: str) -> int | None:
        """The subscription that a confirm token names, None for a forged one."""
        return self._confirm.read(token)

    def leave(self, subscription: int) -> str:
        """The token that ends a subscription."""
        return self._leave.signed(subscription)

    def manage(self, subscription: int) -> str:
        """The token that opens a subscriber's own page."""
        return self._manage.signed(subscription)

    def managed(self, token: str) -> int | None:
        """The subscription that a manage token names, None for a forged one."""
        return self._manage.read(token)

    def left(self, token: str) -> int | None:
        """The subscription that a leave token names, None for a forged one."""
        return self._leave.read(token)

    # ── subscribers who move, and those who were erased ──────────────────────────────────

    def move(self, subscription: int, address: str) -> str:
        """The token that moves a subscription to that address, once its owner presses the button."""
        return str(self._move.dumps(f"{subscription}-{_digest(address)}"))

    def moved(self, token: str) -> int | None:
        """The subscription that a move token names; it is for the address with which `move` gives it again."""
        try:
            number = str(self._move.loads(token)).partition("-")[0]
        except BadData:
            return None
        return int(number)

    def erased(self, address: str) -> str:
        """What is kept of an address that was erased: enough to know it again, not to read it."""
        return hmac.new(self._erased_key, address.lower().encode(), hashlib.sha256).hexdigest()[:32]

    def received(self, mailbox: str) -> bytes:
        """What is kept of a mailbox that has a digest: who has not the secret cannot try addresses on it (RFC 7693)."""
        mark = self._received.copy()
        mark.update(mailbox.encode())
        return mark.digest()

    def received_before(self, mailbox: str) -> bytes:
        """What was kept until it was made faster; such files are gone sixty days after the last of them."""
        return hmac.digest(self._received_key, mailbox.encode(), "sha256")

    # ── addresses that mail comes back to ────────────────────────────────────────────────
    # Servers may fold their case, and give them 64 octets before the @ (RFC 5321 §4.5.3.1.1): a letter for the
    # kind, the number, and 65 bits of an HMAC-SHA256, cut short as RFC 2104 §5 allows:
    # each guess costs a mail.

    def return_path(self, address: str, delivery: int) -> str:
        """The envelope sender of a delivery: what comes back to it names the delivery."""
        return self._plus(address, "d", delivery)

    def returned(self, recipient: str) -> int | None:
        """The delivery that such an address names, None for a forged one."""
        return self._named(recipient, "d")

    def confirmation_path(self, address: str, subscription: int) -> str:
        """The envelope sender of a confirmation mail."""
        return self._plus(address, "c", subscription)

    def confirmation_returned(self, recipient: str) -> int | None:
        """The subscription whose confirmation mail came back, None for a forged address."""
        return self._named(recipient, "c")

    def leave_mail(self, address: str, subscription: int) -> str:
        """The address that ends a subscription when anything is written to it: leave+… at the same host."""
        return self._plus("leave@" + address.rpartition("@")[2], "l", subscription)

    def left_by_mail(self, recipient: str) -> int | None:
        """The subscription that such an address ends, None for a forged one."""
        return self._named(recipient, "l")

    def _plus(self, address: str, kind: str, number: int) -> str:
        local, _, host = address.rpartition("@")
        return f"{local}+{kind}{number}-{self._mark(kind, number)}@{host}"

    def _named(self, recipient: str, kind: str) -> int | None:
        """Whatever stands around it: servers on the way may rewrite a sender (SRS, BATV)."""
        for number, mark in re.findall(
            rf"\+{kind}([1-9]\d{{0,17}})-([a-z2-7]{{13}})(?![a-z0-9])", recipient.lower()[:1000]
        ):
            if hmac.compare_digest(mark, self._mark(kind, int(number))):
                return int(number)
        return None

    def _mark(self, kind: str, number: int) -> str:
        made = hmac.digest(self._mail_key, f"{kind}{number}".encode(), "sha256")
        return base64.b32encode(made)[:13].decode().lower()


def _digest(address: str) -> str:
    """Of an address: it shall not stand in the logs of web servers."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


class _Numbers:
    """Numbers, signed as URLSafeSerializer signs them, in a fifth of its time: each letter holds two."""

    def __init__(self, secret: str, salt: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt=salt)
        self._key = self._serializer.make_signer(salt).derive_key()

    def signed(self, number: int) -> str:
        """The token that names the number."""
        value = base64_encode(str(number))
        return (value + b"." + base64_encode(hmac.digest(self._key, value, "sha1"))).decode()

    def read(self, token: str) -> int | None:
        """The number that a token names, None for a forged one."""
        try:
            value = self._serializer.loads(token)
        except BadData:
            return None
        return value if isinstance(value, int) else None
