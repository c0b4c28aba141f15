"""Serving a feed from the public folder: our app under granian, against nginx serving the same file.

The feed has 50 entries of 1 500 Han characters, 115 kB when packed. Also measured is nginx with docs/nginx.conf, which
says more of a feed than bare nginx does. Needs wrk and nginx (Debian's packages of that name); says so where they are
missing.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

from bench import invented, servers
from bench.invented import PAPER
from bench.servers import GZIP
from syndicate.jobs import publish
from syndicate.services import open_services
from syndicate.settings import CHECKOUT, load

ROUNDS = 15
FEED = f"/{PAPER.slug}/feeds/all.atom"


def main() -> None:
    if servers.missing():
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # nginx gives its rights up
        settings = _publish(Path(folder))
        plain = running.enter_context(servers.nginx(Path(folder), _plain(folder)))
        documented = running.enter_context(servers.nginx(Path(folder), _documented(folder)))
        ours = running.enter_context(servers.ours({**settings, "SYNDICATE_WEB_WORKERS": "2"}))
        for name in ("200", "304"):
            rounds = [_round(name, plain, ours, documented) for _ in range(ROUNDS)]
            for n, who in ((1, "ours"), (2, "nginx with docs/nginx.conf")):
                ratios = [rates[n] / rates[0] for rates in rounds]
                print(
                    f"{name}: {who:27}{statistics.median(rates[n] for rates in rounds):8.0f}/s, of nginx "
                    f"{servers.spread(ratios)}"
                )


def _publish(folder: Path) -> dict[str, str]:
    """Publish an issue of fifty articles; the settings of a server for it."""
    papers = folder / "config" / "publications"
    papers.mkdir(parents=True)
    shutil.copy(CHECKOUT / "config" / "syndicate.toml", papers.parent)
    told = [f'title = "{PAPER.title}"', f'host = "{PAPER.host}"']
    for section in PAPER.sections:
        told += ["[[section]]", f'slug = "{section.slug}"', f'title = "{section.title}"']
    (papers / f"{PAPER.slug}.toml").write_text("\n".join(told), "utf-8")
    settings = {"SYNDICATE_DATA": str(folder), "SYNDICATE_CONFIG": str(papers.parent)}
    services = open_services(load(settings))
    services = replace(services, settings=replace(services.settings, books=False))
    invented.take_in(services, date(2026, 10, 1), articles=50)
    publish.run(services)
    return settings


def _plain(folder: str) -> str:
    return f"gzip_static on; server {{ listen 127.0.0.1:PORT; root {folder}/public; }}"


def _documented(folder: str) -> str:
    server = (CHECKOUT / "docs" / "nginx.conf").read_text("utf-8")
    return server.replace("listen 80;", "listen 127.0.0.1:PORT;").replace(
        "/var/lib/syndicate/public", f"{folder}/public"
    )


def _round(name: str, *ports: int) -> list[float]:
    """Answers a second of each server to readers who have nothing yet (200), or all already (304)."""
    rates = []
    for port in ports:
        known = servers.etag(port, FEED)
        rates.append(servers.wrk(port, FEED, GZIP, *([f"If-None-Match: {known}"] if name == "304" else [])))
    return rates


if __name__ == "__main__":
    main()
