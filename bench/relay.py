"""Polls of relay bots with nothing new, against nginx answering 304 for a file of that size; and long messages.

Ours is the default server. Both sides answer 304; nginx looks at a file, ours at the paper's log. Needs wrk and nginx
(Debian's packages of that name); says so where they are missing. Then 10 000 generated articles as messages: how many
are longer than WeChat takes.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import paper, servers
from syndicate.services import open_services
from syndicate.settings import load
from tests.render.test_wechat import message, over
from tests.wechat import generated

RELAY = "/qinglan/relay/all.json"
STATIC = "/static-poll.json"
ROUNDS = 15
ARTICLES = 10_000


def main() -> None:
    _polls()
    _generated()


def _generated() -> None:
    """Every message of so many articles, held against every limit."""
    began = time.perf_counter()
    wrong = [entry.id for entry in generated.articles(ARTICLES) if over(message(entry))]
    print(
        f"{ARTICLES} articles as messages in {time.perf_counter() - began:.0f} s, {len(wrong)} over a limit"
    )


def _polls() -> None:
    if servers.missing():
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # nginx gives its rights up
        services = open_services(load({"SYNDICATE_DATA": folder}))
        paper.fill(replace(services, settings=replace(services.settings, books=False)))
        ours = running.enter_context(servers.ours({"SYNDICATE_DATA": folder}))
        static = f"server {{ listen 127.0.0.1:PORT; root {folder}/public; }}"
        nginx = running.enter_context(servers.nginx(Path(folder), static))
        servers.etag(ours, f"{RELAY}?after=now")
        cursor, _, _ = _asked(ours, f"{RELAY}?after=now")
        poll = f"{RELAY}?after={cursor}"
        _, etag, body = _asked(ours, poll)
        (Path(folder) / "public" / STATIC.strip("/")).write_bytes(body)
        theirs_etag = servers.etag(nginx, STATIC)
        rounds = []
        for _ in range(ROUNDS):
            theirs = servers.wrk(nginx, STATIC, f"If-None-Match: {theirs_etag}")
            rounds.append((servers.wrk(ours, poll, f"If-None-Match: {etag}"), theirs))
        mine, theirs = (statistics.median(rates) for rates in zip(*rounds, strict=True))
        ratios = servers.spread([mine / theirs for mine, theirs in rounds])
        print(f"nothing new: ours {mine:.0f}/s, nginx {theirs:.0f}/s, ours / nginx {ratios}")


def _asked(port: int, path: str) -> tuple[str, str, bytes]:
    """The cursor, the ETag and the bytes of an answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as got:
        body = got.read()
        return str(json.loads(body)["cursor"]), str(got.headers["ETag"]), body


if __name__ == "__main__":
    main()
