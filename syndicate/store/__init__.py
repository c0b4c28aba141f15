"""What the service remembers: functions over an open connection, on SQLite or PostgreSQL.

Whoever writes holds the one write lock of the database from the first statement on, in SQLite by
BEGIN IMMEDIATE and in PostgreSQL by an advisory lock: what was read in `writing` is still true
when it is written. So keep `writing` short, and never wait for the network inside.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from syndicate.errors import StoreError
from syndicate.store.tables import HEAD

FULL = 1_000_000  # bytes left on a disk that we call full

__all__ = ["migrate", "open_engine", "reading", "writing"]


def open_engine(url: str, *, busy_timeout: float = 10.0) -> Engine:
    """The database of that address; `busy_timeout` is how many seconds a writer waits for another."""
    place = _url(url)
    if place.drivername.startswith("sqlite"):
        engine = create_engine(place, connect_args={"timeout": busy_timeout})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        patience = {} if "connect_timeout" in place.query else {"connect_timeout": 5}
        engine = create_engine(place, connect_args=patience, pool_pre_ping=True)
    return engine.execution_options(busy_timeout=busy_timeout)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that holds the write lock; committed at the end, nothing written on an error."""
    with _refusals(engine), engine.connect() as db:
        db = db.execution_options(writing=True)
        with db.begin():
            if db.dialect.name == "postgresql":
                _lock_postgresql(db)
            yield db


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees the database as it is now, whatever others write meanwhile."""
    with _refusals(engine), engine.connect() as db:
        if db.dialect.name == "postgresql":
            db = db.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with db.begin() as transaction:
            yield db
            transaction.rollback()


def migrate(engine: Engine) -> None:
    """Bring the tables to this version of the service; does nothing when they are."""
    with reading(engine) as db:
        if _version(db) == HEAD:
            return
    with writing(engine) as db:
        _upgrade(db, engine)


def _url(url: str) -> URL:
    try:
        place = make_url(url)
        if place.drivername in ("postgres", "postgresql"):  # postgres:// is what hosting services write
            place = place.set(drivername="postgresql+psycopg")
        place.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as e:
        raise StoreError(
            "database_url is not the address of a database; write e.g. postgresql+psycopg://user@host/name"
        ) from e
    if place.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(
            f"database_url: {place.get_backend_name()} is not supported, only sqlite and postgresql"
        )
    return place


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    _use_wal(connection)
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _use_wal(connection: Any) -> None:
    """Switch the file to WAL once; SQLite does not wait for others here as it does elsewhere."""
    for patience in (*(0.01 * 2**n for n in range(10)), None):  # ten seconds in all
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError as e:
            if patience is None or "locked" not in str(e):
                raise
            time.sleep(patience)


def _begin_sqlite(db: Connection) -> None:
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("writing") else "BEGIN")


def _lock_postgresql(db: Connection) -> None:
    milliseconds = int(db.get_execution_options()["busy_timeout"] * 1000)
    db.exec_driver_sql(
        f"SET LOCAL lock_timeout = {milliseconds};"
        " SELECT pg_advisory_xact_lock(hashtext('syndicate ' || current_schema()))"
    )


def _version(db: Connection) -> str | None:
    if not inspect(db).has_table("alembic_version"):
        return None
    return db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(db: Connection, engine: Engine) -> None:
    # Alembic takes longer to import than everything else at a start, and is seldom needed.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = db
    try:
        command.upgrade(config, "head")
    except CommandError as e:
        raise StoreError(
            f"{_name(engine.url)}: made by another version of Syndicate (tables {_version(db)}): install that one"
        ) from e


@contextmanager
def _refusals(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as e:
        raise StoreError(f"{_name(engine.url)}: {_cause(e, engine)}") from e


def _name(url: URL) -> str:
    """The database for people: never with user, password or options."""
    if url.get_backend_name() == "sqlite":
        return url.database or "SQLite in memory"
    return f"PostgreSQL {url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


def _full(url: URL) -> bool:
    """SQLite calls it an I/O error when there is no room for its shared memory (tmpfs, say)."""
    return bool(url.database) and shutil.disk_usage(Path(url.database or "").parent).free < FULL


def _cause(error: DBAPIError | PoolTimeout, engine: Engine) -> str:
    said = next(iter(str(getattr(error, "orig", error)).splitlines()), "").strip()
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if "database is locked" in said or state == "55P03":
        seconds = engine.get_execution_options()["busy_timeout"]
        return f"locked: another process has been writing for more than {seconds:g} s"
    if "disk is full" in said or state == "53100" or ("disk I/O error" in said and _full(engine.url)):
        return "the disk is full"
    if "readonly database" in said or state == "25006":
        return "cannot be written, it is read-only"
    if "unable to open database file" in said:
        return "cannot be opened: the folder is missing or may not be written"
    if password := engine.url.password:
        said = said.replace(str(password), "***")
    return said or type(error).__name__
