"""`syndicate robots`, as a person types it."""

from __future__ import annotations

from pathlib import Path

from tests.test_cli import syndicate
from tests.wechat.loopback import WECOM, wechat

PAPER = """title = "青岚日报"
[[section]]
slug = "yaowen"
title = "要闻"
[[robot]]
name = "readers"
kind = "wecom"
url_env = "ROBOT"
"""


def test_robots_are_listed_and_tested_without_their_keys(tmp_path: Path) -> None:
    papers = tmp_path / "config" / "publications"
    papers.mkdir(parents=True)
    (papers / "qinglan.toml").write_text(PAPER)
    (tmp_path / "config" / "syndicate.toml").touch()
    with wechat() as group:
        env = {
            "SYNDICATE_CONFIG": str(tmp_path / "config"),
            "SYNDICATE_DEVELOPMENT": "yes",
            "ROBOT": group.robot("wecom"),
        }
        before = syndicate("robots", "list", data=tmp_path / "var", **env)
        tested = syndicate("robots", "test", "readers", data=tmp_path / "var", **env)
        group.faults.append("93000")
        refused = syndicate("robots", "test", "readers", "--paper", "qinglan", data=tmp_path / "var", **env)
        after = syndicate("robots", "list", data=tmp_path / "var", **env)
        unknown = syndicate("robots", "test", "nobody", data=tmp_path / "var", **env)
        certain = syndicate("robots", "again", "1", data=tmp_path / "var", **env)

    assert before.stdout == "robot qinglan readers (127.0.0.1/…7f3a): 0 waiting; nothing yet\n"
    assert (tested.returncode, tested.stdout) == (0, "qinglan readers: pushed: 127.0.0.1: ok\n")
    assert len(group.shown) == 1
    assert refused.returncode == 1
    assert "failed: 127.0.0.1: 93000" in refused.stdout
    assert "copy it anew" in after.stdout
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "Error: no robot 'nobody'; there are qinglan readers\n",
    )
    assert certain.stderr == "Error: push 1: pushed, not doubtful or failed\n"
    said = "".join(done.stdout + done.stderr for done in (before, tested, refused, after, unknown))
    assert WECOM not in said
