"""The servers that figures ask, and wrk, which asks them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SECONDS = 1  # short, so that who is compared is asked in the same moment
GZIP = "Accept-Encoding: gzip"


def missing() -> bool:
    """Whether wrk or nginx is not installed; says so."""
    lacking = [program for program in ("wrk", "nginx") if not shutil.which(program)]
    if lacking:
        print(f"needs {' and '.join(lacking)}: apt-get install {' '.join(lacking)}")
    return bool(lacking)


@contextmanager
def ours(settings: Mapping[str, str]) -> Iterator[int]:
    """The port of our server under these settings."""
    port = free_port()
    env = {**os.environ, **settings, "SYNDICATE_PORT": str(port)}  # noqa: TID251  # what it is started with
    with _running([sys.executable, "-m", "syndicate", "web"], env):
        yield port


@contextmanager
def nginx(folder: Path, http: str) -> Iterator[int]:
    """The port of nginx with this http block, in which PORT stands for the port."""
    port = free_port()
    conf = folder / f"nginx-{port}.conf"
    conf.write_text(
        f"daemon off; pid {conf}.pid; error_log /dev/null; worker_processes 2; user root;"
        f"events {{}} http {{ access_log off; {http.replace('PORT', str(port))} }}",
        "utf-8",
    )
    with _running(["nginx", "-c", str(conf), "-p", str(folder)]):
        yield port


@contextmanager
def _running(command: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def etag(port: int, path: str) -> str:
    """What a server calls what it sends packed; waits for it to start."""
    for _ in range(100):
        try:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}{path}", headers={"Accept-Encoding": "gzip"}
            )
            with urllib.request.urlopen(asked, timeout=5) as got:
                return str(got.headers["ETag"])
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{path} at port {port}: no answer")


def wrk(port: int, path: str, *headers: str) -> float:
    """Answers a second to 32 connections; ends the run if they are refusals."""
    words = [word for head in headers for word in ("-H", head)]
    done = subprocess.run(
        ["wrk", "-t2", "-c32", f"-d{SECONDS}s", *words, f"http://127.0.0.1:{port}{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    # wrk counts a 304 as well done, and tells what is neither 2xx nor 3xx.
    if not found or "Non-2xx or 3xx" in done.stdout:
        raise SystemExit(f"{path} at port {port}: {done.stdout}")
    return float(found[1])


def spread(ratios: Sequence[float]) -> str:
    """The middle one of these ratios, and between which the middle half of them lie."""
    low, middle, high = statistics.quantiles(ratios)
    return f"{middle:.2f} (half of {len(ratios)} rounds: {low:.2f} to {high:.2f})"
