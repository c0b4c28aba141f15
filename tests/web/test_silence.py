"""Nothing outside tells whether an address is subscribed: not the answer, not its headers, not the work it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from syndicate import store
from syndicate.services import Services
from syndicate.store import erasure, subscriptions, suppressions
from syndicate.web import create_app
from tests.samples import NOW, subscribe

KINDS = ("unknown", "pending", "asked", "confirmed", "left", "erased", "bounced", "complained", "operator")


@pytest.fixture
def known(services: Services) -> Services:
    """One address of each kind, named after it."""
    made = {
        name: subscribe(services.db, f"{name}@example.org", confirmed=name != "pending") for name in KINDS[1:]
    }
    with store.writing(services.db) as db:
        subscriptions.sign_up(
            db, services.settings.publications[0], "asked@example.org", made["asked"].wish, NOW
        )
        subscriptions.claim_asking(db, made["asked"].id, NOW)
        subscriptions.end(db, made["left"].id, NOW)
        erasure.erase(db, made["erased"].id, services.tokens.erased("erased@example.org"), NOW)
        for reason in ("bounced", "complained", "operator"):
            suppressions.add(db, f"{reason}@example.org", reason, "", NOW)
            subscriptions.end(db, made[reason].id, NOW, reason)
    return services


@contextmanager
def statements(services: Services) -> Iterator[list[str]]:
    """What the database is told, in kind: SELECT, INSERT or UPDATE."""
    told: list[str] = []

    def note(*executed: Any) -> None:
        told.append(executed[2].split()[0])

    event.listen(services.db, "after_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(services.db, "after_cursor_execute", note)


@pytest.mark.parametrize("form", ["page", "api"])
def test_the_answer_is_the_same_for_every_address(known: Services, form: str) -> None:
    client = create_app(known).test_client()
    said = set()

    for kind in KINDS:
        answer = post(client, form, f"{kind}@example.org")
        said.add((answer.status, answer.data, tuple(sorted(answer.headers.items()))))

    assert len(said) == 1


@pytest.mark.parametrize("form", ["page", "api"])
def test_the_work_is_the_same_for_every_address(known: Services, form: str) -> None:
    client = create_app(known).test_client()
    writes = {}

    for kind in KINDS:
        with statements(known) as told:
            post(client, form, f"{kind}@example.org")
        writes[kind] = [what for what in told if what in ("INSERT", "UPDATE")]

    assert {len(some) for some in writes.values()} == {1}, writes


def test_moving_to_an_address_tells_nothing_of_it(known: Services) -> None:
    client = create_app(known).test_client()
    said = set()

    for n, kind in enumerate(KINDS):
        mine = subscribe(known.db, f"mover{n}@example.org")
        page = f"/qinglan/mine/{known.tokens.manage(mine.id)}"
        answer = client.post(page, data={"do": "move", "address": f"{kind}@example.org"})
        shown = client.get(page).text.replace(f"{kind}@", "x@").replace(f"mover{n}@", "mover@")
        said.add((answer.status, answer.data.replace(page.encode(), b""), len(shown)))

    assert len({(status, body) for status, body, _ in said}) == 1


def post(client: FlaskClient, form: str, address: str) -> Any:
    if form == "api":
        return client.post("/qinglan/subscriptions.json", json={"address": address})
    return client.post("/qinglan/subscribe", data={"address": address})
