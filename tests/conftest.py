"""What many tests need: a database of each kind, fresh for every test."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine, make_url

from syndicate import store
from syndicate.errors import StoreError
from syndicate.store.tables import metadata

pytest_plugins = ["tests.golden"]

settings.register_profile("shared", deadline=None)  # how long an example takes depends on the machine
settings.load_profile("shared")

POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/test"


def optional(what: str) -> None:
    """Skip the test because `what` is not there; fail where everything is required (CI)."""
    if os.environ.get("SYNDICATE_TEST_REQUIRE") == "all":  # noqa: TID251  # tests have no settings
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database with its tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path / "syndicate.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        return f"sqlite:///{file}"
    url: str = request.getfixturevalue("postgresql_schema")
    _empty(url)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An open database of each kind, with tables and without rows."""
    with opened(database_url) as engine:
        yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.sqlite'}"
    else:
        with _schema(request.getfixturevalue("postgresql_server")) as url:
            yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that was migrated once, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    with opened(f"sqlite:///{file}") as engine:
        store.migrate(engine)
    return file


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The address of a PostgreSQL server, when one answers."""
    url = os.environ.get("SYNDICATE_TEST_POSTGRES", POSTGRESQL)  # noqa: TID251  # tests have no settings
    try:
        with opened(url) as engine, store.reading(engine):
            return url
    except StoreError as e:
        optional(str(e))
        raise


@pytest.fixture(scope="session")
def postgresql_schema(postgresql_server: str) -> Iterator[str]:
    """A schema of this process's own with its tables: tests may run side by side."""
    with _schema(postgresql_server) as url:
        with opened(url) as engine:
            store.migrate(engine)
        yield url


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """The database of that address, closed again at the end."""
    engine = store.open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _schema(server: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with opened(server) as engine:
        with engine.begin() as db:
            db.exec_driver_sql(f"CREATE SCHEMA {name}")
        try:
            options = {"options": f"-csearch_path={name} -csynchronous_commit=off"}
            yield make_url(server).update_query_dict(options).render_as_string(hide_password=False)
        finally:
            with engine.begin() as db:
                db.exec_driver_sql(f"SET LOCAL lock_timeout = '5s'; DROP SCHEMA {name} CASCADE")


def _empty(url: str) -> None:
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with opened(url) as engine, engine.begin() as db:
        db.exec_driver_sql(f"SET LOCAL lock_timeout = '5s'; TRUNCATE {tables} RESTART IDENTITY")
