"""The door for reports that are pushed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.model import BounceKind
from syndicate.services import Services
from syndicate.store import bounces, suppressions
from syndicate.web import create_app, hooks
from tests.readers.test_reports import OURS, sample
from tests.samples import subscribe
from tests.store.test_bounces import deliver

KEY = {"Authorization": "Bearer let me in"}


@pytest.fixture
def door(services: Services) -> FlaskClient:
    """A site whose door is open to who knows the secret, and a reader with one delivery."""
    deliver(services.db, subscribe(services.db, "reader@town.example"))
    settings = replace(services.settings, hook_secret="let me in")
    return create_app(replace(services, settings=settings)).test_client()


def test_a_report_that_is_posted_is_recorded_once(door: FlaskClient, services: Services) -> None:
    answers = [door.post("/hooks/bounces", data=sample("postfix-unknown"), headers=KEY) for _ in range(2)]

    assert [(a.status_code, a.text) for a in answers] == [(200, "hard\n"), (200, "known\n")]
    with store.reading(services.db) as db:
        assert [one.kind for one in bounces.history(db, 1)] == [BounceKind.HARD]
        assert suppressions.suppressed(db, ["reader@town.example"])


def test_the_recipient_may_stand_in_the_address(door: FlaskClient) -> None:
    mail = sample("postfix-unknown").replace(OURS.encode(), b"")

    answer = door.post("/hooks/bounces", query_string={"recipient": OURS}, data=mail, headers=KEY)

    assert answer.text == "hard\n"


@pytest.mark.parametrize(
    "given", ["", "let me in", "Bearer let me", "Bearer let me in ", "Basic bGV0IG1lIGlu", "Bearer käse"]
)
def test_without_the_secret_nothing_is_read(door: FlaskClient, services: Services, given: str) -> None:
    answer = door.post("/hooks/bounces", data=sample("postfix-unknown"), headers={"Authorization": given})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    with store.reading(services.db) as db:
        assert bounces.history(db, 1) == ()


def test_where_no_secret_is_set_there_is_no_door(client: FlaskClient) -> None:
    assert client.post("/hooks/bounces", data=b"x", headers={"Authorization": "Bearer "}).status_code == 404


def test_there_is_nothing_to_look_at(door: FlaskClient) -> None:
    assert door.get("/hooks/bounces", headers=KEY).status_code == 405


def test_no_message_is_refused(door: FlaskClient) -> None:
    assert door.post("/hooks/bounces", headers=KEY).status_code == 400


def test_a_message_may_be_larger_than_a_form_but_not_endless(door: FlaskClient) -> None:
    mail = sample("postfix-unknown")

    large = door.post("/hooks/bounces", data=mail + b"x" * 2_000_000, headers=KEY)
    too_large = door.post("/hooks/bounces", data=b"x" * (hooks.LARGEST + 1), headers=KEY)

    assert large.text == "hard\n"
    assert too_large.status_code == 413
