"""Two schedulers push at once and are killed at any moment: nothing goes out twice, nothing is lost unnamed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from syndicate import store
from syndicate.jobs import cards, push_relays
from syndicate.model import ACCOUNT, PushState
from syndicate.store import entries, pushes
from syndicate.store.tables import pushes as table
from tests.conftest import optional
from tests.samples import PAPER, article, issue
from tests.samples import ingest as store_issue
from tests.wechat import nursery
from tests.wechat.loopback import APPID, APPSECRET, wechat

KILLS = 40  # of each of the two
ARTICLES = 150
DAY = nursery.BASE.date()

CONFIG = """title = "青岚日报"
host = "qinglan.example"
[[section]]
slug = "yaowen"
title = "要闻"
[[robot]]
name = "readers"
kind = "wecom"
each = "article"
url_env = "ROBOT"
[[robot]]
name = "editors"
kind = "feishu"
each = "article"
url_env = "OTHER"
[official_account]
appid = "{appid}"
secret = "{secret}"
api = "{api}"
"""


def test_killed_at_any_moment_nothing_is_pushed_twice_or_lost_unnamed(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not cards.available():
        optional("no font for Chinese is installed (Debian: fonts-noto-cjk)")
    start = time.time()
    with wechat() as group:
        group.now, group.delay = lambda: nursery.fast(start), 0.02
        config = tmp_path / "config" / "publications"
        config.mkdir(parents=True)
        (config / "qinglan.toml").write_text(CONFIG.format(appid=APPID, secret=APPSECRET, api=group.url))
        (config.parent / "syndicate.toml").touch()
        for name, value in {
            "SYNDICATE_CONFIG": str(config.parent),
            "SYNDICATE_DATA": str(tmp_path / "var"),
            "SYNDICATE_DATABASE_URL": database_url,
            "SYNDICATE_DEVELOPMENT": "yes",
            "SYNDICATE_DIGEST_PAUSE_SECONDS": "0",
            "ROBOT": group.robot("wecom"),
            "OTHER": group.robot("feishu"),
        }.items():
            monkeypatch.setenv(name, value)
        services = nursery.services_at(start)
        push_relays.work(services, push_relays.client(services.settings))
        paper = [article(n, headline=f"第{n}条。") for n in range(1, ARTICLES + 1)]
        store_issue(services.db, issue(*paper, day=DAY), now=services.now(), paper=PAPER)

        schedulers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.wechat.nursery", str(start), str(KILLS), str(seed)],
                env=dict(os.environ),  # noqa: TID251  # a child process of the test
            )
            for seed in (1, 2)
        ]
        assert [scheduler.wait(300) for scheduler in schedulers] == [0, 0]
        nursery.settle(start)

    with store.reading(services.db) as db:
        numbers = db.execute(select(table.c.id)).scalars().all()
        found = [pushes.find(db, number) for number in numbers]
        headlines = {e.id: e.article.headline for e in entries.of_issue(db, "qinglan", DAY)}
    ledger = [one for one in found if one]
    assert len(ledger) == 2 * ARTICLES + 1
    assert {one.state for one in ledger} <= {PushState.PUSHED, PushState.DOUBTFUL}
    assert group.refused == []
    for robot, key in (("readers", "wecom"), ("editors", "feishu")):
        shown = Counter(
            headline
            for message in group.shown
            if message.key.startswith(key)
            for headline in headlines.values()
            if f"{headline}'" in str(message.body)
        )
        certain = {
            headlines[one.entries[0]]
            for one in ledger
            if one.robot == robot and one.state is PushState.PUSHED
        }
        assert set(shown.values()) == {1}  # nobody saw a thing twice
        assert certain <= shown.keys()  # what counts as pushed was seen
        doubted = set(headlines.values()) - certain
        assert len(doubted) <= 2 * KILLS
    drafts = [one.state for one in ledger if one.robot == ACCOUNT]
    assert len(group.drafts) == 1 if drafts == [PushState.PUSHED] else len(group.drafts) <= 1
    services.db.dispose()
