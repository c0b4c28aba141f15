"""Signed links."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from syndicate.deliver.tokens import Tokens


@given(st.integers(min_value=1))
def test_a_token_names_its_subscription(number: int) -> None:
    tokens = Tokens("secret")

    assert tokens.confirmed(tokens.confirm(number)) == number
    assert tokens.left(tokens.leave(number)) == number


@given(st.integers(min_value=1, max_value=10**9))
def test_a_token_is_the_one_that_itsdangerous_makes(number: int) -> None:
    assert Tokens("secret").leave(number) == URLSafeSerializer("secret", salt="leave").dumps(number)


def test_a_token_serves_one_purpose_only() -> None:
    tokens = Tokens("secret")

    assert tokens.left(tokens.confirm(1)) is None
    assert tokens.confirmed(tokens.leave(1)) is None


@given(st.text())
def test_a_forged_token_is_nobody(token: str) -> None:
    assert Tokens("secret").confirmed(token) is None
    assert Tokens("secret").left(Tokens("other").leave(1)) is None


BOUNCES = "bounces@paper.example"


@given(st.integers(min_value=1, max_value=10**18 - 1), st.sampled_from(["b", "bounces", "b" * 30]))
def test_a_return_path_names_its_delivery_and_fits(number: int, local: str) -> None:
    tokens = Tokens("secret")

    made = tokens.return_path(f"{local}@paper.example", number)

    assert len(made.partition("@")[0]) <= 64  # octets, RFC 5321 §4.5.3.1.1
    assert tokens.returned(made) == number
    assert tokens.returned(made.upper()) == tokens.returned(made.lower()) == number
    assert (
        tokens.returned(f"SRS0=Hx1=Q7=paper.example={made.replace('@paper.example', '@relay.example')}")
        == number
    )
    assert tokens.returned(f"<{made}>") == number


def test_a_return_path_serves_one_purpose_only() -> None:
    tokens = Tokens("secret")
    ways = {
        tokens.return_path(BOUNCES, 7): tokens.returned,
        tokens.confirmation_path(BOUNCES, 7): tokens.confirmation_returned,
        tokens.leave_mail(BOUNCES, 7): tokens.left_by_mail,
    }

    for made in ways:
        assert [read(made) for read in ways.values()].count(None) == 2
        assert ways[made](made) == 7
    assert tokens.leave_mail(BOUNCES, 7).startswith("leave+l7-")


@given(st.text())
def test_a_forged_return_path_is_nobody(address: str) -> None:
    tokens, made = Tokens("secret"), Tokens("secret").return_path(BOUNCES, 12)

    assert tokens.returned(address) is None
    assert tokens.returned(made.replace("+d12-", "+d13-")) is None
    assert tokens.returned(made.replace("+d12-", "+d012-")) is None
    assert tokens.returned(made.replace("@", "a@")) is None
    assert Tokens("other").returned(made) is None


def test_a_link_to_move_is_for_one_address() -> None:
    tokens = Tokens("secret")
    made = tokens.move(7, "new@example.org")

    assert tokens.moved(made) == 7
    assert tokens.move(7, "new@example.org") == made
    assert tokens.move(7, "other@example.org") != made
    assert "new" not in made
    assert tokens.managed(made) is None
    assert tokens.moved(tokens.manage(7)) is None


@given(st.text())
def test_a_forged_link_to_move_is_nobody(token: str) -> None:
    assert Tokens("secret").moved(token) is None
    assert Tokens("secret").moved(Tokens("other").move(1, "a@example.org")) is None


def test_an_erased_address_is_known_again_by_who_has_the_secret() -> None:
    mark = Tokens("secret").erased("Reader@example.org")

    assert mark == Tokens("secret").erased("reader@EXAMPLE.org")
    assert mark != Tokens("other").erased("reader@example.org")
    assert "reader" not in mark
