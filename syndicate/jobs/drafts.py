"""An issue as a draft of the Official Account: pictures and covers first, the draft last; a person publishes it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from syndicate import store
from syndicate.deliver import official_account as weixin
from syndicate.deliver.outside import Outside
from syndicate.deliver.robots import Outcome, Verdict
from syndicate.errors import DeliveryError, DoubtfulDeliveryError, RenderError
from syndicate.jobs import cards
from syndicate.model import Bulletin, Entry, OfficialAccount, Push
from syndicate.render import drafts, pictures
from syndicate.services import Services
from syndicate.store import accounts, pushes
from syndicate.store.accounts import Token

log = logging.getLogger(__name__)

EARLY = timedelta(
    minutes=5
)  # before its end a token is renewed; the old one stays good so long (stable_token)
LEASE = timedelta(minutes=1)  # more than fetching a token can take
DRAFTS_A_MINUTE = 20  # far more than there are issues: a guard, no limit of theirs
NO_COVER = 40007

T = TypeVar("T")


def draft(
    services: Services, account: OfficialAccount, bulletin: Bulletin, push: Push, http: Outside
) -> Outcome | None:
    """Put the issue's first articles into the account's draft box. None: the push is not ours any more."""
    shown = bulletin.entries[: weixin.ARTICLES]
    try:
        covers = [_cover(services, account, bulletin, entry, http) for entry in shown]
        above = [_picture(services, account, bulletin, entry, http) for entry in shown]
        _token(services, account, http)  # now, for what fails here is no doubt
    except RenderError as e:
        return Outcome(Verdict.REFUSED, str(e))
    except DeliveryError as e:  # nothing that shows has gone out yet: a doubt here is none
        return Outcome(Verdict.REFUSED if e.permanent else Verdict.LATER, str(e))
    articles = drafts.draft(bulletin, shown, covers, account, above)
    with store.writing(services.db) as db:
        if not pushes.hand(db, push, services.now(), limit=DRAFTS_A_MINUTE, within=timedelta(minutes=1)):
            return None
    try:
        media = _with_token(
            services, account, http, lambda key: weixin.add_draft(account, http, key, articles)
        )
    except DoubtfulDeliveryError as e:
        return Outcome(Verdict.DOUBTFUL, str(e))
    except DeliveryError as e:
        return _refused(services, account, e)
    return Outcome(Verdict.TAKEN, media)


def _refused(services: Services, account: OfficialAccount, error: DeliveryError) -> Outcome:
    if isinstance(error, weixin.RefusedError) and error.code == NO_COVER:
        with store.writing(services.db) as db:
            accounts.forget_covers(db, account.appid)
        return Outcome(Verdict.LATER, str(error))  # they are uploaded again
    return Outcome(Verdict.REFUSED if error.permanent else Verdict.LATER, str(error))


def _cover(
    services: Services, account: OfficialAccount, bulletin: Bulletin, entry: Entry, http: Outside
) -> str:
    """The media_id of an article's card, uploaded once however often it is drawn."""
    drawn = cards.picture(services, bulletin.publication, entry, "banner").body
    mark = hashlib.sha256(drawn).hexdigest()
    with store.reading(services.db) as db:
        known = accounts.cover(db, account.appid, mark)
    if known:
        return known
    body, kind = pictures.fit(drawn, weixin.PICTURE_LIMIT - 1)
    media = _with_token(services, account, http, lambda key: weixin.add_cover(account, http, key, body, kind))
    with store.writing(services.db) as db:
        accounts.keep_cover(db, account.appid, mark, media)
    return media


def _picture(
    services: Services, account: OfficialAccount, bulletin: Bulletin, entry: Entry, http: Outside
) -> str:
    """The account's address of the picture above an article's text: pictures from elsewhere it does not show."""
    drawn = cards.picture(services, bulletin.publication, entry, "wide").body
    mark = hashlib.sha256(drawn).hexdigest()
    with store.reading(services.db) as db:
        known = accounts.picture(db, account.appid, mark)
    if known:
        return known
    body, kind = pictures.fit(drawn, weixin.PICTURE_LIMIT - 1)
    address = _with_token(
        services, account, http, lambda key: weixin.upload_picture(account, http, key, body, kind)
    )
    with store.writing(services.db) as db:
        accounts.keep_picture(db, account.appid, mark, address)
    return address


def _with_token(services: Services, account: OfficialAccount, http: Outside, call: Callable[[str], T]) -> T:
    """The call with the account's token; if that is refused, once more with another one."""
    key = _token(services, account, http)
    try:
        return call(key)
    except weixin.RefusedError as e:
        if e.code not in weixin.STALE_TOKEN:
            raise
    with store.writing(services.db) as db:
        accounts.spoil(db, account.appid, key, services.now())
    return call(_token(services, account, http))


def _token(services: Services, account: OfficialAccount, http: Outside) -> str:
    """The token that all processes share; whoever finds it near its end renews it, the others use it meanwhile."""
    now = services.now()
    with store.reading(services.db) as db:
        kept = accounts.token(db, account.appid)
    if kept and kept.expires > now + EARLY:
        return kept.value
    with store.writing(services.db) as db:
        ours = accounts.claim_renewal(db, account.appid, now, LEASE)
    if not ours:
        if kept and kept.expires > now:
            return kept.value
        raise DeliveryError("the account's token is just being fetched by another process", permanent=False)
    fresh = None
    try:
        got = weixin.token(account, http)
        fresh = Token(got.value, now + timedelta(seconds=got.seconds))
    finally:
        with store.writing(services.db) as db:
            accounts.renewed(db, account.appid, fresh)
    return fresh.value
