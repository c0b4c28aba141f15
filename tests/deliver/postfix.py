"""A Postfix with folders, ports and mailboxes of its own: it delivers into Maildirs, and nothing leaves the machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from syndicate.deliver.reports import Maildir
from tests.conftest import optional

PROGRAM = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin:/usr/local/sbin")
OWNER = 65534  # nobody, of the Maildirs
MAILBOXES = {
    "reader@example.org": "reader",
    "bounces@paper.example": "returned",
    "leave@paper.example": "returned",
}

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
myhostname = mail.paper.example
mydestination =
alias_maps =
local_recipient_maps =
recipient_delimiter = +
virtual_mailbox_domains = example.org, paper.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
"""
# There is no smtp here: what is for somebody elsewhere cannot go.
MASTER = """\
127.0.0.1:{strict} inet n - n - - smtpd
127.0.0.1:{late} inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=no
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """Where it listens, and where its mail lies."""

    folder: Path
    strict: str  # refuses at RCPT whom it does not know
    late: str  # takes everything, and sends back what it cannot deliver

    def mailbox(self, name: str) -> Path:
        """That Maildir."""
        return self.folder / "mail" / name

    def mails(self, name: str, count: int = 1) -> list[bytes]:
        """What lies in that Maildir, once so many mails do."""
        box = Maildir(self.mailbox(name))
        for _ in range(600):
            if (box.folder / "cur").exists() and len(found := [raw for _, raw in box.unseen()]) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"no {count} mails for {name}:\n{(self.folder / 'log').read_text()}")

    def empty(self) -> None:
        """Take all mail out of all Maildirs."""
        for file in (self.folder / "mail").glob("*/*/*"):
            file.unlink()


@contextmanager
def started(folder: Path) -> Iterator[Postfix]:
    """Postfix over that folder, which all its users can enter, until the end of the block."""
    if PROGRAM is None:
        optional("postfix is not installed (apt-get install postfix)")
    if os.geteuid() != 0:
        optional("postfix gives its folders to other users, which only root can")
    strict, late = _free_ports()
    _write(folder, strict, late)
    words = [str(PROGRAM), "-c", str(folder / "config")]
    subprocess.run([*words, "start"], check=True, capture_output=True, timeout=60)
    try:
        yield Postfix(folder, f"smtp://127.0.0.1:{strict}", f"smtp://127.0.0.1:{late}")
    finally:
        subprocess.run([*words, "stop"], check=True, capture_output=True, timeout=60)


def _write(folder: Path, strict: int, late: int) -> None:
    for name in ("config", "queue", "mail"):
        (folder / name).mkdir()
    os.chown(folder / "mail", OWNER, OWNER)
    boxes = ", ".join(f"{{ {address} = {name}/ }}" for address, name in MAILBOXES.items())
    main = MAIN.format(folder=folder, mailboxes=boxes, owner=OWNER)
    (folder / "config" / "main.cf").write_text(main)
    (folder / "config" / "master.cf").write_text(MASTER.format(strict=strict, late=late))


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
