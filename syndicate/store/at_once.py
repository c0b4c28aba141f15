"""Rows as one value: from row to row the driver would stand aside for whatever other thread wants to go on."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, Select, func, select

_WHOLE = 64  # queries of which it is remembered how they are asked
_READ = 8192  # moments that are not read again


def rows(db: Connection, query: Select[Any], asked: dict[str, Any] | None = None) -> list[list[Any]]:
    """What the query finds, in no order that is promised; moments as texts, see `moment`."""
    return db.execute(whole(query, db.dialect.name), asked).scalar_one() or []


def values(db: Connection, query: Select[Any]) -> list[Any]:
    """As rows, of a query for one column."""
    found = query.subquery()
    all_of = func.json_group_array if db.dialect.name == "sqlite" else func.json_agg
    return db.execute(select(all_of(*found.c, type_=JSON))).scalar_one() or []


@lru_cache(_WHOLE)
def whole(query: Select[Any], dialect: str) -> Select[Any]:
    """A query for all that this one finds, as one value of lists."""
    found = query.subquery()
    row, all_rows = func.json_build_array, func.json_agg
    if dialect == "sqlite":
        row, all_rows = func.json_array, func.json_group_array
    return select(all_rows(row(*found.c), type_=JSON))


@lru_cache(_READ)
def moment(written: str) -> datetime:
    """A moment as the database writes it into JSON; SQLite without a zone, see tables.Moment."""
    read = datetime.fromisoformat(written)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
