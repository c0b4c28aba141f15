"""Clicks are counted by article, and by nothing else, and only where the paper wants it."""

from __future__ import annotations

from dataclasses import replace

from flask.testing import FlaskClient

from syndicate import store
from syndicate.services import Services
from syndicate.store import digests
from syndicate.web import create_app
from tests.samples import DAY, issue
from tests.samples import ingest as store_issue
from tests.store.test_deliveries import plan

LINK = f"/qinglan/go/1/{DAY}/1/1"


def counting(services: Services) -> FlaskClient:
    store_issue(services.db, issue())
    with store.writing(services.db) as db:
        plan(db)
    return create_app(replace(services, settings=replace(services.settings, count_clicks=True))).test_client()


def clicked(services: Services) -> tuple[tuple[str, int], ...]:
    with store.reading(services.db) as db:
        return digests.clicked(db, 1)


def test_a_click_leads_to_the_article_and_is_counted(services: Services) -> None:
    visitor = counting(services)

    answers = [visitor.get(LINK) for _ in range(2)]

    assert {(a.status_code, a.location) for a in answers} == {(302, f"/qinglan/{DAY}/1/1")}
    assert "Set-Cookie" not in answers[0].headers
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert [count for _, count in clicked(services)] == [2]


def test_what_only_asks_for_headers_is_not_counted(services: Services) -> None:
    assert counting(services).head(LINK).status_code == 302
    assert clicked(services) == ()


def test_an_unknown_digest_or_article_is_not_counted(services: Services) -> None:
    visitor = counting(services)

    assert visitor.get(f"/qinglan/go/99/{DAY}/1/1").status_code == 302
    assert visitor.get(f"/qinglan/go/1/{DAY}/1/99").status_code == 404
    assert clicked(services) == ()


def test_where_clicks_are_not_counted_an_old_link_still_leads_on(
    client: FlaskClient, services: Services
) -> None:
    counting(services)

    assert client.get(LINK).status_code == 302
    assert clicked(services) == ()
