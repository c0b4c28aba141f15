"""Cards are served at their addresses, and are gone with their articles."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from syndicate import store
from syndicate.jobs import cards as job
from syndicate.render import cards
from syndicate.services import Services
from syndicate.store import entries
from syndicate.web import create_app
from tests.conftest import optional
from tests.samples import DAY, article, issue
from tests.samples import ingest as store_issue
from tests.web.conftest import print_issue

CARD = f"/qinglan/cards/{DAY}/1-1-wide.png"


@pytest.fixture(autouse=True)
def _font() -> None:
    if not job.available():
        optional("no font for Chinese is installed (Debian: fonts-noto-cjk)")


@pytest.mark.parametrize("shape", cards.SHAPES)
def test_a_card_is_a_picture_of_its_shape(front: FlaskClient, shape: str) -> None:
    answer = front.get(f"/qinglan/cards/{DAY}/1-1-{shape}.png")

    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert Image.open(BytesIO(answer.data)).size == cards.SHAPES[shape]
    assert len(answer.data) < 200_000
    assert answer.headers["Cache-Control"].startswith("public, max-age=86400")


def test_who_has_the_card_gets_no_bytes(front: FlaskClient) -> None:
    first = front.get(CARD)

    again = front.get(CARD + "?v=5f0c", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")


def test_a_card_is_drawn_once(printed: Services) -> None:
    first = create_app(printed).test_client().get(CARD)
    (kept,) = (printed.settings.data / "cards").rglob("*.png")
    kept.write_bytes(first.data + b"kept")

    assert create_app(printed).test_client().get(CARD).data == first.data + b"kept"


def test_another_headline_is_another_card(services: Services, client: FlaskClient) -> None:
    print_issue(services, article(1), article(2))
    first = client.get(CARD)

    print_issue(services, article(1, headline="第一号消息更正"), article(2))
    second = client.get(CARD, headers={"If-None-Match": first.headers["ETag"]})

    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]
    assert len(list((services.settings.data / "cards").rglob("*.png"))) == 1


def test_a_withdrawn_article_s_card_is_gone(services: Services, client: FlaskClient) -> None:
    print_issue(services, article(1), article(2))
    with store.reading(services.db) as db:
        second = entries.find(db, "qinglan", DAY, 1, 2)
    assert second is not None
    assert client.get(cards.path(second, "wide")).status_code == 200
    store_issue(services.db, issue(article(1)))

    assert client.get(cards.path(second, "wide")).status_code == 410
    assert list((services.settings.data / "cards").rglob("*.png")) == []


@pytest.mark.parametrize("name", ["1-9-wide", "9-1-wide", "1-1-tall", "1-1", "01-1-wide", "1-1-wide.x"])
def test_what_is_no_card_is_not_found(front: FlaskClient, name: str) -> None:
    assert front.get(f"/qinglan/cards/{DAY}/{name}.png").status_code == 404


def test_a_notice_has_no_card(front: FlaskClient) -> None:
    assert front.get("/qinglan/cards/2026-11-18/2-2-wide.png").status_code == 404


def test_a_full_disk_costs_the_copy_only(services: Services) -> None:
    print_issue(services, article(1))
    (services.settings.data / "cards").write_text("no folder")

    assert create_app(services).test_client().get(CARD).status_code == 200


@pytest.mark.parametrize("families", [(), (Path("no-font.otf"),)], ids=("none", "broken"))
@pytest.mark.parametrize("shape", cards.SHAPES)
def test_without_a_font_every_address_has_a_picture_of_its_shape(
    services: Services, monkeypatch: pytest.MonkeyPatch, families: tuple[Path, ...], shape: str
) -> None:
    print_issue(services, article(1))
    monkeypatch.setattr(job, "available", lambda: families)
    visitor = create_app(services).test_client()

    for name in (f"{DAY}/1-1", "paper"):
        answer = visitor.get(f"/qinglan/cards/{name}-{shape}.png")

        assert (answer.status_code, answer.content_type) == (200, "image/png")
        assert Image.open(BytesIO(answer.data)).size == cards.SHAPES[shape]


@pytest.mark.parametrize("shape", cards.SHAPES)
def test_the_paper_has_a_card_of_its_own(front: FlaskClient, shape: str) -> None:
    answer = front.get(f"/qinglan/cards/paper-{shape}.png")

    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert Image.open(BytesIO(answer.data)).size == cards.SHAPES[shape]
    assert front.get("/qinglan/cards/paper-tall.png").status_code == 404


def test_what_shows_links_shows_a_square_card_first_and_a_wide_one(front: FlaskClient) -> None:
    text = front.get(f"/qinglan/{DAY}/1/1").text

    told = re.findall(r'<meta property="og:image" content="https://paper\.example([^"]+)">', text)
    sizes = [Image.open(BytesIO(front.get(address).data)).size for address in told]
    assert sizes == [cards.SHAPES["square"], cards.SHAPES["shared"]]
    assert 'content="summary_large_image"' in text
