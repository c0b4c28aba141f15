"""Signed links: who holds one was sent it, and it can be neither guessed nor turned to another use."""

from __future__ import annotations

from itsdangerous import BadData, URLSafeSerializer


class Tokens:
    """Makes and reads the tokens in confirmation and unsubscribe links, signed with `secret`.

    They do not expire: a digest may be left years after it came (RFC 8058 asks no less).
    """

    def __init__(self, secret: str) -> None:
        self._confirm = URLSafeSerializer(secret, salt="confirm")
        self._leave = URLSafeSerializer(secret, salt="leave")

    def confirm(self, subscription: int) -> str:
        """The token that confirms a subscription."""
        return str(self._confirm.dumps(subscription))

    def confirmed(self, token: str) -> int | None:
        """The subscription that a confirm token names, None for a forged one."""
        return _read(self._confirm, token)

    def leave(self, subscription: int) -> str:
        """The token that ends a subscription."""
        return str(self._leave.dumps(subscription))

    def left(self, token: str) -> int | None:
        """The subscription that a leave token names, None for a forged one."""
        return _read(self._leave, token)


def _read(serializer: URLSafeSerializer, token: str) -> int | None:
    try:
        value = serializer.loads(token)
    except BadData:
        return None
    return value if isinstance(value, int) else None
