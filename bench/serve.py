"""Serving a feed from the public folder: our app under granian, against nginx serving the same file.

Needs wrk and nginx (Debian's packages of that name); says so where they are missing.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

from bench import paper
from syndicate.services import open_services
from syndicate.settings import load

SECONDS = 4
GZIP = "Accept-Encoding: gzip"
FEED = "/qinglan/feeds/all.atom"


def main() -> None:
    missing = [program for program in ("wrk", "nginx") if not shutil.which(program)]
    if missing:
        print(f"needs {' and '.join(missing)}: apt-get install {' '.join(missing)}")
        return
    with tempfile.TemporaryDirectory() as folder:
        services = open_services(load({"SYNDICATE_DATA": folder}))
        paper.fill(replace(services, settings=replace(services.settings, books=False)))
        port = _free_port()
        env = {
            **os.environ,  # noqa: TID251  # what the server is started with
            "SYNDICATE_DATA": folder,
            "SYNDICATE_PORT": str(port),
            "SYNDICATE_WEB_WORKERS": "2",
        }
        nginx_port = _free_port()
        nginx = _nginx(Path(folder), nginx_port)
        ours = subprocess.Popen(
            [sys.executable, "-m", "syndicate", "web"], env=env, stderr=subprocess.DEVNULL
        )
        try:
            etag = _wait(f"http://127.0.0.1:{port}{FEED}")
            theirs_etag = _wait(f"http://127.0.0.1:{nginx_port}{FEED}")
            for name, our_head, their_head in (
                ("200", (GZIP,), (GZIP,)),
                ("304", (GZIP, f"If-None-Match: {etag}"), (GZIP, f"If-None-Match: {theirs_etag}")),
            ):
                theirs = _wrk(nginx_port, their_head)
                mine = _wrk(port, our_head)
                print(f"{name}: ours {mine:9.0f}/s, nginx {theirs:9.0f}/s, ours / nginx {mine / theirs:.2f}")
        finally:
            for process in (ours, nginx):
                process.terminate()
                process.wait()


def _nginx(folder: Path, port: int) -> subprocess.Popen[bytes]:
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log /dev/null; worker_processes 2; user root;"
        f"events {{}} http {{ access_log off; gzip_static on;"
        f"server {{ listen 127.0.0.1:{port}; root {folder}/public; }} }}"
    )
    return subprocess.Popen(["nginx", "-c", str(conf), "-p", str(folder)], stderr=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> str:
    for _ in range(100):
        try:
            # nginx has another tag for what it sends packed
            asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(asked, timeout=5) as got:
                return str(got.headers["ETag"])
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def _wrk(port: int, headers: tuple[str, ...], path: str = FEED) -> float:
    words = [word for head in headers for word in ("-H", head)]
    done = subprocess.run(
        ["wrk", "-t2", "-c32", f"-d{SECONDS}s", *words, f"http://127.0.0.1:{port}{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found
    return float(found[1])


if __name__ == "__main__":
    main()
