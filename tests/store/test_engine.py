"""Opening, migrating, and what is said when the database refuses: one line, no password, nothing half-written."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, make_url, text
from sqlalchemy.exc import StatementError

from syndicate import store
from syndicate.errors import StoreError
from syndicate.store import entries, issues, tables
from tests.conftest import opened
from tests.samples import DAY, PAPER, article, ingest, issue

SLUG = PAPER.slug


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    said = str(error.value)
    assert "\n" not in said
    assert "Background on this error" not in said
    return said


@pytest.fixture
def impatient(database_url: str) -> Iterator[Engine]:
    """Another process's connection, that waits for a tenth of a second only."""
    engine = store.open_engine(database_url, busy_timeout=0.1)
    yield engine
    engine.dispose()


# ── tables ───────────────────────────────────────────────────────────────────────────────


def test_the_migrations_make_the_tables_that_the_queries_know(engine: Engine) -> None:
    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return not (kind == "table" and str(name).startswith("searchable_words"))  # FTS5's own

    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"include_object": ours})
        assert compare_metadata(context, tables.metadata) == []


def test_the_newest_migration_is_the_one_that_is_looked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).with_name("migrations")))

    assert ScriptDirectory.from_config(config).get_heads() == [tables.HEAD]


def test_migrating_twice_does_nothing(bare_url: str) -> None:
    with opened(bare_url) as engine:
        store.migrate(engine)
        ingest(engine, issue())

        store.migrate(engine)

        with store.reading(engine) as db:
            assert issues.find(db, SLUG, DAY)


def test_a_start_from_anywhere_migrates_and_the_next_does_not_load_alembic(tmp_path: Path) -> None:
    program = (
        "import sys; from syndicate import store; store.migrate(store.open_engine(sys.argv[1]));"
        "print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path / '100% 新.sqlite'}"]
    env = os.environ | {"PYTHONPATH": str(Path(store.__file__).parents[2])}  # noqa: TID251  # for a child process

    said = [
        subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]

    assert said == ["True", "False"]


def test_tables_of_a_later_version_are_left_alone(engine: Engine) -> None:
    with store.writing(engine) as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    try:
        with pytest.raises(StoreError, match=r"another version of Syndicate \(tables 9999\)") as error:
            store.migrate(engine)
    finally:
        with store.writing(engine) as db:
            db.execute(text(f"UPDATE alembic_version SET version_num = '{tables.HEAD}'"))

    one_line(error)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_to_lose_nothing(engine: Engine) -> None:
    with store.reading(engine) as db:
        said = {
            name: db.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}


def test_what_an_error_interrupts_is_not_written(engine: Engine) -> None:
    def interrupted() -> None:
        with store.writing(engine) as db:
            db.execute(insert(tables.publications).values(slug="a", changed=1, published=0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()

    with store.reading(engine) as db:
        assert issues.due_for_publishing(db) == ()


def test_what_is_written_in_reading_is_not_kept(engine: Engine) -> None:
    row = insert(tables.publications).values(slug="a", changed=1, published=0)

    with suppress(StoreError), store.reading(engine) as db:  # PostgreSQL refuses, SQLite forgets
        db.execute(row)

    with store.reading(engine) as db:
        assert issues.due_for_publishing(db) == ()


def test_a_moment_without_a_zone_is_a_mistake(engine: Engine) -> None:
    with pytest.raises(StatementError, match="a moment without a zone"), store.reading(engine) as db:
        entries.latest(db, SLUG, limit=1, since=datetime(2026, 11, 16))  # noqa: DTZ001  # that is the mistake


# ── refusals ─────────────────────────────────────────────────────────────────────────────


def test_a_locked_database_says_so_and_can_still_be_read(engine: Engine, impatient: Engine) -> None:
    ingest(engine, issue())

    with store.writing(engine) as db:
        db.execute(text("UPDATE publications SET changed = 99"))
        with pytest.raises(StoreError, match=r"locked: another process .* 0\.1 s") as error:
            ingest(impatient, issue(article(5)))
        with store.reading(impatient) as other:
            assert issues.due_for_publishing(other) == ((SLUG, 1),)

    one_line(error)
    assert not ingest(impatient, issue(article(5))).empty


def test_a_full_disk_writes_nothing_of_an_issue(tmp_path: Path, sqlite_template: Path) -> None:
    file = shutil.copy(sqlite_template, tmp_path)
    big = issue(*(article(n, paragraphs=(f"{n} 字" * 20_000,)) for n in range(1, 9)))

    with opened(f"sqlite:///{file}") as engine:
        ingest(engine, issue())
        with engine.connect() as db:
            pages = db.exec_driver_sql("PRAGMA page_count").scalar()
            db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="the disk is full") as error:
            ingest(engine, big)
        with store.reading(engine) as db:
            assert [e.article.headline for e in entries.of_issue(db, SLUG, DAY)] == [
                a.headline for a in issue().articles
            ]
        with engine.connect() as db:
            db.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert len(ingest(engine, big).new) > 0

    assert one_line(error) == f"{file}: the disk is full"


def test_a_full_file_system_writes_nothing_of_an_issue(tmp_path: Path, sqlite_template: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")  # optional everywhere: containers may forbid it
    big = issue(*(article(n, paragraphs=(f"{n} 字" * 20_000,)) for n in range(1, 9)))
    try:
        file = shutil.copy(sqlite_template, disk / "small.sqlite")
        with opened(f"sqlite:///{file}") as engine:
            ingest(engine, issue())
            with pytest.raises(StoreError, match="the disk is full") as error:
                ingest(engine, big)
            with store.reading(engine) as db:
                assert len(entries.of_issue(db, SLUG, DAY, withdrawn=True)) == 3
                assert db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    one_line(error)


def test_a_read_only_database_says_so(tmp_path: Path, sqlite_template: Path) -> None:
    file = shutil.copy(sqlite_template, tmp_path)

    with (
        opened(f"sqlite:///file:{file}?mode=ro&uri=true") as engine,
        pytest.raises(StoreError, match="read-only") as error,
    ):
        ingest(engine, issue())

    one_line(error)


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with (
        opened(f"sqlite:///{tmp_path}/no/such.sqlite") as engine,
        pytest.raises(StoreError, match=r"such\.sqlite: cannot be opened: the folder is missing") as error,
    ):
        store.migrate(engine)

    one_line(error)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    file = tmp_path / "letter.sqlite"
    file.write_text("Dear editor, " * 1000)

    with opened(f"sqlite:///{file}") as engine, pytest.raises(StoreError, match="not a database") as error:
        store.migrate(engine)

    one_line(error)
    assert file.read_text().startswith("Dear editor")


def test_a_database_without_tables_says_so(bare_url: str) -> None:
    with opened(bare_url) as engine, pytest.raises(StoreError, match="entries") as error:
        ingest(engine, issue())

    one_line(error)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with socket.socket() as closed:  # bound and not listening: nobody answers, nobody else takes it
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        url = f"postgresql://desk:hunter2@127.0.0.1:{port}/paper?application_name=hunter2"
        with opened(url) as engine, pytest.raises(StoreError, match="refused") as error:
            store.migrate(engine)

    said = one_line(error)
    assert said.startswith(f"PostgreSQL 127.0.0.1:{port}/paper: ")
    assert "hunter2" not in said


def test_a_wrong_password_is_not_repeated(postgresql_server: str) -> None:
    url = make_url(postgresql_server).set(username="nobody", password="hunter2")

    with (
        opened(url.render_as_string(hide_password=False)) as engine,
        pytest.raises(StoreError, match="nobody") as error,
    ):
        store.migrate(engine)

    assert "hunter2" not in one_line(error)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "mysql://desk:hunter2@h/paper",
        "oracle+x://desk:hunter2@h/paper",
        "postgresql://u:hunter2@h:x/p",
    ],
)
def test_what_is_no_address_of_a_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StoreError, match="database_url") as error:
        store.open_engine(url)

    assert "hunter2" not in one_line(error)


def test_postgres_as_hosting_services_write_it_is_understood() -> None:
    with opened("postgres://desk@h/paper") as engine:
        assert engine.url.drivername == "postgresql+psycopg"
