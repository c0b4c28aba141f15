"""The operator's page: only with the password, and it hides nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.jobs import examine
from syndicate.model import DeliveryState, Rhythm
from syndicate.services import Services
from syndicate.store import deliveries
from syndicate.web import create_app
from tests.samples import DAY, NOW, article, issue, subscribe
from tests.samples import ingest as store_issue


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


DESK = basic("desk", "käse")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("desk", ""),
        basic("desk", "kase"),
        basic("Desk", "käse"),
        basic("", "käse"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic \xff"},
        {"Authorization": "Basic ZGVzaw=="},
        {"Authorization": "Bearer käse".encode().decode("latin-1")},
        {"Authorization": "Digest username=desk"},
    ],
)
def test_without_the_password_nothing_is_shown(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/desk", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "隔离区" not in answer.text


def test_an_empty_password_opens_nothing(services: Services) -> None:
    visitor = create_app(replace(services, desk_password="")).test_client()

    assert visitor.get("/desk", headers=basic("desk", "")).status_code == 401


def test_an_empty_desk_says_that_all_is_well(client: FlaskClient) -> None:
    answer = client.get("/desk", headers=DESK)

    assert answer.status_code == 200
    assert "一切正常" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_what_waits_and_what_was_set_aside_is_shown_with_its_reason(
    services: Services, client: FlaskClient
) -> None:
    data = services.settings.data
    (data / "inbox" / "qinglan-2026-11-19.txt").write_text("x")
    (data / "quarantine" / "<b>.txt").write_text("x")
    (data / "quarantine" / "<b>.txt.reason.txt").write_text("<b>.txt: no masthead was found\n")

    text = client.get("/desk", headers=DESK).text

    assert "qinglan-2026-11-19" in text
    assert "&lt;b&gt;.txt: no masthead was found" in text
    assert "有事待办" in text


def test_warnings_of_issues_and_articles_are_shown(services: Services, client: FlaskClient) -> None:
    doubted = article(1, warnings=("paragraph 2 breaks off",), confidence=0.25)
    store_issue(services.db, issue(doubted, article(2), warnings=("number 4711 does not follow 4709",)))

    text = client.get("/desk", headers=DESK).text

    assert "number 4711 does not follow 4709" in text
    assert "paragraph 2 breaks off" in text
    assert "25%" in text
    assert "第2号消息" not in text


def test_mail_and_subscribers_are_counted_and_doubtful_mail_is_named(
    services: Services, client: FlaskClient
) -> None:
    subscribe(services.db, "doubted@example.org")
    subscribe(services.db, "pending@example.org", confirmed=False)
    with store.writing(services.db) as db:
        deliveries.plan(db, "qinglan", Rhythm.ISSUE, DAY, DAY, "qinglan.example", NOW)
        deliveries.claim(db, 1, NOW)
        deliveries.hand(db, 1, NOW)
        deliveries.settle(db, 1, DeliveryState.DOUBTFUL, NOW, error="no answer after the message")

    text = client.get("/desk?lang=en", headers=DESK).text

    assert "doubted@example.org" in text
    assert "no answer after the message" in text
    assert "syndicate digest resend 1" in text
    assert "<dt>doubtful</dt><dd>1</dd>" in text
    assert "<dt>confirmed</dt><dd>1</dd>" in text
    assert "<dt>asked</dt><dd>1</dd>" in text


def test_an_inbox_that_is_gone_asks_for_patience(services: Services, client: FlaskClient) -> None:
    (services.settings.data / "inbox").rmdir()

    answer = client.get("/desk", headers=DESK)

    assert answer.status_code == 503
    assert str(services.settings.data) not in answer.text


def test_a_paper_that_is_no_longer_configured_is_not_behind(services: Services) -> None:
    store_issue(services.db, issue(article(1)))
    assert examine.run(services).unpublished == ("qinglan",)

    without = replace(services, settings=replace(services.settings, publications=()))

    assert examine.run(without).unpublished == ()
