"""All that one machine needs under one command: the web server and the clock, each its own process."""

from __future__ import annotations

import ctypes
import logging
import signal
import subprocess
import sys
import time
from types import FrameType

log = logging.getLogger(__name__)

COMMANDS = ("web", "schedule")
PATIENCE = 20.0  # seconds for a clean stop, before SIGKILL
PR_SET_PDEATHSIG = 1  # prctl(2)


def run() -> int:
    """Start both, wait; SIGTERM or SIGINT stops both cleanly (0). Either ending by itself stops the other (1)."""
    stopping: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        stopping.append(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    children = {name: _start(name) for name in COMMANDS}
    while not stopping and all(child.poll() is None for child in children.values()):
        time.sleep(0.1)
    for name, child in children.items():
        if child.poll() is not None and not stopping:
            log.error("%s ended with %s", name, child.returncode)
    _stop(list(children.values()))
    return 0 if stopping else 1


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Linux sends us the signal when the parent dies, also by SIGKILL; elsewhere a child may be left."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def _start(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-m", "syndicate", name],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us alone; we pass it on
        preexec_fn=end_with_parent,  # this process has no threads
    )


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    until = time.monotonic() + PATIENCE
    for child in children:
        try:
            child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
