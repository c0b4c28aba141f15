"""The command line, as a person types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from syndicate.settings import CHECKOUT

SAMPLES = CHECKOUT / "samples"


def syndicate(*words: str | Path, data: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "SYNDICATE_DATA": str(data), **more}  # noqa: TID251  # a child process
    return subprocess.run(
        [sys.executable, "-m", "syndicate", "-q", *map(str, words)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_split_prints_one_json_object_with_spans(tmp_path: Path) -> None:
    file = SAMPLES / "qinglan-2026-11-16.txt"

    done = syndicate("split", file, "--json", data=tmp_path)

    issue = json.loads(done.stdout)
    source = file.read_text(encoding="utf-8")
    assert (issue["publication"], issue["date"], issue["number"]) == ("青岚日报", "2026-11-16", 4127)
    printed = next(a for a in issue["articles"] if a["headline"] == "把B超机背上岩背村")
    ((start, end),) = printed["spans"]["headline"]
    assert source[start:end] == "把B超机背上岩背村"
    assert not (tmp_path / "syndicate.sqlite").exists()


def test_split_takes_a_folder_or_several_files_as_one_issue(tmp_path: Path) -> None:
    folder = syndicate("split", SAMPLES / "qinglan-2026-11-17", "--json", data=tmp_path)
    files = syndicate("split", *sorted((SAMPLES / "qinglan-2026-11-17").iterdir()), "--json", data=tmp_path)

    assert folder.stdout == files.stdout
    assert {a["page"] for a in json.loads(folder.stdout)["articles"]} == {1, 2, 3, 4}


def test_split_explains_each_piece(tmp_path: Path) -> None:
    done = syndicate("split", SAMPLES / "qinglan-2026-11-18-p3.txt", "--explain", data=tmp_path)

    lines = done.stdout.splitlines()
    assert any("headline" in line and "豆包" in line for line in lines)
    assert any("body" in line for line in lines)


@pytest.mark.parametrize(("body", "told"), [(b"", "empty"), (b"%PDF-1.4 ...", "PDF"), (b"\x00" * 500, "")])
def test_a_bad_file_is_one_line_and_exit_code_1(tmp_path: Path, body: bytes, told: str) -> None:
    (tmp_path / "bad.txt").write_bytes(body)

    done = syndicate("split", tmp_path / "bad.txt", "--json", data=tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: bad.txt")
    assert told in done.stderr


def test_ingest_takes_in_several_issues_and_a_second_time_nothing(tmp_path: Path) -> None:
    issues = sorted(SAMPLES.glob("qinglan-*"))

    first = syndicate("ingest", "--no-mail", *issues, data=tmp_path)
    second = syndicate("ingest", "--no-mail", *issues, data=tmp_path)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert [line.split(":")[0] for line in first.stdout.splitlines()] == [
        f"qinglan 2026-11-{d}" for d in (16, 17, 18)
    ]
    assert all(" 0 new, 0 changed," in line for line in second.stdout.splitlines())


def test_ingest_goes_on_after_a_file_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "broken.txt").write_bytes(b"")

    done = syndicate("ingest", tmp_path / "broken.txt", SAMPLES / "qinglan-2026-11-16.txt", data=tmp_path)

    assert done.returncode == 1
    assert "Error: broken.txt" in done.stderr
    assert "qinglan 2026-11-16:" in done.stdout


def test_a_folder_without_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = syndicate("ingest", tmp_path / "empty", data=tmp_path / "var")

    assert done.returncode == 1
    assert done.stderr.endswith("empty: there are no files in it\n")


def test_a_file_whose_name_is_not_utf_8_is_taken_in_and_named(tmp_path: Path) -> None:
    body = (SAMPLES / "qinglan-2026-11-16.txt").read_bytes()
    for name, content in (("青岚".encode("gbk"), body), ("空白".encode("gbk"), b"")):
        (tmp_path / os.fsdecode(name)).write_bytes(content)

    done = syndicate("ingest", tmp_path / os.fsdecode("青岚".encode("gbk")), data=tmp_path / "var")
    bad = syndicate("split", tmp_path / os.fsdecode("空白".encode("gbk")), data=tmp_path / "var")

    assert done.stdout.startswith("qinglan 2026-11-16:"), done.stderr
    assert bad.returncode == 1
    assert "Traceback" not in bad.stderr
    assert "the file is empty" in bad.stderr


def test_the_digest_s_preview_is_a_mail_or_its_html(tmp_path: Path) -> None:
    syndicate("ingest", "--no-mail", SAMPLES / "qinglan-2026-11-16.txt", data=tmp_path)

    site = {"SYNDICATE_BASE_URL": "https://paper.example"}
    mail = syndicate("digest", "preview", "qinglan", data=tmp_path, **site)
    html = syndicate(
        "digest", "preview", "qinglan", "2026-11-16", "--html", "--language", "en", data=tmp_path
    )

    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail.stdout
    assert "<html" in html.stdout
    assert "蓝谷竹基新材料项目落户青岚" in html.stdout


def test_a_date_that_was_not_printed_is_named(tmp_path: Path) -> None:
    done = syndicate("digest", "preview", "qinglan", "2020-01-01", data=tmp_path)

    assert done.returncode == 1
    assert "no issue of 2020-01-01" in done.stderr


def test_the_doctor_s_exit_code_tells_whether_something_wants_a_person(tmp_path: Path) -> None:
    assert syndicate("doctor", data=tmp_path).returncode == 0
    (tmp_path / "inbox" / "empty.txt").write_bytes(b"")
    syndicate("schedule", "--once", data=tmp_path, SYNDICATE_INBOX_SETTLE_SECONDS="0")

    done = syndicate("doctor", data=tmp_path)

    assert done.returncode == 1
    assert "quarantine: empty.txt: " in done.stdout


def test_a_wrong_setting_stops_every_command_with_one_line(tmp_path: Path) -> None:
    done = syndicate("doctor", data=tmp_path, SYNDICATE_COLOUR="red")

    assert done.returncode == 1
    assert done.stderr == "Error: environment: unknown setting SYNDICATE_COLOUR\n"


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    done = syndicate(
        "doctor", data=tmp_path, SYNDICATE_DATABASE_URL="postgresql://paper:hush@127.0.0.1:1/paper"
    )

    assert done.returncode == 1
    assert "127.0.0.1:1/paper" in done.stderr
    assert "hush" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_addresses_are_listed_added_and_removed(tmp_path: Path) -> None:
    def said(*words: str) -> str:
        return syndicate("suppressions", *words, data=tmp_path).stdout

    assert said("list") == ""
    assert said("add", "Li@example.org", "--because", "wrote us") == "li@example.org gets no mail any more\n"
    assert said("add", "li@example.org") == "li@example.org is on the list already\n"
    assert re.fullmatch(r"li@example\.org  \d{4}-\d\d-\d\d  operator  wrote us\n", said("list"))
    assert said("remove", "LI@example.org") == "li@example.org may get mail again\n"
    assert said("remove", "li@example.org") == "li@example.org is not on the list\n"
    assert syndicate("suppressions", "add", "li", data=tmp_path).returncode == 2
    idn = "user@xn--fsqu00a.xn--4rr70v"
    assert said("add", "user@例子.广告") == f"{idn} gets no mail any more\n"


def test_who_gets_no_mail_moves_to_another_server(tmp_path: Path) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "list.csv"
    syndicate("suppressions", "add", "li@example.org", "--because", "=1+1", data=here)
    file.write_text(syndicate("suppressions", "export", data=here).stdout, encoding="utf-8")
    file.write_text(
        file.read_text(encoding="utf-8") + "b@example.org,complained,,\nc@x,,,\nd@example.org,no,,\n"
    )

    done = syndicate("suppressions", "import", str(file), data=there).stdout

    assert done.splitlines()[-1] == "2 new, 0 known, 2 refused"
    listed = syndicate("suppressions", "list", data=there).stdout.splitlines()
    assert [line.split()[2:] for line in listed] == [["complained"], ["operator", "=1+1"]]
