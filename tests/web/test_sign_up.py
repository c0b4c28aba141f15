"""Signing up, by form and by program: all that may be chosen is kept, and what cannot be taken is said politely."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.model import Choice, Rhythm, Subscription, SubscriptionState, Wish
from syndicate.services import Services
from syndicate.store import subscriptions

FORM = "/qinglan/subscribe"
API = "/qinglan/subscriptions.json"
ADDRESS = "reader@example.org"


def found(services: Services) -> Subscription | None:
    with store.reading(services.db) as db:
        return subscriptions.find(db, 1)


def test_all_that_may_be_chosen_is_kept(printed: Services, front: FlaskClient) -> None:
    front.post(
        FORM,
        data={
            "address": ADDRESS,
            "sections": ["yaowen"],
            "bylines": ["何晓楠"],
            "series": ["我在村里有份新工作"],
            "words": "水利，图书馆 开放",
            "rhythm": "weekly",
            "weekly_day": "2",
            "hour": "7",
            "zone": "Europe/Berlin",
        },
    )

    known = found(printed)
    assert known is not None
    assert known.wish == Wish(
        Choice(("yaowen",), ("何晓楠",), ("我在村里有份新工作",), ("水利", "图书馆 开放")),
        Rhythm.WEEKLY,
        "zh-CN",
        2,
        7,
        "Europe/Berlin",
    )


def test_what_was_typed_stays_when_something_is_refused(front: FlaskClient) -> None:
    typed = {
        "address": "x@mailinator.com",
        "bylines": "何晓楠",
        "words": "水利",
        "hour": "7",
        "rhythm": "weekly",
    }
    text = front.post(FORM, data={**typed, "zone": "Asia/Tokyo", "weekly_day": "3"}).text

    assert "这是一次性邮箱" in text
    for kept in (
        'value="x@mailinator.com" aria-invalid="true"',
        'value="何晓楠" checked',
        'value="水利"',
        '<option value="7" selected',
        '<option value="Asia/Tokyo" selected',
        '<option value="3" selected',
        'value="weekly" checked',
        '<details class="more" open>',
    ):
        assert kept in text, kept


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"address": "pаypal@example.org"}, "形似而不同的字母"),
        ({"words": "一,二,三,四,五,六"}, "最多五个"),
        ({"words": "长" * 41}, "最多四十个字"),
        ({"words": "%%"}, "请用文字和数字"),
        ({"zone": "Mars/Olympus"}, "没有这个选项"),
        ({"hour": "24"}, "没有这个选项"),
        ({"sections": "nix"}, "没有这个选项"),
        ({"rhythm": "none"}, "没有这个选项"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason(
    services: Services, client: FlaskClient, said: dict[str, str], reason: str
) -> None:
    answer = client.post(FORM, data={"address": ADDRESS, **said})

    assert answer.status_code == 422
    assert reason in answer.text
    assert found(services) is None


def test_programs_sign_up_as_people_do(services: Services, client: FlaskClient) -> None:
    answer = client.post(
        API, json={"address": ADDRESS, "sections": ["yaowen"], "rhythm": "weekly", "weekly_day": 2, "hour": 7}
    )

    assert answer.status_code == 202
    known = found(services)
    assert known is not None
    assert (known.sections, known.rhythm, known.weekly_day, known.hour) == (("yaowen",), Rhythm.WEEKLY, 2, 7)
    assert known.state is SubscriptionState.PENDING


def test_programs_are_told_what_cannot_be_taken(client: FlaskClient) -> None:
    answer = client.post(f"{API}?lang=en", json={"address": "nix", "zone": "Mars/Olympus"})

    assert answer.status_code == 422
    assert answer.json == {
        "errors": {
            "address": "This does not look like an e-mail address. Please check it.",
            "zone": "This is not among what may be chosen.",
        }
    }


@pytest.mark.parametrize(
    "body", ["", "nix", "[]", '{"address": {}}', '{"sections": [["a"]]}', '{"hour": true}']
)
def test_what_is_no_wish_is_refused(client: FlaskClient, body: str) -> None:
    assert client.post(API, data=body).status_code == 400


def test_programs_are_told_what_they_misspelt(services: Services, client: FlaskClient) -> None:
    answer = client.post(API, json={"address": ADDRESS, "section": ["yaowen"], "Zone": "Asia/Tokyo"})

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == "not known here: Zone, section"
    assert "sections" in answer.json["known"]
    assert found(services) is None
