"""The operator's page: only with the password, and it hides nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.jobs import examine
from syndicate.model import DeliveryState, OfficialAccount, PushKind, PushState, Robot, RobotKind
from syndicate.services import Services
from syndicate.store import deliveries, digests, entries, pushes, subscriptions
from syndicate.store.deliveries import Settled
from syndicate.web import create_app
from tests.samples import DAY, MINUTE, NOW, PAPER, article, issue, subscribe
from tests.samples import ingest as store_issue
from tests.store.test_deliveries import plan


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


def settle_first(services: Services, state: DeliveryState, said: str) -> None:
    """Plan a digest, after which the first delivery is in that state."""
    with store.writing(services.db) as db:
        plan(db)
        deliveries.claim(db, "a", NOW, 1)
        deliveries.settle(db, "a", [Settled(1, state, said)], NOW)


def test_mail_and_subscribers_are_counted_and_doubtful_mail_is_named(
    services: Services, client: FlaskClient
) -> None:
    subscribe(services.db, "doubted@example.org")
    subscribe(services.db, "pending@example.org", confirmed=False)
    settle_first(services, DeliveryState.DOUBTFUL, "no answer after the message")

    text = client.get("/desk?lang=en", headers=DESK).text

    assert "doubted@example.org" in text
    assert "no answer after the message" in text
    assert 'action="/desk/deliveries/1?lang=en"' in text
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


def test_a_digest_is_paused_and_cancelled_from_the_desk(client: FlaskClient, services: Services) -> None:
    for n in range(2):
        subscribe(services.db, f"{n}@example.org")
    with store.writing(services.db) as db:
        plan(db)

    paused = client.post("/desk/digests/1", data={"wish": "pause"}, headers=DESK)
    page = client.get("/desk", headers=DESK).text
    with store.writing(services.db) as db:
        assert deliveries.claim(db, "a", NOW, 9) == ()
    client.post("/desk/digests/1", data={"wish": "cancel"}, headers=DESK)

    assert (paused.status_code, paused.location) == (303, "/desk#mail")
    assert "已暂停" in page
    assert "继续" in page
    with store.reading(services.db) as db:
        assert deliveries.counts(db)[DeliveryState.VOID] == 2
    assert client.post("/desk/digests/1", data={"wish": "resume"}, headers=DESK).status_code == 404
    assert client.post("/desk/digests/1", data={"wish": "burn"}, headers=DESK).status_code == 400
    assert client.post("/desk/digests/9", data={"wish": "pause"}, headers=DESK).status_code == 404


@pytest.mark.parametrize(("wish", "state"), [("arrived", DeliveryState.SENT), ("again", DeliveryState.DUE)])
def test_a_person_says_what_became_of_a_doubtful_letter(
    client: FlaskClient, services: Services, wish: str, state: DeliveryState
) -> None:
    subscribe(services.db)
    settle_first(services, DeliveryState.DOUBTFUL, "no answer after the message")

    assert client.post("/desk/deliveries/1", data={"wish": wish}).status_code == 401
    assert client.post("/desk/deliveries/1", data={"wish": "burn"}, headers=DESK).status_code == 400
    pressed = client.post("/desk/deliveries/1", data={"wish": wish}, headers=DESK)

    assert (pressed.status_code, pressed.location) == (303, "/desk#mail")
    with store.reading(services.db) as db:
        assert deliveries.counts(db)[state] == 1
    assert client.post("/desk/deliveries/1", data={"wish": wish}, headers=DESK).status_code == 404


def test_what_failed_of_a_digest_is_tried_again_from_the_desk(
    client: FlaskClient, services: Services
) -> None:
    subscribe(services.db)
    settle_first(services, DeliveryState.FAILED, "554 5.7.1 spam")

    page = client.get("/desk?lang=en", headers=DESK).text
    pressed = client.post("/desk/digests/1", data={"wish": "retry"}, headers=DESK)

    assert "Try again what failed" in page
    assert "Pause" not in page
    assert pressed.status_code == 303
    with store.reading(services.db) as db:
        assert deliveries.counts(db)[DeliveryState.DUE] == 1
    assert client.post("/desk/digests/9", data={"wish": "retry"}, headers=DESK).status_code == 404


def test_the_desk_says_why_the_machine_paused_a_digest(client: FlaskClient, services: Services) -> None:
    subscribe(services.db)
    with store.writing(services.db) as db:
        plan(db)
        digests.hold(db, 1, "paused", NOW, "relay:25: 553 <sender> rejected")

    assert "已暂停: relay:25: 553 &lt;sender&gt; rejected" in client.get("/desk", headers=DESK).text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        DESK | {"Origin": "https://elsewhere.example"},
        DESK | {"Origin": "null"},
        DESK | {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_other_site_presses_the_desk_s_buttons(
    client: FlaskClient, services: Services, headers: dict[str, str]
) -> None:
    subscribe(services.db)
    with store.writing(services.db) as db:
        plan(db)

    answer = client.post("/desk/digests/1", data={"wish": "cancel"}, headers=headers)

    assert answer.status_code == (403 if headers else 401)
    with store.reading(services.db) as db:
        assert deliveries.counts(db)[DeliveryState.DUE] == 1


def test_a_form_of_our_own_may_say_where_it_comes_from(client: FlaskClient, services: Services) -> None:
    subscribe(services.db)
    with store.writing(services.db) as db:
        plan(db)

    own = DESK | {"Origin": "http://localhost"}
    assert client.post("/desk/digests/1", data={"wish": "pause"}, headers=own).status_code == 303


def test_a_digest_s_numbers_name_no_address(client: FlaskClient, services: Services) -> None:
    store_issue(services.db, issue())
    reader = subscribe(services.db, "reader@example.org")
    with store.writing(services.db) as db:
        plan(db)
        deliveries.claim(db, "a", NOW, 1)
        deliveries.settle(db, "a", [Settled(1, DeliveryState.SENT)], NOW)
        (first, *_) = entries.of_issue(db, "qinglan", DAY)
        for _ in range(3):
            digests.count_click(db, 1, first.id)
        subscriptions.end(db, reader.id, NOW)

    page = client.get("/desk/digests/1", headers=DESK)

    assert page.status_code == 200
    assert "reader@example.org" not in page.text
    assert "<td>3</td>" in page.text
    assert "<dt>一周内退订</dt><dd>1</dd>" in page.text
    assert client.get("/desk/digests/9", headers=DESK).status_code == 404
    assert client.get("/desk/digests/1").status_code == 401


def robots(services: Services) -> Services:
    robot = Robot(
        "readers", RobotKind.WECOM, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx"
    )
    paper = replace(PAPER, robots=(robot,), official_account=OfficialAccount("wx5f0c", "app-hush"))
    return replace(services, settings=replace(services.settings, publications=(paper,)))


def test_robots_are_shown_without_their_keys_and_tested_by_a_button(services: Services) -> None:
    visitor = create_app(robots(services)).test_client()

    answer = visitor.post("/desk/robots/qinglan/readers", headers=DESK)
    text = visitor.get("/desk", headers=DESK).text

    assert answer.status_code == 303
    assert "qyapi.weixin.qq.com/…7xxx" in text
    assert "wx5f0c" in text
    assert not any(secret in text for secret in ("693a91f6", "app-hush"))
    assert 'action="/desk/robots/qinglan/readers"' in text
    with store.reading(services.db) as db:
        waiting = pushes.waiting(db, "qinglan", "readers")
    assert waiting == 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("/desk/robots/qinglan/readers", {}, 401),
        ("/desk/robots/qinglan/readers", DESK | {"Origin": "https://elsewhere.example"}, 403),
        ("/desk/robots/qinglan/nobody", DESK, 404),
        ("/desk/robots/qinglan/official-account", DESK, 404),
        ("/desk/pushes/1", {}, 401),
        ("/desk/pushes/1", DESK | {"Origin": "https://elsewhere.example"}, 403),
        ("/desk/pushes/9", DESK, 404),
    ],
)
def test_a_button_for_robots_is_pressed_at_the_desk_only(
    services: Services, address: str, headers: dict[str, str], status: int
) -> None:
    visitor = create_app(robots(services)).test_client()

    assert visitor.post(address, headers=headers, data={"wish": "again"}).status_code == status
    with store.reading(services.db) as db:
        assert pushes.waiting(db, "qinglan", "readers") == 0


def test_a_person_says_what_became_of_a_doubtful_push(services: Services) -> None:
    visitor = create_app(robots(services)).test_client()
    with store.writing(services.db) as db:
        pushes.test(db, "qinglan", "readers", DAY, NOW)
        claimed = pushes.claim(db, 1, NOW)
        assert claimed
        pushes.hand(db, claimed, NOW, limit=20, within=MINUTE)
        pushes.settle(db, claimed, PushState.DOUBTFUL, NOW, said="no answer in time")

    text = visitor.get("/desk", headers=DESK).text
    assert "no answer in time" in text
    assert "有事待办" in text
    assert visitor.post("/desk/pushes/1", headers=DESK, data={"wish": "forget"}).status_code == 400
    assert visitor.post("/desk/pushes/1", headers=DESK, data={"wish": "arrived"}).status_code == 303

    assert "一切正常" in visitor.get("/desk", headers=DESK).text
    assert visitor.post("/desk/pushes/1", headers=DESK, data={"wish": "again"}).status_code == 404


def test_a_failed_push_is_named_and_pushed_again_by_a_button(services: Services) -> None:
    visitor = create_app(robots(services)).test_client()
    with store.writing(services.db) as db:
        pushes.add(db, "qinglan", "readers", PushKind.NEW, DAY, (), 1, NOW, NOW)
        claimed = pushes.claim(db, 1, NOW)
        assert claimed
        pushes.settle(db, claimed, PushState.FAILED, NOW, said="93000: its key is not valid")

    text = visitor.get("/desk", headers=DESK).get_data(as_text=True)
    refused = visitor.post("/desk/pushes/1", headers=DESK, data={"wish": "arrived"})
    pressed = visitor.post("/desk/pushes/1", headers=DESK, data={"wish": "again"})

    assert "这些消息被拒收" in text
    assert 'action="/desk/pushes/1"' in text
    assert (refused.status_code, pressed.status_code) == (404, 303)
    with store.reading(services.db) as db:
        assert pushes.due(db, NOW) == (1,)
