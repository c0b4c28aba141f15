"""Takes the pictures of the README: `make pictures`. Needs Chromium, newsboat and tmux.

A service with the sample newspaper is started on a folder of its own; what is shown is what it serves.
"""

from __future__ import annotations

import html
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
SAMPLES = HERE.parent.parent / "samples"
PAGES = (  # picture, address, width, height, colours
    ("front-1280", "/qinglan/", 1280, 960, "light"),
    ("front-390", "/qinglan/", 390, 844, "light"),
    ("article-1280", "/qinglan/2026-11-18/1/1", 1280, 960, "light"),
    ("article-390", "/qinglan/2026-11-16/1/2", 390, 844, "light"),
    ("article-390-dark", "/qinglan/2026-11-16/1/2", 390, 844, "dark"),
    ("feeds-1280", "/qinglan/feeds/", 1280, 960, "light"),
    ("digest", "/qinglan/digest/2026-11-18", 720, 1100, "light"),
)
TERMINAL = """<meta charset="utf-8"><style>body{{margin:0;background:#16181d}}pre{{margin:0;padding:18px;
font:15px/1.35 "Noto Sans Mono CJK SC","DejaVu Sans Mono",monospace;color:#d8dee9}}</style><pre>{}</pre>"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        env = {**os.environ, "SYNDICATE_DATA": folder, "SYNDICATE_PORT": str(port)}  # noqa: TID251
        issues = sorted(str(path) for path in SAMPLES.glob("qinglan-*"))
        syndicate = [sys.executable, "-m", "syndicate", "--quiet"]
        subprocess.run([*syndicate, "ingest", "--no-mail", *issues], env=env, check=True)
        service = subprocess.Popen([*syndicate, "run"], env=env)
        base = f"http://127.0.0.1:{port}"
        try:
            _wait(f"{base}/health")
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                for name, address, width, height, colours in PAGES:
                    page = browser.new_page(
                        viewport={"width": width, "height": height},
                        color_scheme="dark" if colours == "dark" else "light",
                    )
                    page.goto(base + address)
                    page.screenshot(path=HERE / f"{name}.png")
                    page.close()
                _terminal(browser, _newsboat(Path(folder), f"{base}/qinglan/feeds/section-yaowen.atom"))
                browser.close()
        finally:
            service.terminate()
            service.wait()


def _newsboat(folder: Path, feed: str) -> str:
    """The reader's screen with the articles of a feed."""
    (folder / "urls").write_text(feed + "\n")
    tmux = ["tmux", "-L", "pictures"]
    reader = f"LC_ALL=C.UTF-8 newsboat -r -u {folder}/urls -c {folder}/cache.db"
    subprocess.run([*tmux, "-u", "new-session", "-d", "-x", "100", "-y", "28", reader], check=True)
    try:
        time.sleep(3)
        subprocess.run([*tmux, "send-keys", "Enter"], check=True)
        time.sleep(2)
        shown = subprocess.run([*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True)
        return shown.stdout
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def _terminal(browser: Browser, screen: str) -> None:
    page = browser.new_page(viewport={"width": 960, "height": 610})
    page.set_content(TERMINAL.format(html.escape(screen)))
    page.screenshot(path=HERE / "newsboat.png")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    main()
