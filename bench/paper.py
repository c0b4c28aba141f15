"""The sample newspaper, for figures that need an issue to work on."""

from __future__ import annotations

from syndicate.jobs import ingest, publish
from syndicate.services import Services
from syndicate.settings import CHECKOUT

DAYS = (16, 17, 18)


def files(day: int) -> list[tuple[str, bytes]]:
    """The files of the issue of that day of November 2026."""
    found = sorted((CHECKOUT / "samples").glob(f"qinglan-2026-11-{day}*"))
    below = [f for path in found for f in (sorted(path.iterdir()) if path.is_dir() else [path])]
    return [(f.name, f.read_bytes()) for f in below]


def fill(services: Services) -> None:
    """Take in and publish the three issues."""
    for day in DAYS:
        ingest.ingest(services, files(day))
    publish.run(services)
