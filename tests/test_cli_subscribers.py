"""Subscribers on the command line: in, out, looked at, taken away."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest


@pytest.fixture
def list_(tmp_path: Path) -> Path:
    file = tmp_path / "fair.csv"
    rows = (
        "邮箱,同意日期,栏目,频率,检索词",
        "reader@example.org,2026-03-05,要闻,每周,=1+1",
        "+plus@example.org,2026-03-05,,,",
        "reader@mailinator.com,2026-03-05,,,",
        "nobody@example.org,,,,",
    )
    file.write_bytes("\r\n".join(rows).encode("gb18030"))
    return file


def subscribers(*words: str | Path, data: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "SYNDICATE_DATA": str(data)}  # noqa: TID251  # a child process
    return subprocess.run(
        [sys.executable, "-m", "syndicate", "-q", "subscribers", *map(str, words)],
        env=env,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_list_goes_in_and_comes_out_as_one_that_goes_in_again(tmp_path: Path, list_: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"

    done = subscribers("import", list_, "--paper", "qinglan", data=here)

    assert done.stdout.splitlines() == [
        "line 4: reader@mailinator.com: disposable address",
        "line 5: nobody@example.org: no consent date",
        "2 taken, 2 refused",
        "       1  disposable address",
        "       1  no consent date",
    ]
    first = subscribers("export", "--paper", "qinglan", data=here).stdout
    rows = list(csv.DictReader(StringIO(first)))
    assert [(row["address"], row["words"], row["source"]) for row in rows] == [
        ("reader@example.org", "'=1+1", "fair.csv"),
        ("'+plus@example.org", "", "fair.csv"),
    ]
    (tmp_path / "again.csv").write_text(first, encoding="utf-8")
    assert (
        "2 taken, 0 refused"
        in subscribers("import", tmp_path / "again.csv", "--paper", "qinglan", data=there).stdout
    )
    second = list(csv.DictReader(StringIO(subscribers("export", "--paper", "qinglan", data=there).stdout)))
    assert [row | {"created": ""} for row in second] == [row | {"created": ""} for row in rows]


def test_who_is_refused_is_written_to_a_report(tmp_path: Path, list_: Path) -> None:
    report = tmp_path / "refused.csv"

    done = subscribers("import", list_, "--paper", "qinglan", "--dry-run", "--report", report, data=tmp_path)
    lost = subscribers(
        "import", list_, "--paper", "qinglan", "--report", tmp_path / "no" / "r", data=tmp_path
    )

    assert done.stdout.startswith("2 would be taken, 2 refused\n")
    assert report.read_text(encoding="utf-8-sig").splitlines() == [
        "line,address,why",
        "4,reader@mailinator.com,disposable address",
        "5,nobody@example.org,no consent date",
    ]
    assert lost.stderr == f"Error: --report {tmp_path / 'no' / 'r'}: No such file or directory\n"


def test_an_address_is_shown_removed_and_erased(tmp_path: Path, list_: Path) -> None:
    subscribers("import", list_, "--paper", "qinglan", data=tmp_path)

    shown = subscribers("show", "Reader@example.org", data=tmp_path).stdout
    removed = subscribers("remove", "reader@example.org", data=tmp_path).stdout
    erased = subscribers("erase", "reader@example.org", data=tmp_path, typed="y\n").stdout
    gone = subscribers("show", "reader@example.org", data=tmp_path)

    assert "consent      2026-03-04T16:00:00+00:00" in shown
    assert removed == "qinglan: ended\n"
    assert erased.endswith("qinglan: erased\n")
    assert (gone.returncode, gone.stderr) == (
        1,
        "Error: reader@example.org: nothing is known of this address\n",
    )
    again = subscribers("import", list_, "--paper", "qinglan", data=tmp_path).stdout
    assert "line 2: reader@example.org: asked to be erased" in again
    assert "reader@" not in subscribers("export", "--paper", "qinglan", data=tmp_path).stdout


def test_what_is_missing_is_said_in_a_line(tmp_path: Path, list_: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("name\nnobody\n", encoding="utf-8")

    several = subscribers("import", list_, data=tmp_path)
    unknown = subscribers("export", "--paper", "nix", data=tmp_path)
    no_list = subscribers("import", bad, "--paper", "qinglan", data=tmp_path)

    assert "Error: --paper: say which (" in several.stderr
    assert "Error: --paper: no newspaper 'nix' is described (" in unknown.stderr
    assert no_list.stderr == f"Error: {bad}: line 1: there is no column 'address' (邮箱)\n"
    assert {done.returncode for done in (several, unknown, no_list)} == {1}
