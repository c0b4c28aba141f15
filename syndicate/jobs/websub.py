"""The hub's work: wishes are verified, feeds that changed go to those who subscribed.

    wish → claim → ask the callback ── yes → in force
              │                     ├─ no → all is as it was before
              │                     └─ cannot be asked: again later, three times in all
    due  → claim → POST ── 2xx → done
              │         ├─ 410 → the subscription is gone
              │         └─ else: again after 1, 5, 30, 120 minutes, then not until the feed changes
              └ crash: due again after LEASE, so a feed may come twice

With an outside hub only that one is told, once for each feed that changed.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, unquote

from syndicate import store
from syndicate.deliver import outside
from syndicate.deliver import websub as http
from syndicate.deliver.outside import Outside
from syndicate.errors import DeliveryError
from syndicate.services import Services
from syndicate.settings import Settings
from syndicate.store import websub
from syndicate.store.websub import Outgoing, Wish

log = logging.getLogger(__name__)

BATCH = 200  # claimed one by one, but looked for together
OF_HOST = 10  # of them for one host: they go one after the other, and nobody should wait for them long
WORKERS = 16  # hosts served at once; they wait for the network, not for the processor
RUN = timedelta(minutes=1)  # then the job ends, and the next tick goes on: new wishes come first
LEASE = timedelta(minutes=3)  # more than a name's look-up and a request can take together
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
ASKS = 3  # of a callback that does not answer at all


@dataclass(frozen=True, slots=True)
class Topic:
    """A feed that can be subscribed to."""

    url: str  # as the feed names itself
    publication: str
    file: str  # in the public folder


def run(services: Services) -> None:
    """Remove what has expired, verify wishes, deliver what is due."""
    work(services, client(services.settings))


def client(settings: Settings) -> Outside:
    """Who makes the requests: to the public net, in development to this machine as well."""
    agent = f"Syndicate (+{settings.base_url})"
    if settings.websub_hub not in (websub.OWN, websub.NONE):  # the operator chose it, no stranger did
        return Outside(agent, allowed=outside.anywhere, ports=None)
    if settings.development:
        return Outside(agent, allowed=outside.or_loopback, ports=None)
    return Outside(agent)


def work(services: Services, asking: Outside) -> None:
    """As run, with these requests."""
    began = services.now()
    with store.writing(services.db) as db:
        websub.recover(db, began, LEASE)
        websub.sweep(db, began)
    if services.settings.websub_hub == websub.NONE:
        return
    if services.settings.websub_hub == websub.OWN:
        _verify(services, asking)
    while services.now() - began < RUN and _deliver_batch(services, asking):
        pass


def topic(settings: Settings, url: str) -> Topic | None:
    """The feed of ours that an address names, however it is percent-encoded; None when it names none."""
    site, path = url[: len(settings.base_url)], unquote(url[len(settings.base_url) :])
    named = _FEED.fullmatch(path)
    if site != settings.base_url or named is None or settings.publication(named["paper"]) is None:
        return None
    return Topic(site + quote(path), named["paper"], named["file"])


_FEED = re.compile(r"/(?P<paper>[a-z0-9-]+)/(?P<file>feeds/[\w-][\w.-]{0,199}\.(?:atom|rss|json))")


def _verify(services: Services, asking: Outside) -> None:
    with store.reading(services.db) as db:
        waiting = websub.wishes(db, services.now(), BATCH)
    _each(waiting, lambda number: _ask(services, asking, number))


def _ask(services: Services, asking: Outside, number: int) -> None:
    with store.writing(services.db) as db:
        wish = websub.claim_wish(db, number, secrets.token_urlsafe(24), services.now())
    if wish is None:
        return None
    name = f"websub: {wish.mode} of {outside.host(wish.callback)}"
    try:
        agreed = http.agrees(
            asking, wish.callback, wish.mode, wish.topic, wish.challenge, int(wish.lease.total_seconds())
        )
    except DeliveryError as e:
        log.warning("%s: %s", name, e)
        return _could_not_ask(services, wish, e)
    with store.writing(services.db) as db:
        if agreed:
            websub.agree(db, wish)
        else:
            websub.disagree(db, wish)
    return log.info("%s: %s", name, "agreed" if agreed else "not agreed")


def _could_not_ask(services: Services, wish: Wish, error: DeliveryError) -> None:
    with store.writing(services.db) as db:
        if error.permanent or wish.attempts >= ASKS:
            websub.disagree(db, wish)
        else:
            websub.ask_again(db, wish, services.now() + BACK_OFF[wish.attempts - 1])


def _deliver_batch(services: Services, asking: Outside) -> bool:
    notices = services.settings.websub_hub != websub.OWN
    with store.reading(services.db) as db:
        due = websub.due(db, services.now(), BATCH, notices=notices)
    _each(due, lambda number: _deliver(services, asking, number))
    return bool(due)


def _deliver(services: Services, asking: Outside, number: int) -> None:
    with store.writing(services.db) as db:
        outgoing = websub.claim(db, number, secrets.token_urlsafe(12), services.now())
    if outgoing is None:
        return None
    try:
        taken = _hand_over(services, asking, outgoing)
    except DeliveryError as e:
        return _not_taken(services, outgoing, e)
    with store.writing(services.db) as db:
        if taken:
            websub.done(db, outgoing, services.now())
        elif websub.gone(db, outgoing):
            log.info("websub: %s has ended its subscription", outside.host(outgoing.callback or ""))
    return None


def _hand_over(services: Services, asking: Outside, outgoing: Outgoing) -> bool:
    """Make the request; False: the subscriber says that it has no such subscription."""
    settings = services.settings
    if outgoing.callback is None:
        http.notify(asking, settings.websub_hub, outgoing.topic)
        return True
    named = topic(settings, outgoing.topic)
    found = named and services.public.find(named.publication, named.file)
    if not found:  # the feed has gone since: there is nothing to send, and nothing to try again
        return True
    contents = http.Contents(outgoing.topic, settings.hub_url or "", found.type, found.body)
    return http.send(asking, outgoing.callback, contents, outgoing.secret)


def _not_taken(services: Services, outgoing: Outgoing, error: DeliveryError) -> None:
    log.warning("websub: attempt %d: %s", outgoing.attempts, error)
    now = services.now()
    with store.writing(services.db) as db:
        if outgoing.attempts > len(BACK_OFF):
            websub.give_up(db, outgoing, now)
        else:
            websub.put_off(db, outgoing, now + BACK_OFF[outgoing.attempts - 1], now)


def _each(found: Iterable[tuple[int, str]], do: Callable[[int], None]) -> None:
    """Do it for each number: hosts side by side, what is of one host one after the other."""
    by_host: dict[str, list[int]] = defaultdict(list)
    for number, host in found:
        by_host[host].append(number)

    def do_all(numbers: list[int]) -> None:
        for number in numbers[:OF_HOST]:
            do(number)

    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(do_all, by_host.values()):
            pass
