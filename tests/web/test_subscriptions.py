"""Signing up, confirming, leaving: nothing happens to who has not shown that the address is theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.jobs import mail_confirmations
from syndicate.model import Rhythm, Subscription, SubscriptionState
from syndicate.services import Services
from syndicate.store import subscriptions
from syndicate.web import create_app
from tests.render import hostile
from tests.samples import NOW, subscribe

FORM = "/qinglan/subscribe"
ADDRESS = "reader@example.org"


def state(services: Services, number: int = 1) -> SubscriptionState | None:
    known = found(services, number)
    return known.state if known else None


def found(services: Services, number: int = 1) -> Subscription | None:
    with store.reading(services.db) as db:
        return subscriptions.find(db, number)


def test_signing_up_makes_a_confirmation_due_and_sends_nothing(
    services: Services, client: FlaskClient
) -> None:
    answer = client.post(
        FORM,
        data={"address": f" {ADDRESS} ", "sections": ["yaowen"], "rhythm": "weekly", "language": "en"},
    )

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/qinglan/subscribe?asked=1"
    known = found(services)
    assert known is not None
    assert (known.address, known.sections, known.rhythm, known.language, known.state) == (
        ADDRESS,
        ("yaowen",),
        Rhythm.WEEKLY,
        "en",
        SubscriptionState.PENDING,
    )
    with store.reading(services.db) as db:
        assert subscriptions.unasked(db, NOW, 9) == (1,)
    assert not (services.settings.data / "outbox").exists()


def test_every_section_chosen_is_the_whole_paper(services: Services, client: FlaskClient) -> None:
    client.post(FORM, data={"address": ADDRESS, "sections": ["yaowen", "zonghe"]})

    known = found(services)
    assert known is not None
    assert known.sections == ()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("li@例子.example.org", "li@xn--fsqu00a.example.org"), ("李@例子.example.org", "李@例子.example.org")],
)
def test_an_address_is_kept_as_most_servers_take_it(
    services: Services, client: FlaskClient, given: str, kept: str
) -> None:
    client.post(FORM, data={"address": given})

    with store.reading(services.db) as db:
        known = subscriptions.find(db, 1)
    assert known is not None
    assert known.address == kept


def test_the_answer_does_not_tell_who_is_subscribed(services: Services, client: FlaskClient) -> None:
    subscribe(services.db, ADDRESS)

    known = client.post(FORM, data={"address": ADDRESS}, follow_redirects=True)
    unknown = client.post(FORM, data={"address": "somebody@example.org"}, follow_redirects=True)

    assert known.data == unknown.data
    assert known.headers["Content-Length"] == unknown.headers["Content-Length"]
    assert "请查看您的邮箱" in known.text


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nix",
        "a@b",
        "a@b@c.de",
        "a b@example.org",
        "a@example..org",
        "a@localhost",
        "x" * 300 + "@example.org",
    ],
)
def test_what_is_no_address_is_politely_refused(
    services: Services, client: FlaskClient, address: str
) -> None:
    answer = client.post(FORM, data={"address": address, "sections": "zonghe", "rhythm": "weekly"})

    assert answer.status_code == 422
    assert "请再看一看" in answer.text
    assert 'value="zonghe" checked' in answer.text
    assert 'value="weekly" checked' in answer.text
    assert found(services) is None


def test_hostile_addresses_do_no_harm(services: Services) -> None:
    without_limit = replace(services, settings=replace(services.settings, signups_per_hour=0))
    client = create_app(without_limit).test_client()

    for text in hostile.texts(payloads=False):
        answer = client.post(
            FORM,
            data={
                "address": text.encode("utf-8", "replace"),
                "language": text[:9].encode("utf-8", "replace"),
            },
        )

        assert answer.status_code in (303, 422), text
        assert "<script" not in answer.text


def test_an_address_is_kept_in_the_field_escaped(client: FlaskClient) -> None:
    answer = client.post(FORM, data={"address": '"><b>x'})

    assert 'value="&#34;&gt;&lt;b&gt;x"' in answer.text


def test_only_pressing_the_button_confirms(services: Services, client: FlaskClient) -> None:
    pending = subscribe(services.db, ADDRESS, confirmed=False)
    address = f"/qinglan/confirm/{services.tokens.confirm(pending.id)}"

    for look in (client.get, client.head):
        assert look(address).status_code == 200
        assert state(services) is SubscriptionState.PENDING
    assert '<form method="post"><button' in client.get(address).text

    answer = client.post(address)

    assert answer.status_code == 200
    assert "订阅成功" in answer.text
    assert state(services) is SubscriptionState.CONFIRMED
    assert "订阅成功" in client.get(address).text


def test_an_ended_subscription_is_not_confirmed_by_an_old_link(
    services: Services, client: FlaskClient
) -> None:
    known = subscribe(services.db, ADDRESS)
    client.post(f"/qinglan/leave/{services.tokens.leave(known.id)}")

    answer = client.post(f"/qinglan/confirm/{services.tokens.confirm(known.id)}")

    assert "已经结束" in answer.text
    assert state(services) is SubscriptionState.ENDED


def test_only_pressing_the_button_ends(services: Services, client: FlaskClient) -> None:
    known = subscribe(services.db, ADDRESS)
    address = f"/qinglan/leave/{services.tokens.leave(known.id)}"

    assert '<form method="post"><button' in client.get(address).text
    client.head(address)
    assert state(services) is SubscriptionState.CONFIRMED

    answer = client.post(address)

    assert answer.status_code == 200
    assert "已退订" in answer.text
    assert state(services) is SubscriptionState.ENDED
    assert client.post(address).status_code == 200
    assert "已退订" in client.get(address).text


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_mail_program_ends_in_one_click(services: Services, client: FlaskClient, kind: str) -> None:
    known = subscribe(services.db, ADDRESS)
    address = f"/qinglan/leave/{services.tokens.leave(known.id)}"

    answer = client.post(address, data={"List-Unsubscribe": "One-Click"}, content_type=kind)

    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert state(services) is SubscriptionState.ENDED


def test_a_link_serves_only_what_it_was_made_for(services: Services, client: FlaskClient) -> None:
    known = subscribe(services.db, ADDRESS, confirmed=False)
    confirm, leave = services.tokens.confirm(known.id), services.tokens.leave(known.id)

    for address in (
        f"/qinglan/confirm/{leave}",
        f"/qinglan/leave/{confirm}",
        f"/qinglan/leave/{leave[:-1]}",
        f"/qinglan/leave/{services.tokens.leave(99)}",
        "/qinglan/leave/.",
        "/qinglan/confirm/%00",
        "/nix/leave/x",
    ):
        assert client.post(address).status_code == 404, address
    assert state(services) is SubscriptionState.PENDING


def test_the_pages_behind_a_key_are_kept_nowhere_and_tell_nobody(
    services: Services, client: FlaskClient
) -> None:
    known = subscribe(services.db, ADDRESS, confirmed=False)

    for address in (
        f"/qinglan/confirm/{services.tokens.confirm(known.id)}",
        f"/qinglan/leave/{services.tokens.leave(known.id)}",
    ):
        answer = client.get(address)

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.text
        assert "ETag" not in answer.headers


def test_a_reader_signs_up_and_confirms_from_the_mail(services: Services, client: FlaskClient) -> None:
    client.post(FORM, data={"address": ADDRESS})
    mail_confirmations.run(services)

    listed = client.get("/outbox").text
    name = listed[listed.index("/outbox/") :].split('"')[0]
    text = client.get(name).text
    link = text[text.index("https://paper.example/qinglan/confirm/") :].split('"')[0].split("<")[0]
    client.post(link.removeprefix("https://paper.example"))

    assert state(services) is SubscriptionState.CONFIRMED
