"""Signed links."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syndicate.deliver.tokens import Tokens


@given(st.integers(min_value=1))
def test_a_token_names_its_subscription(number: int) -> None:
    tokens = Tokens("secret")

    assert tokens.confirmed(tokens.confirm(number)) == number
    assert tokens.left(tokens.leave(number)) == number


def test_a_token_serves_one_purpose_only() -> None:
    tokens = Tokens("secret")

    assert tokens.left(tokens.confirm(1)) is None
    assert tokens.confirmed(tokens.leave(1)) is None


@given(st.text())
def test_a_forged_token_is_nobody(token: str) -> None:
    assert Tokens("secret").confirmed(token) is None
    assert Tokens("secret").left(Tokens("other").leave(1)) is None
