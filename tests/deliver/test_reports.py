"""Where reports come from: a Maildir, and a mailbox on a server that speaks IMAP."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndicate.deliver import reports
from syndicate.errors import SourceError
from tests.deliver.imap import ImapServer, imap_server


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


def lying_in(folder: Path) -> list[str]:
    return sorted(f"{f.parent.name}/{f.name}" for f in folder.glob("*/*"))


def test_a_maildir_gives_what_is_new_and_what_was_not_dealt_with(maildir: Path) -> None:
    (maildir / "new" / "2.host").write_bytes(b"two")
    (maildir / "cur" / "1.host:2,F").write_bytes(b"one")
    (maildir / "cur" / "0.host:2,S").write_bytes(b"seen")
    (maildir / "tmp" / "3.host").write_bytes(b"being written")
    (maildir / "new" / "link").symlink_to("/etc/passwd")

    with reports.opened(str(maildir)) as mailbox:
        found = list(mailbox.unseen())

    assert found == [("cur/1.host:2,F", b"one"), ("new/2.host", b"two")]


def test_what_was_dealt_with_is_flagged_and_not_lost(maildir: Path) -> None:
    (maildir / "new" / "2.host").write_bytes(b"two")
    (maildir / "cur" / "1.host:2,F").write_bytes(b"one")

    with reports.opened(str(maildir)) as mailbox:
        for name, _ in list(mailbox.unseen()):
            mailbox.mark(name)
            mailbox.mark(name)  # somebody else was faster

        assert list(mailbox.unseen()) == []
    assert lying_in(maildir) == ["cur/1.host:2,FS", "cur/2.host:2,S"]


def test_of_a_large_mail_the_beginning_is_read(maildir: Path) -> None:
    (maildir / "new" / "1").write_bytes(b"x" * (reports.LARGEST + 1))

    with reports.opened(str(maildir)) as mailbox:
        assert [len(raw) for _, raw in mailbox.unseen()] == [reports.LARGEST]


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match=rf"{tmp_path}: not a Maildir"),
        reports.opened(str(tmp_path)) as mailbox,
    ):
        list(mailbox.unseen())


@pytest.mark.parametrize("scheme", ["imap", "imaps", "imap+starttls"])
def test_a_mailbox_gives_what_nobody_has_seen(scheme: str, tmp_path: Path) -> None:
    mails = {3: b"From: a\r\n\r\nthree\r\n", 5: b"five {4}\r\n", 9: b"x" * (reports.LARGEST + 7)}
    with imap_server(mails, tmp_path) as server:
        place = server.url(scheme)

        with reports.opened(place, server.trusted) as mailbox:
            found = list(mailbox.unseen())
            mailbox.mark("3")
        with reports.opened(place, server.trusted) as mailbox:
            left = [name for name, _ in mailbox.unseen()]

    assert found == [("3", mails[3]), ("5", mails[5]), ("9", mails[9][: reports.LARGEST])]
    assert left == ["5", "9"]
    assert server.folder == "Bounces in town"
    assert server.named  # 163.com opens no folder to a client without a name
    assert server.encrypted == (scheme != "imap")


def test_a_mail_that_was_deleted_meanwhile_is_passed_over(tmp_path: Path) -> None:
    with imap_server({1: b"one", 2: b"two"}, tmp_path) as server:
        server.vanished.add(1)
        with reports.opened(server.url("imap")) as mailbox:
            assert list(mailbox.unseen()) == [("2", b"two")]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("login", "no such user"),
        ("select", "no such folder"),
        ("drop", ""),
        ("babble", ""),
        ("fetch", "busy"),
    ],
)
def test_a_server_s_fault_is_one_line_without_the_password(fault: str, said: str, tmp_path: Path) -> None:
    with imap_server({1: b"one"}, tmp_path) as server:
        server.fault = fault
        with pytest.raises(SourceError) as error, reports.opened(server.url("imap")) as mailbox:
            list(mailbox.unseen())

    line = str(error.value)
    assert line.startswith("imap://127.0.0.1/Bounces in town: ")
    assert said in line
    assert ImapServer.PASSWORD not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "url", ["imap://a:%C3%B6@127.0.0.1:{}", "imap://a:b@127.0.0.1:{}/%E9%80%80%E4%BF%A1"]
)
def test_letters_that_imap_does_not_know_are_refused_without_being_quoted(url: str, tmp_path: Path) -> None:
    with (
        imap_server({}, tmp_path) as server,
        pytest.raises(SourceError, match="user, password and folder are to be ASCII"),
        reports.opened(url.format(server.ports["imap"])),
    ):
        pass


def test_a_server_that_is_not_there_is_named() -> None:
    with (
        pytest.raises(SourceError, match=r"imaps://127\.0\.0\.1/INBOX: "),
        reports.opened("imaps://me:secret@127.0.0.1:1") as mailbox,
    ):
        list(mailbox.unseen())


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with (
        imap_server({1: b"one"}, tmp_path) as server,
        pytest.raises(SourceError, match="certificate"),
        reports.opened(server.url("imaps")),
    ):
        pass
