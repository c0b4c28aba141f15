"""`syndicate run`: everything under one command, ended cleanly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 60.0


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    env = {
        "PATH": os.environ["PATH"],  # noqa: TID251  # a child process of the test
        "SYNDICATE_DATA": str(tmp_path / "var"),
        "SYNDICATE_PORT": str(port),
    }
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "syndicate", "run"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        yield process
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def answer(port: int) -> bytes:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as got:
                body: bytes = got.read()
                return body
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def children(process: subprocess.Popen[str]) -> list[int]:
    return children_of(process.pid)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not any(
            Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()
            for pid in pids
        ):
            return True
        time.sleep(0.05)
    return False


def test_run_prints_its_addresses_serves_and_ends_cleanly_on_sigterm(
    service: subprocess.Popen[str], port: int, tmp_path: Path
) -> None:
    assert b"ok" in answer(port)
    pids = children(service)
    assert len(pids) == 2

    service.send_signal(signal.SIGTERM)

    assert service.wait(PATIENCE) == 0
    assert gone(pids)
    assert service.stdout is not None
    said = service.stdout.read()
    assert f"http://127.0.0.1:{port}/" in said
    password = (tmp_path / "var/desk-password").read_text()
    assert password not in said  # which a service's journal would keep
    assert str(tmp_path / "var/desk-password") in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_run_leaves_no_child_behind(service: subprocess.Popen[str], port: int) -> None:
    answer(port)
    pids = children(service)

    service.kill()

    assert gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
@pytest.mark.parametrize("half", [0, 1])
def test_when_one_half_is_killed_the_whole_ends_with_an_error_and_leaves_the_port(
    service: subprocess.Popen[str], port: int, half: int
) -> None:
    answer(port)
    pids = children(service)
    workers = [worker for pid in pids for worker in children_of(pid)]
    assert workers

    os.kill(pids[half], signal.SIGKILL)

    assert service.wait(PATIENCE) == 1
    assert gone([*pids, *workers])


def test_a_port_in_use_is_named_in_one_line(tmp_path: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()

        done = subprocess.run(
            [sys.executable, "-m", "syndicate", "web"],
            env={
                "PATH": os.environ["PATH"],  # noqa: TID251  # a child process of the test
                "SYNDICATE_DATA": str(tmp_path / "var"),
                "SYNDICATE_PORT": str(port),
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
