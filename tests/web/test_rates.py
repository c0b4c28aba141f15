"""How often a network may ask: a machine is stopped, a school is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from syndicate.services import Services
from syndicate.web import create_app
from tests.samples import subscribe


def visitor(services: Services, **settings: int) -> FlaskClient:
    return create_app(
        replace(services, settings=replace(services.settings, **settings))  # type: ignore[arg-type]  # numbers all
    ).test_client()


def ask(client: FlaskClient, address: str, *, forwarded: str = "") -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    answer = client.post(
        "/qinglan/subscriptions.json",
        json={"address": "a@example.org"},
        environ_base={"REMOTE_ADDR": address},
        headers=headers,
    )
    return answer.status_code


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        ("192.0.2.1", "192.0.2.254", "192.0.3.1"),
        ("::ffff:192.0.2.1", "192.0.2.2", "::ffff:192.0.3.1"),
        ("2001:db8:0:100::1", "2001:db8:0:1ff::9", "2001:db8:0:200::1"),
        ("fe80::1%eth0", "fe80::2", "fe81::1"),
    ],
)
def test_a_network_is_counted_as_one(services: Services, first: str, same: str, other: str) -> None:
    client = visitor(services, signups_per_hour=2)

    assert [ask(client, one) for one in (first, same, same, other)] == [202, 202, 429, 202]


def test_who_asks_too_often_is_told_when_to_come_again(services: Services) -> None:
    client = visitor(services, signups_per_hour=1)
    ask(client, "192.0.2.1")
    at = {"REMOTE_ADDR": "192.0.2.1"}

    page = client.post("/qinglan/subscribe", data={"address": "a@example.org"}, environ_base=at)
    english = client.post("/qinglan/subscribe?lang=en", data={"address": "a@example.org"}, environ_base=at)
    api = client.post("/qinglan/subscriptions.json", json={"address": "a@example.org"}, environ_base=at)

    for answer in (page, english, api):
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 3601
    assert 'lang="zh-CN"' in page.text
    assert "A little later, please" in english.text
    assert api.json == {"error": "too many from this network"}


def test_asking_to_move_counts_too(services: Services) -> None:
    client = visitor(services, signups_per_hour=1)
    reader = subscribe(services.db)
    mine = f"/qinglan/mine/{services.tokens.manage(reader.id)}"

    answers = [client.post(mine, data={"do": "move", "address": f"n{n}@example.org"}) for n in range(2)]

    assert [answer.status_code for answer in answers] == [303, 429]


def test_a_forwarded_address_is_believed_of_ones_own_proxies_only(services: Services) -> None:
    straight = visitor(services, signups_per_hour=1)
    assert [ask(straight, "127.0.0.1", forwarded=f"192.0.{n}.1") for n in range(2)] == [202, 429]

    behind = visitor(services, signups_per_hour=1, trusted_proxies=1)
    claimed = [f"{made_up}, 198.51.100.7" for made_up in ("203.0.113.1", "192.0.2.9")]
    assert [ask(behind, "127.0.0.1", forwarded=one) for one in claimed] == [202, 429]
    assert ask(behind, "127.0.0.1", forwarded="198.51.101.7") == 202


@pytest.mark.parametrize("address", ["", "nix", "unix:"])
def test_who_comes_from_nowhere_is_one_network(services: Services, address: str) -> None:
    client = visitor(services, signups_per_hour=1)

    assert [ask(client, address), ask(client, address)] == [202, 429]
