"""A disk that is full: a small tmpfs, mounted for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndicate.settings import CHECKOUT
from tests.conftest import optional


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not shutil.which("mount") or os.geteuid() != 0:
        optional("mounting a tmpfs needs root")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], capture_output=True, text=True
    )
    if done.returncode:
        optional(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def syndicate(disk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syndicate", "--quiet", *words],
        env={
            "PATH": os.environ["PATH"],  # noqa: TID251  # a child process of the test
            "SYNDICATE_DATA": str(disk),
            "SYNDICATE_INBOX_SETTLE_SECONDS": "0",
        },
        capture_output=True,
        text=True,
    )


def test_a_full_disk_is_named_and_the_issue_waits_in_the_inbox(small_disk: Path) -> None:
    assert syndicate(small_disk, "doctor").returncode == 0
    name = "qinglan-2026-11-16.txt"
    shutil.copy(CHECKOUT / "samples" / name, small_disk / "inbox" / name)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)) == 65536:
                pass
        except OSError:
            pass

    full = syndicate(small_disk, "schedule", "--once")

    assert "disk is full" in full.stderr or "No space left" in full.stderr
    assert "Traceback" not in full.stderr
    assert (small_disk / "inbox" / name).read_bytes() == (CHECKOUT / "samples" / name).read_bytes()
    filler.unlink()
    again = syndicate(small_disk, "schedule", "--once")
    assert again.stderr == ""
    assert (small_disk / "archive/2026/11/16" / name).exists()
    assert syndicate(small_disk, "doctor").returncode == 0
