"""What is kept of an Official Account: its token, renewed once for all processes, and pictures it has already."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syndicate.store.tables import account_covers, account_pictures, account_tokens


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and until when it is good."""

    value: str = field(repr=False)
    expires: datetime


def token(db: Connection, appid: str) -> Token | None:
    """The account's token, good or not."""
    row = db.execute(select(account_tokens).where(account_tokens.c.appid == appid)).first()
    return Token(row.token, row.expires) if row and row.token else None


def claim_renewal(db: Connection, appid: str, now: datetime, lease: timedelta) -> bool:
    """Take it upon oneself to fetch another token; False: somebody else has been at it for less than `lease`."""
    db.execute(
        _insert(db, account_tokens)
        .values(appid=appid, expires=now)
        .on_conflict_do_nothing(index_elements=["appid"])
    )
    free = or_(account_tokens.c.renewing.is_(None), account_tokens.c.renewing <= now - lease)
    claimed = update(account_tokens).where(account_tokens.c.appid == appid, free).values(renewing=now)
    return db.execute(claimed).rowcount == 1


def renewed(db: Connection, appid: str, fresh: Token | None) -> None:
    """The renewal is over: with this token, or without one."""
    values: dict[str, Any] = {"renewing": None}
    if fresh:
        values |= {"token": fresh.value, "expires": fresh.expires}
    db.execute(update(account_tokens).where(account_tokens.c.appid == appid).values(**values))


def spoil(db: Connection, appid: str, value: str, now: datetime) -> None:
    """That token was refused; of a newer one nothing is known against it."""
    refused = (account_tokens.c.appid == appid, account_tokens.c.token == value)
    db.execute(update(account_tokens).where(*refused).values(expires=now))


def cover(db: Connection, appid: str, picture: str) -> str | None:
    """The media_id of a picture (by its SHA-256) that the account has already."""
    query = select(account_covers.c.media).where(
        account_covers.c.appid == appid, account_covers.c.picture == picture
    )
    found: str | None = db.execute(query).scalar_one_or_none()
    return found


def keep_cover(db: Connection, appid: str, picture: str, media: str) -> None:
    """The account has that picture now."""
    kept = _insert(db, account_covers).values(appid=appid, picture=picture, media=media)
    db.execute(kept.on_conflict_do_update(index_elements=["appid", "picture"], set_={"media": media}))


def forget_covers(db: Connection, appid: str) -> None:
    """Somebody has removed pictures from the account: it is asked to take each again."""
    db.execute(delete(account_covers).where(account_covers.c.appid == appid))


def picture(db: Connection, appid: str, mark: str) -> str | None:
    """The address at which the account shows a picture (by its SHA-256) that it has already."""
    query = select(account_pictures.c.address).where(
        account_pictures.c.appid == appid, account_pictures.c.picture == mark
    )
    found: str | None = db.execute(query).scalar_one_or_none()
    return found


def keep_picture(db: Connection, appid: str, mark: str, address: str) -> None:
    """The account shows that picture there now."""
    kept = _insert(db, account_pictures).values(appid=appid, picture=mark, address=address)
    db.execute(kept.on_conflict_do_update(index_elements=["appid", "picture"], set_={"address": address}))


def _insert(db: Connection, table: Any) -> Any:
    """INSERT … ON CONFLICT, as both databases have it, each in its own class."""
    return (sqlite if db.dialect.name == "sqlite" else postgresql).insert(table)
