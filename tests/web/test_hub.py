"""The hub's door: what it takes, what it refuses and why. What it then does: test_websub_rocks.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from syndicate import store
from syndicate.errors import SettingsError
from syndicate.jobs import websub as job
from syndicate.services import Services
from syndicate.settings import CHECKOUT, load
from syndicate.store import websub
from syndicate.store.tables import hub_subscriptions
from syndicate.web import create_app
from tests.subscriber import subscriber
from tests.web.conftest import SITE

FORMS = ("all.atom", "all.rss", "all.json")
ALL = f"{SITE}/qinglan/feeds/all.atom"
CALLBACK = "https://reader.example/websub?k=7f3a"


@pytest.fixture
def house(services: Services) -> Services:
    """The service with three feeds, as anybody finds it: not in development."""
    folder = services.settings.data / "public" / "qinglan" / "feeds"
    folder.mkdir(parents=True)
    for name in FORMS:
        (folder / name).write_text(f"{name} 青岚", encoding="utf-8")
    return replace(services, settings=replace(services.settings, development=False))


@pytest.fixture
def visitor(house: Services) -> FlaskClient:
    return create_app(house).test_client()


@pytest.fixture
def post(visitor: FlaskClient) -> Callable[..., TestResponse]:
    """Ask the hub; what is not said is said as it should be, what is None is not said."""

    def ask(**fields: str | None) -> TestResponse:
        form = {"mode": "subscribe", "topic": ALL, "callback": CALLBACK} | fields
        return visitor.post("/hub", data={f"hub.{k}": v for k, v in form.items() if v is not None})

    return ask


Post = Callable[..., TestResponse]


def noted(house: Services) -> list[tuple[str, str | None, int | None]]:
    columns = hub_subscriptions.c
    with store.reading(house.db) as db:
        rows = db.execute(select(columns.topic, columns.wish_secret, columns.wish_lease).order_by(columns.id))
        return [(row.topic, row.wish_secret, row.wish_lease) for row in rows]


def test_a_wish_is_noted_and_nobody_is_asked_yet(house: Services, post: Post) -> None:
    answer = post(secret="hush", lease_seconds="86400")

    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert noted(house) == [(ALL, "hush", 86400)]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, 864000),
        ("", 864000),
        ("forever", 864000),
        ("-1", 864000),
        ("１２", 864000),
        ("9" * 5000, 864000),
        ("0", 3600),
        ("60", 3600),
        ("7200", 7200),
        ("2592000", 2592000),
        ("31536000", 2592000),
    ],
)
def test_a_lease_is_given_within_limits_and_never_for_ever(
    house: Services, post: Post, asked: str | None, given: int
) -> None:
    assert post(lease_seconds=asked).status_code == 202
    assert noted(house)[0][2] == given


@pytest.mark.parametrize("form", FORMS)
def test_every_format_is_a_topic(house: Services, post: Post, form: str) -> None:
    assert post(topic=f"{SITE}/qinglan/feeds/{form}").status_code == 202


def test_a_topic_in_another_encoding_is_the_same_topic(house: Services, post: Post) -> None:
    assert post(topic=f"{SITE}/%71inglan/feeds/all%2Eatom").status_code == 202
    assert [topic for topic, *_ in noted(house)] == [ALL]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"mode": None}, "hub.mode: "),
        ({"mode": "denied"}, "hub.mode: "),
        ({"mode": "SUBSCRIBE"}, "hub.mode: "),
        ({"topic": None}, "hub.topic: not a feed of this site"),
        ({"topic": ""}, "hub.topic: not a feed of this site"),
        ({"topic": "https://other.example/feed"}, "hub.topic: not a feed of this site"),
        ({"topic": f"{SITE}/qinglan/feeds/byline-nobody.atom"}, "hub.topic: not a feed of this site"),
        ({"topic": f"{SITE}/other/feeds/all.atom"}, "hub.topic: not a feed of this site"),
        ({"topic": f"{SITE}/qinglan/feeds/all.atom?x=1"}, "hub.topic: not a feed of this site"),
        ({"topic": f"{SITE}/qinglan/feeds/\0.atom"}, "hub.topic: not a feed of this site"),
        ({"callback": None}, "hub.callback: only http"),
        ({"callback": "reader.example"}, "hub.callback: only http"),
        ({"callback": "javascript:alert(1)"}, "hub.callback: only http"),
        ({"callback": "https://reader.example/\0"}, "hub.callback: only http"),
        ({"callback": "https://u:p@reader.example/"}, "hub.callback: a host is needed"),
        ({"callback": "https://reader.example:25/"}, "hub.callback: only the ports"),
        ({"callback": "https://reader.example/#x"}, "hub.callback: an address without"),
        ({"callback": "http://127.0.0.1/"}, "hub.callback: not an address of the public net"),
        ({"callback": "http://[::ffff:169.254.169.254]/"}, "hub.callback: not an address of the public net"),
        ({"callback": "https://reader.example/" + "x" * 1002}, "hub.callback: at most 1024 bytes"),
        ({"secret": "x" * 200}, "hub.secret: at most 199 bytes"),
        ({"secret": "青" * 67}, "hub.secret: at most 199 bytes"),
        ({"secret": "a\0b"}, "hub.secret: at most 199 bytes"),
    ],
)
def test_what_cannot_be_granted_is_refused_with_its_reason(
    house: Services, post: Post, fields: dict[str, str | None], why: str
) -> None:
    answer = post(**fields)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.get_data(as_text=True).startswith(why)
    assert noted(house) == []


@pytest.mark.parametrize(
    "fields", [{"secret": "x" * 199}, {"callback": "https://reader.example/" + "x" * 1001}]
)
def test_the_longest_that_is_allowed_is_taken(post: Post, fields: dict[str, str]) -> None:
    assert post(**fields).status_code == 202


def test_something_else_than_a_form_is_refused(visitor: FlaskClient) -> None:
    answer = visitor.post("/hub", json={"hub.mode": "subscribe", "hub.topic": ALL, "hub.callback": CALLBACK})

    assert answer.status_code == 400
    assert "form" in answer.get_data(as_text=True)


def test_a_request_that_is_too_large_is_refused(post: Post) -> None:
    assert post(foo="x" * 20_000).status_code == 413


def test_the_hub_is_not_a_page(visitor: FlaskClient) -> None:
    answer = visitor.get("/hub")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_who_floods_one_host_is_told_to_wait(house: Services, post: Post) -> None:
    for n in range(websub.HOST_WAITING):
        assert post(callback=f"https://reader.example/{n}").status_code == 202

    answer = post(callback="https://READER.example./more")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert post(callback="https://other.example/").status_code == 202


def test_who_leaves_may_leave_a_feed_that_is_no_more(house: Services, post: Post) -> None:
    gone = f"{SITE}/qinglan/feeds/byline-nobody.atom"

    assert post(mode="unsubscribe", topic=gone).status_code == 202
    assert post(mode="unsubscribe", topic="https://other.example/").status_code == 400


def test_a_notice_of_our_own_feeds_is_taken_and_changes_nothing(house: Services, post: Post) -> None:
    assert post(mode="publish", topic=None, callback=None, url=ALL).status_code == 202
    assert post(mode="publish", callback=None).status_code == 202
    assert post(mode="publish", topic="https://other.example/", callback=None).status_code == 400
    assert post(mode="publish", topic=None, callback=None).status_code == 400
    assert noted(house) == []


def test_where_the_hub_is_elsewhere_subscribers_are_sent_there(house: Services) -> None:
    hub = "https://hub.example/push"
    there = replace(house, settings=replace(house.settings, websub_hub=hub))

    answer = create_app(there).test_client().post("/hub", data={"hub.mode": "subscribe"})

    assert (answer.status_code, answer.headers["Location"]) == (307, hub)
    assert there.settings.hub_url == hub


def test_without_a_hub_there_is_none(house: Services) -> None:
    none = replace(house, settings=replace(house.settings, websub_hub="none"))

    assert create_app(none).test_client().post("/hub").status_code == 404
    assert none.settings.hub_url is None
    assert house.settings.hub_url == f"{SITE}/hub"


@pytest.mark.parametrize("hub", ["own", "none", "https://hub.example/", "https://hub.example:8443/a?b=c"])
def test_a_hub_can_be_chosen(hub: str) -> None:
    assert load({"SYNDICATE_WEBSUB_HUB": hub}).websub_hub == hub


@pytest.mark.parametrize(
    "hub", ["", "yes", "http://hub.example/", "https://", "https://a b", "https://h/>; rel"]
)
def test_a_hub_that_is_none_is_named(hub: str) -> None:
    with pytest.raises(SettingsError, match=r"SYNDICATE_WEBSUB_HUB: expected own, none or https://"):
        load({"SYNDICATE_WEBSUB_HUB": hub})


def test_no_newspaper_takes_the_hub_s_address(tmp_path: Path) -> None:
    paper = (CHECKOUT / "config" / "publications" / "qinglan.toml").read_text(encoding="utf-8")
    (tmp_path / "publications").mkdir()
    (tmp_path / "publications" / "hub.toml").write_text(paper, encoding="utf-8")
    (tmp_path / "syndicate.toml").touch()

    with pytest.raises(SettingsError, match="/hub is an address of the site's own"):
        load({"SYNDICATE_CONFIG": str(tmp_path)})


# ── a subscriber on this machine ─────────────────────────────────────────────────────────


def test_in_development_a_subscriber_may_be_on_this_machine_and_else_not(house: Services) -> None:
    lenient = replace(house, settings=replace(house.settings, development=True))
    with subscriber() as reader:
        form = {"hub.mode": "subscribe", "hub.topic": ALL, "hub.callback": reader.url}

        assert create_app(house).test_client().post("/hub", data=form).status_code == 400
        assert create_app(lenient).test_client().post("/hub", data=form).status_code == 202
        job.run(lenient)

        (asked,) = reader.asked
        assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", ALL)
