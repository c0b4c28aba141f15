"""The hub's memory: what was agreed stays until something else is, and each change is delivered to all who subscribed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from syndicate import store
from syndicate.store import websub
from syndicate.store.tables import hub_deliveries, hub_subscriptions
from syndicate.store.websub import Mode, Outgoing, Wish
from tests.samples import MINUTE, NOW
from tests.store.test_races import race

FEEDS = "https://paper.example/qinglan/feeds"
ALL, NEWS = f"{FEEDS}/all.atom", f"{FEEDS}/section-yaowen.atom"
CALLBACK = "https://reader.example/websub?k=7f3a"
LEASE = timedelta(days=10)
HOUR = timedelta(hours=1)
HUB = "https://hub.example/"


def ask(
    db: Connection,
    callback: str = CALLBACK,
    *,
    topic: str = ALL,
    mode: Mode = Mode.SUBSCRIBE,
    now: datetime = NOW,
    secret: str | None = None,
    host: str = "reader.example",
    lease: timedelta = LEASE,
) -> bool:
    return websub.ask(db, mode, topic, callback, host, now, lease=lease, secret=secret)


def claimed_wish(db: Connection, now: datetime = NOW, challenge: str = "challenge") -> Wish:
    ((number, _),) = websub.wishes(db, now, 10)
    wish = websub.claim_wish(db, number, challenge, now)
    assert wish is not None
    return wish


def agreed(
    db: Connection,
    callback: str = CALLBACK,
    *,
    topic: str = ALL,
    now: datetime = NOW,
    secret: str | None = None,
    lease: timedelta = LEASE,
) -> int:
    """A subscription in force."""
    assert ask(db, callback, topic=topic, now=now, secret=secret, lease=lease)
    wish = claimed_wish(db, now)
    assert websub.agree(db, wish)
    return wish.subscription


def claimed(db: Connection, now: datetime = NOW, token: str = "token") -> Outgoing:
    ((number, _),) = websub.due(db, now, 10)
    outgoing = websub.claim(db, number, token, now)
    assert outgoing is not None
    return outgoing


def announce(db: Connection, *topics: str, now: datetime = NOW, hub: str = websub.OWN) -> None:
    websub.announce(db, topics or (ALL,), now, hub=hub)


def rows(db: Connection) -> int:
    return len(db.execute(select(hub_deliveries.c.id)).all())


def test_a_wish_is_in_force_only_when_the_callback_has_agreed(engine: Engine) -> None:
    with store.writing(engine) as db:
        assert ask(db, secret="hush")
        announce(db)
        assert websub.due(db, NOW, 10) == ()

        wish = claimed_wish(db)
        assert (wish.mode, wish.topic, wish.callback, wish.lease) == (Mode.SUBSCRIBE, ALL, CALLBACK, LEASE)
        assert websub.live(db, NOW) == 0
        assert websub.agree(db, wish)
        announce(db)
        outgoing = claimed(db)

        assert websub.live(db, NOW) == 1
    assert (outgoing.topic, outgoing.callback, outgoing.secret) == (ALL, CALLBACK, "hush")


def test_a_wish_that_was_not_agreed_to_leaves_nothing_behind(engine: Engine) -> None:
    with store.writing(engine) as db:
        ask(db)
        websub.disagree(db, claimed_wish(db))

        assert websub.wishes(db, NOW + HOUR, 10) == ()
        assert websub.sweep(db, NOW) == 0  # for a minute, so that asking again and again counts
        assert websub.sweep(db, NOW + MINUTE) == 1
        assert db.execute(select(hub_subscriptions.c.id)).all() == []


def test_the_topic_is_asked_about_in_the_words_of_who_asked(engine: Engine) -> None:
    with store.writing(engine) as db:
        websub.ask(
            db,
            Mode.SUBSCRIBE,
            ALL,
            CALLBACK,
            "reader.example",
            NOW,
            lease=LEASE,
            asked_topic=f"{FEEDS}/%61ll.atom",
        )
        wish = claimed_wish(db)
        websub.agree(db, wish)
        announce(db)

        assert wish.topic == f"{FEEDS}/%61ll.atom"
        assert claimed(db).topic == ALL


def test_a_second_wish_replaces_the_first_only_when_it_is_agreed_to(engine: Engine) -> None:
    later = NOW + HOUR
    with store.writing(engine) as db:
        agreed(db, secret="old")
        ask(db, secret="new", now=later)
        announce(db, now=later)
        assert claimed(db, later).secret == "old"

        refused = claimed_wish(db, later)
        websub.disagree(db, refused)
        assert websub.live(db, NOW + LEASE - MINUTE) == 1
        assert websub.live(db, NOW + LEASE) == 0

        ask(db, secret="new", now=later + HOUR)
        websub.agree(db, claimed_wish(db, later + HOUR))
        announce(db, now=later + HOUR)
        websub.recover(db, later + HOUR, MINUTE)
        assert claimed(db, later + HOUR).secret == "new"
        assert rows(db) == 1  # one subscription, not two
        assert websub.live(db, NOW + LEASE + HOUR) == 1


def test_the_new_subscription_may_be_without_a_secret(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db, secret="old")
        agreed(db, now=NOW + HOUR)
        announce(db)

        assert claimed(db).secret is None


def test_the_lease_counts_from_the_question_and_ends(engine: Engine) -> None:
    with store.writing(engine) as db:
        ask(db, lease=HOUR)
        wish = claimed_wish(db, NOW + 5 * MINUTE)
        websub.agree(db, wish)
        end = NOW + 5 * MINUTE + HOUR

        assert websub.live(db, end - MINUTE) == 1
        announce(db, now=end)
        assert rows(db) == 0
        assert websub.sweep(db, end - MINUTE) == 0
        assert websub.sweep(db, end) == 1


def test_what_was_due_when_the_lease_ended_is_not_delivered(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db, lease=HOUR)
        announce(db, now=NOW + MINUTE)

        assert websub.due(db, NOW + HOUR, 10) == ()
        websub.sweep(db, NOW + HOUR)
        assert rows(db) == 0


def test_who_leaves_has_to_agree_too(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        ask(db, mode=Mode.UNSUBSCRIBE, now=NOW + MINUTE)
        websub.disagree(db, claimed_wish(db, NOW + MINUTE))
        assert websub.live(db, NOW) == 1

        ask(db, mode=Mode.UNSUBSCRIBE, now=NOW + HOUR)
        assert websub.agree(db, claimed_wish(db, NOW + HOUR))
        assert websub.live(db, NOW) == 0
        assert rows(db) == 0


def test_an_answer_to_an_older_question_changes_nothing(engine: Engine) -> None:
    with store.writing(engine) as db:
        ask(db, secret="first")
        first = claimed_wish(db)
        ask(db, secret="second", now=NOW + MINUTE)

        assert not websub.agree(db, first)
        websub.disagree(db, first)
        second = claimed_wish(db, NOW + MINUTE, "other")
        assert not websub.agree(db, first)
        assert websub.agree(db, second)
        announce(db)
        assert claimed(db).secret == "second"


def test_a_callback_that_cannot_be_asked_is_asked_again_later(engine: Engine) -> None:
    with store.writing(engine) as db:
        ask(db)
        wish = claimed_wish(db)
        websub.ask_again(db, wish, NOW + MINUTE)

        assert websub.wishes(db, NOW, 10) == ()
        assert claimed_wish(db, NOW + MINUTE).attempts == 2


def test_one_subscription_is_not_verified_again_at_once(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        ask(db)

        assert websub.wishes(db, NOW + websub.QUIET - timedelta(seconds=1), 10) == ()
        assert len(websub.wishes(db, NOW + websub.QUIET, 10)) == 1


def test_of_one_host_only_so_many_wishes_wait(engine: Engine) -> None:
    with store.writing(engine) as db:
        kept = [ask(db, f"https://reader.example/{n}") for n in range(websub.HOST_WAITING + 1)]

        assert kept == [True] * websub.HOST_WAITING + [False]
        assert ask(db, "https://reader.example/0")  # in place of the one that waits
        assert ask(db, "https://other.example/", host="other.example")


def test_a_subscription_in_force_is_renewed_however_many_wait_and_first_of_all(engine: Engine) -> None:
    with store.writing(engine) as db:
        number = agreed(db)
        for n in range(websub.HOST_WAITING):
            ask(db, f"https://reader.example/{n}")

        assert ask(db, now=NOW + MINUTE)
        assert websub.wishes(db, NOW + HOUR, 1) == ((number, "reader.example"),)


def test_one_host_is_asked_only_so_often_in_a_minute(engine: Engine) -> None:
    with store.writing(engine) as db:
        for n in range(websub.HOST_A_MINUTE + 5):
            ask(db, f"https://reader.example/{n}")
        ask(db, "https://other.example/", host="other.example")
        found = websub.wishes(db, NOW, 1000)
        wishes = [websub.claim_wish(db, number, f"c{number}", NOW) for number, _ in found]

        asked = [wish.callback for wish in wishes if wish]
        assert len(asked) == websub.HOST_A_MINUTE + 1
        assert "https://other.example/" in asked
        for wish in wishes:
            if wish:
                websub.disagree(db, wish)
        websub.sweep(db, NOW)
        assert websub.wishes(db, NOW, 1000) == ()
        assert len(websub.wishes(db, NOW + MINUTE, 1000)) == 5


def test_all_hosts_together_are_asked_only_so_often_in_a_minute(engine: Engine) -> None:
    with store.writing(engine) as db:
        for n in range(websub.ALL_A_MINUTE + 2):
            ask(db, f"https://{n}.example/", host=f"{n}.example")
        every = [row.id for row in db.execute(select(hub_subscriptions.c.id))]

        assert len(websub.wishes(db, NOW, 1000)) == websub.ALL_A_MINUTE
        claims = [websub.claim_wish(db, number, f"c{number}", NOW) for number in every]
        assert sum(claim is not None for claim in claims) == websub.ALL_A_MINUTE
        assert websub.wishes(db, NOW, 1000) == ()
        assert len(websub.wishes(db, NOW + MINUTE, 1000)) == 2


def test_an_announcement_is_due_once_for_each_live_subscription_of_its_topics(engine: Engine) -> None:
    with store.writing(engine) as db:
        for n in range(3):
            agreed(db, f"https://reader.example/{n}")
        agreed(db, "https://reader.example/news", topic=NEWS)
        ask(db, "https://reader.example/not-agreed")

        announce(db, ALL, ALL, f"{FEEDS}/nobody.atom")
        assert len(websub.due(db, NOW, 10)) == 3
        announce(db, ALL, NEWS)
        assert len(websub.due(db, NOW, 10)) == 4
        assert {host for _, host in websub.due(db, NOW, 10)} == {"reader.example"}


def test_thousands_of_topics_are_announced_at_once(engine: Engine) -> None:
    topics = [f"{FEEDS}/byline-{n}.rss" for n in range(2 * websub.SLICE + 1)]
    with store.writing(engine) as db:
        agreed(db, topic=topics[-1])
        announce(db, *topics)
        announce(db, *topics, hub=HUB)

        assert len(websub.due(db, NOW, 10_000)) == 1
        assert len(websub.due(db, NOW, 10_000, notices=True)) == len(topics)


def test_an_outside_hub_gets_one_notice_for_each_topic(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db, ALL, NEWS, hub=HUB)
        announce(db, ALL, hub=HUB)

        found = websub.due(db, NOW, 10, notices=True)
        outgoing = [websub.claim(db, number, "token", NOW) for number, _ in found]
        assert [(o.topic, o.callback, o.secret) for o in outgoing if o] == [
            (ALL, None, None),
            (NEWS, None, None),
        ]
        assert websub.due(db, NOW, 10) == ()
        for notice in outgoing:
            assert notice
            assert websub.done(db, notice, NOW)
        assert rows(db) == 0


def test_without_a_hub_nothing_is_written(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db, hub=websub.NONE)

        assert rows(db) == 0


def test_nothing_changed_is_nothing_due(engine: Engine) -> None:
    with store.writing(engine) as db:
        websub.announce(db, (), NOW, hub=websub.OWN)
        websub.announce(db, (), NOW, hub=HUB)

        assert rows(db) == 0


def test_what_is_delivered_is_done(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        outgoing = claimed(db)
        assert websub.claim(db, outgoing.id, "other", NOW) is None
        assert websub.due(db, NOW, 10) == ()

        assert websub.done(db, outgoing, NOW)
        assert not websub.done(db, outgoing, NOW)
        assert rows(db) == 0


def test_a_change_during_the_delivery_is_delivered_too(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        first = claimed(db)
        announce(db)
        assert websub.due(db, NOW, 10) == ()  # never two at once to one subscriber

        assert websub.done(db, first, NOW)
        second = claimed(db)
        assert second.attempts == 1
        assert websub.done(db, second, NOW)
        assert rows(db) == 0


@pytest.mark.parametrize("settle", ["put off", "given up"])
def test_a_change_during_a_delivery_that_fails_is_tried_as_anything_new(engine: Engine, settle: str) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        first = claimed(db)
        announce(db)
        if settle == "put off":
            assert websub.put_off(db, first, NOW + MINUTE, NOW)
        else:
            assert websub.give_up(db, first, NOW)

        assert claimed(db, NOW + MINUTE).attempts == 1


def test_what_failed_waits_and_a_new_change_makes_it_due_at_once(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        assert websub.put_off(db, claimed(db), NOW + HOUR, NOW)
        assert websub.due(db, NOW + HOUR - MINUTE, 10) == ()
        again = claimed(db, NOW + HOUR)
        assert again.attempts == 2
        websub.put_off(db, again, NOW + 5 * HOUR, NOW + HOUR)

        announce(db, now=NOW + 2 * HOUR)
        assert claimed(db, NOW + 2 * HOUR).attempts == 1


def test_what_is_given_up_keeps_its_subscription(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        assert websub.give_up(db, claimed(db), NOW)
        assert (rows(db), websub.live(db, NOW)) == (0, 1)

        announce(db)
        assert claimed(db).attempts == 1


def test_who_failed_last_time_comes_last(engine: Engine) -> None:
    with store.writing(engine) as db:
        for n in range(3):
            agreed(db, f"https://reader.example/{n}")
        announce(db)
        first = websub.claim(db, websub.due(db, NOW, 1)[0][0], "token", NOW)
        assert first is not None
        websub.put_off(db, first, NOW, NOW)

        assert [number for number, _ in websub.due(db, NOW, 10)][-1] == first.id
        again = websub.claim(db, first.id, "token", NOW)
        assert again is not None
        websub.done(db, again, NOW)
        announce(db)
        assert [n for n, _ in websub.due(db, NOW, 10)] == sorted(n for n, _ in websub.due(db, NOW, 10))


def test_410_ends_the_subscription_but_not_a_new_wish(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        outgoing = claimed(db)
        ask(db, now=NOW + MINUTE)
        assert websub.gone(db, outgoing)

        assert (websub.live(db, NOW), rows(db)) == (0, 0)
        assert not websub.gone(db, outgoing)
        websub.sweep(db, NOW + HOUR)
        assert websub.agree(db, claimed_wish(db, NOW + HOUR))
        assert websub.live(db, NOW + HOUR) == 1


def test_after_a_crash_everything_is_due_again(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db)
        announce(db)
        ask(db, "https://reader.example/other")
        wish, outgoing = claimed_wish(db), claimed(db)
        assert websub.recover(db, NOW + MINUTE, 2 * MINUTE) == 0
        assert websub.recover(db, NOW + 2 * MINUTE, 2 * MINUTE) == 2

        other = claimed(db, NOW + 2 * MINUTE, "other")
        assert other.id == outgoing.id
        assert not websub.done(db, outgoing, NOW)  # one who slept settles nothing of another's
        assert not websub.put_off(db, outgoing, NOW, NOW)
        assert not websub.give_up(db, outgoing, NOW)
        assert not websub.gone(db, outgoing)
        assert not websub.agree(db, wish)
        assert websub.done(db, other, NOW)
        assert websub.agree(db, claimed_wish(db, NOW + 2 * MINUTE, "other"))


def test_each_delivery_and_each_wish_is_claimed_by_one(database_url: str, engine: Engine) -> None:
    with store.writing(engine) as db:
        for n in range(5):
            agreed(db, f"https://reader.example/{n}")
        announce(db)
        for n in range(5):
            ask(db, f"https://other.example/{n}", host="other.example")

    def take_all(engine: Engine) -> tuple[list[int], list[int]]:
        with store.reading(engine) as db:
            due, waiting = websub.due(db, NOW, 10), websub.wishes(db, NOW, 10)
        taken: tuple[list[int], list[int]] = ([], [])
        token = str(id(engine))
        for number, _ in due:
            with store.writing(engine) as db:
                if websub.claim(db, number, token, NOW):
                    taken[0].append(number)
        for number, _ in waiting:
            with store.writing(engine) as db:
                if websub.claim_wish(db, number, token, NOW):
                    taken[1].append(number)
        return taken

    taken = race(database_url, take_all)

    assert sorted(n for delivered, _ in taken for n in delivered) == [1, 2, 3, 4, 5]
    assert sorted(n for _, asked in taken for n in asked) == [6, 7, 8, 9, 10]


def test_a_secret_is_not_shown(engine: Engine) -> None:
    with store.writing(engine) as db:
        agreed(db, secret="hunter2")
        announce(db)

        assert "hunter2" not in repr(claimed(db))


def test_the_longest_addresses_fit(engine: Engine) -> None:
    topic = FEEDS + "/byline-" + "%E9%87%91" * 80 + ".atom"
    callback = "https://reader.example/" + "".join(f"{n:x}" for n in range(2000))[: 1024 - 23]
    with store.writing(engine) as db:
        agreed(db, callback, topic=topic)
        announce(db, topic)

        assert claimed(db).callback == callback
