"""Time zones to choose from, in the reader's language."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import Locale, get_global
from babel.dates import get_timezone_location

from syndicate import wishes


def listed(language: str, now: datetime, *besides: str) -> tuple[tuple[str, str], ...]:
    """Names of zones, and what they are called, from west to east: Asia/Shanghai, 上海 +08:00.

    One for each set of rules that differs (CLDR, windowsZones), and those that are asked for.
    """
    moments = {zone: now.astimezone(ZoneInfo(zone)) for zone in {*_usual(), *besides}}
    named = sorted((moment.utcoffset(), _city(zone, language), zone) for zone, moment in moments.items())
    return tuple((zone, f"{city} {moments[zone].isoformat()[-6:]}") for _, city, zone in named)


@cache
def _usual() -> frozenset[str]:
    zones = set(get_global("windows_zone_mapping").values()) & wishes.zones()
    return frozenset(zone for zone in zones if not zone.startswith("Etc/"))


@cache
def _city(zone: str, language: str) -> str:
    locale = Locale.parse(language, sep="-")
    # get_timezone_location alone looks under names that CLDR does not use: for Calcutta it says Kolkata in Chinese.
    known = locale.time_zones.get(zone, {}).get("city")
    return str(known or get_timezone_location(zone, locale=locale, return_city=True))
