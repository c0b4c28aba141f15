"""Environment and config/ become one frozen value; no other module reads either."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import time
from email.utils import parseaddr
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

from syndicate.errors import SettingsError
from syndicate.model import (
    ACCOUNT,
    Grouping,
    Limit,
    MessageForm,
    OfficialAccount,
    Publication,
    Robot,
    RobotKind,
    Section,
)

CHECKOUT = Path(__file__).resolve().parent.parent
PREFIX = "SYNDICATE_"
RESERVED = ("desk", "health", "hooks", "hub", "outbox", "relay", "static")  # addresses of the site's own
HOST = re.compile(r"[A-Za-z0-9.-]+")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided. Every field stands, explained, in config/syndicate.toml."""

    data: Path
    database_url: str
    base_url: str
    host: str
    port: int
    web_workers: int
    trusted_proxies: int
    signups_per_hour: int
    secret: str
    desk_password: str
    development: bool
    smtp_url: str
    mail_from: str
    bounce_address: str
    bounce_mailbox: str
    hook_secret: str
    inbox_settle_seconds: float
    tick_seconds: float
    digest_pause_seconds: float
    smtp_connections: int
    dkim_keys: str
    dkim_domain: str
    mail_per_second: float
    mail_quiet_hours: str
    count_clicks: bool
    max_file_mb: int
    feed_days: int
    feed_entries: int
    websub_hub: str
    books: bool
    publications: tuple[Publication, ...]
    mail_limits: Mapping[str, Limit]

    @property
    def hub_url(self) -> str | None:
        """Where readers may subscribe to changes (WebSub), None when they cannot."""
        known = {"own": f"{self.base_url}/hub", "none": None}
        return known.get(self.websub_hub, self.websub_hub)

    @property
    def signing_domain(self) -> str:
        """In whose name mail is signed (DKIM)."""
        return self.dkim_domain or parseaddr(self.mail_from)[1].rpartition("@")[2]

    @property
    def max_file_bytes(self) -> int:
        """The most that the files of an issue may hold."""
        return self.max_file_mb * 1_000_000

    def publication(self, slug: str) -> Publication | None:
        """The newspaper of that slug, if it is configured."""
        return next((p for p in self.publications if p.slug == slug), None)


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from config/syndicate.toml with the environment over it.

    `SYNDICATE_CONFIG` names another configuration folder. Raises SettingsError, naming file and key.
    """
    env = os.environ if env is None else env  # noqa: TID251  # the one place
    folder = Path(env.get(PREFIX + "CONFIG", "") or CHECKOUT / "config")
    values = _values(folder / "syndicate.toml", env)
    values["data"] = Path(values["data"]).absolute()
    values["database_url"] = values["database_url"] or f"sqlite:///{values['data'] / 'syndicate.sqlite'}"
    values["base_url"] = (values["base_url"] or f"http://{values['host']}:{values['port']}").rstrip("/")
    settings = Settings(
        **values, publications=publications(folder / "publications", env), mail_limits=limits(folder)
    )
    _check_settings(settings)
    return settings


def publications(folder: Path, env: Mapping[str, str] | None = None) -> tuple[Publication, ...]:
    """The newspapers described in `folder`, one TOML file each; the file's name is the slug.

    `env` holds the secrets that a file names instead of saying them.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise SettingsError(f"{folder}: no newspaper is described here; add <slug>.toml")
    return tuple(_publication(file, env or {}) for file in files)


def limits(folder: Path) -> Mapping[str, Limit]:
    """What receiving domains take, from `domains.toml` in that folder, else from the one that comes along."""
    file = folder / "domains.toml"
    values = _toml(file if file.exists() else CHECKOUT / "config" / "domains.toml")
    return {domain.lower(): _limit(file, domain, told) for domain, told in values.items()}


def _limit(file: Path, domain: str, told: Any) -> Limit:
    known = {"per_second": (int, float), "connections": (int,)}
    good = isinstance(told, dict) and all(
        type(value) in known.get(key, ()) and value >= 0 for key, value in told.items()
    )
    _check(file, domain, told, good, "{ per_second = 2, connections = 4 }")
    return Limit(**told)


def _check_settings(settings: Settings) -> None:
    for key, good, expected in (
        (
            "base_url",
            re.fullmatch(r"https?://[^\s/?#]+", settings.base_url),
            "http(s)://host, without a path",
        ),
        ("mail_from", "@" in parseaddr(settings.mail_from)[1], "an e-mail address"),
        (
            "bounce_address",  # with the token 64 octets before the @ (RFC 5321 §4.5.3.1.1)
            re.fullmatch(r"([a-z0-9._-]{1,30}@[a-z0-9.-]+)?", settings.bounce_address, re.I),
            "an address such as bounces@paper.example, of at most 30 letters before the @ and without a +",
        ),
        ("web_workers", settings.web_workers >= 1, "at least 1"),
        ("trusted_proxies", 0 <= settings.trusted_proxies <= 10, "0 to 10"),
        ("signups_per_hour", settings.signups_per_hour >= 0, "0 (no limit) or more"),
        ("max_file_mb", settings.max_file_mb >= 1, "at least 1"),
        ("smtp_connections", 1 <= settings.smtp_connections <= 100, "1 to 100"),
        ("dkim_domain", not settings.dkim_domain or HOST.fullmatch(settings.dkim_domain), "a host name"),
        ("mail_per_second", 0 <= settings.mail_per_second < math.inf, "0 (no limit) or more"),
        (
            "mail_quiet_hours",
            re.fullmatch(r"((1?\d|2[0-3])-(1?\d|2[0-3]))?", settings.mail_quiet_hours),
            "two hours such as 22-6, or nothing",
        ),
        ("tick_seconds", 0 < settings.tick_seconds < math.inf, "more than 0"),
        ("feed_days", settings.feed_days >= 0, "0 or more"),
        ("feed_entries", settings.feed_entries >= 1, "at least 1"),
        (
            "websub_hub",
            re.fullmatch(r"own|none|https://[!-~]+", settings.websub_hub) and ">" not in settings.websub_hub,
            "own, none or https://…",
        ),
    ):
        if not good:
            raise SettingsError(f"{PREFIX}{key.upper()}: expected {expected}, got {getattr(settings, key)!r}")

    _check_bounce_mailbox(settings.bounce_mailbox)


def _check_bounce_mailbox(place: str) -> None:
    """The place is not quoted: it holds a password."""
    if "://" not in place:
        return
    url = urlsplit(place)
    local = url.hostname in ("localhost", "127.0.0.1", "::1")
    if not url.hostname or not (url.scheme in ("imaps", "imap+starttls") or (url.scheme == "imap" and local)):
        raise SettingsError(
            f"{PREFIX}BOUNCE_MAILBOX: expected imaps://user:password@host/folder, imap+starttls://…,"
            " on this machine imap://localhost, or the path of a Maildir"
        )


def _values(file: Path, env: Mapping[str, str]) -> dict[str, Any]:
    defaults = _toml(CHECKOUT / "config" / "syndicate.toml")
    written = _toml(file)
    for key in written:
        if key not in defaults:
            raise SettingsError(f"{file}: unknown setting {key!r}")
    for name in env:
        key = name.removeprefix(PREFIX).removesuffix("_FILE").lower()
        if (
            name.startswith(PREFIX)
            and key not in defaults
            and key not in ("config", "test_require", "test_postgres", "shared")
        ):
            raise SettingsError(f"environment: unknown setting {name}")
    return {key: _value(key, default, written.get(key, default), env) for key, default in defaults.items()}


def _value(key: str, default: Any, written: Any, env: Mapping[str, str]) -> Any:
    name = PREFIX + key.upper()
    if named := env.get(name + "_FILE"):
        try:
            written = Path(named).read_text(encoding="utf-8").strip()
        except OSError as e:
            raise SettingsError(f"{name}_FILE: cannot read {named}: {e.strerror}") from e
    elif name in env:
        written = env[name]
    return _typed(name, type(default), written)


def _typed(name: str, kind: type, value: Any) -> Any:
    if kind is bool and isinstance(value, str):
        if value.lower() not in ("1", "0", "true", "false", "yes", "no", ""):
            raise SettingsError(f"{name}: expected true or false, got {value!r}")
        return value.lower() in ("1", "true", "yes")
    if isinstance(value, bool) and kind is not bool:
        raise SettingsError(f"{name}: expected {kind.__name__}, got {value!r}")
    try:
        return kind(value)
    except (TypeError, ValueError) as e:
        raise SettingsError(f"{name}: expected {kind.__name__}, got {value!r}") from e


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as e:
        raise SettingsError(f"{file}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise SettingsError(f"{file}: not valid TOML: {e}") from e


def _publication(file: Path, env: Mapping[str, str]) -> Publication:
    values = _toml(file)
    sections = tuple(_section(file, s) for s in values.pop("section", []))
    robots = tuple(_robot(file, r, sections, env) for r in _tables(file, "robot", values.pop("robot", [])))
    account = values.pop("official_account", None)
    if not sections:
        raise SettingsError(f"{file}: needs at least one [[section]]; the last one takes what fits no other")
    if "robots" in values:
        raise SettingsError(f"{file}: write each robot as [[robot]]")
    if "slug" in values:
        raise SettingsError(f"{file}: the file's name is the slug; take the key 'slug' out")
    _check_zone(file, values)
    paper = _frozen(
        file,
        Publication,
        {
            "slug": file.stem,
            **values,
            "sections": sections,
            "robots": robots,
            "relay_tokens": _relay_tokens(file, values.pop("relay_tokens", {})),
            "official_account": None if account is None else _official_account(file, account, env),
        },
    )
    _check(
        file, "print_time", paper.print_time, isinstance(paper.print_time, time), "a time such as 06:00:00"
    )
    _check(file, "weekly_day", paper.weekly_day, paper.weekly_day in range(7), "0 (Monday) to 6")
    _check(
        file,
        "print_days",
        paper.print_days,
        _all(paper.print_days, int) and set(paper.print_days) <= set(range(7)),
        "a list of days, 0 (Monday) to 6",
    )
    _check(file, "names", paper.names, _all(paper.names, str), "a list of words")
    _check(file, "host", paper.host, bool(HOST.fullmatch(str(paper.host))), "a host name")
    _check(file, "language", paper.language, _is_language(paper.language), "a language such as zh-CN")
    for key, word in (("title_en", paper.title_en), ("publisher", paper.publisher)):
        _check(file, key, word, word is None or isinstance(word, str), "a text")
    if paper.slug in RESERVED:
        raise SettingsError(f"{file}: /{paper.slug} is an address of the site's own; choose another name")
    for what, names in (
        ("sections have the slug", [section.slug for section in sections]),
        ("robots have the name", [robot.name for robot in robots]),
    ):
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise SettingsError(f"{file}: two {what} {twice!r}")
    return paper


def _is_language(tag: object) -> bool:
    try:
        Locale.parse(str(tag), sep="-")
    except (ValueError, UnknownLocaleError):
        return False
    return isinstance(tag, str)


def _section(file: Path, values: Any) -> Section:
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: write sections as [[section]]")
    section = _frozen(file, Section, values)
    _check(
        file,
        "title_en",
        section.title_en,
        section.title_en is None or isinstance(section.title_en, str),
        "a text",
    )
    _check(file, "pages", section.pages, _all(section.pages, int), "whole numbers in a list")
    for key, words in (
        ("page_titles", section.page_titles),
        ("series", section.series),
        ("formerly", section.formerly),
        ("words", section.words),
    ):
        _check(file, key, words, _all(words, str), "a list of words")
    return section


def _relay_tokens(file: Path, values: Any) -> tuple[tuple[str, str], ...]:
    good = isinstance(values, dict) and all(
        isinstance(mark, str) and re.fullmatch("[0-9a-f]{64}", mark) for mark in values.values()
    )
    _check(file, "relay_tokens", "…", good, 'name = "SHA-256 of its token" (syndicate relay token NAME)')
    return tuple(values.items())


def _tables(file: Path, key: str, values: Any) -> list[dict[str, Any]]:
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise SettingsError(f"{file}: write each {key} as [[{key}]]")
    return values


def _robot(file: Path, values: dict[str, Any], sections: Sequence[Section], env: Mapping[str, str]) -> Robot:
    name = values.get("name")
    good = isinstance(name, str) and SLUG.fullmatch(name) is not None and name != ACCOUNT
    _check(file, "robot: name", name, good, "a-z, 0-9 and -")
    where = f"robot {name}"
    told = _told(file, where, values, ("url", "secret"), env)
    _known(file, where, told, Robot)
    told["feed"] = _one_of(file, where, told, "feed", ("all", *(f"section-{s.slug}" for s in sections)))
    told["kind"] = RobotKind(_one_of(file, where, told, "kind", (*RobotKind,), default=""))
    told["form"] = MessageForm(_one_of(file, where, told, "form", (*MessageForm,)))
    told["each"] = Grouping(_one_of(file, where, told, "each", (*Grouping,)))
    corrections = told.setdefault("corrections", True)
    _check(file, f"{where}: corrections", corrections, type(corrections) is bool, "true or false")
    if not re.fullmatch(r"https?://[^\s/?#@\\]+/[!-~]*", told.get("url", "")):  # not quoted: it is a secret
        raise SettingsError(f"{file}: {where}: url: expected https://… (or url_file, url_env)")
    return Robot(**told)


def _one_of(
    file: Path,
    where: str,
    values: Mapping[str, Any],
    key: str,
    choices: Sequence[str],
    default: str | None = None,
) -> str:
    """The value, one of the choices; where it is missing, the first of them or `default`."""
    value = values.get(key, choices[0] if default is None else default)
    _check(file, f"{where}: {key}", value, value in choices, " or ".join(choices))
    return str(value)


def _official_account(file: Path, values: Any, env: Mapping[str, str]) -> OfficialAccount:
    where = "official_account"
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: write it as [{where}]")
    told = _told(file, where, values, ("secret",), env)
    _known(file, where, told, OfficialAccount)
    for key in ("appid", "secret", "author", "api"):
        if key in told or key in ("appid", "secret"):
            _check(file, f"{where}: {key}", "…", isinstance(told.get(key), str) and bool(told[key]), "a text")
    limit = told.get("title_limit", 32)
    _check(file, f"{where}: title_limit", limit, type(limit) is int and 4 <= limit <= 64, "4 to 64")
    return OfficialAccount(**told)


def _known(file: Path, where: str, values: Mapping[str, Any], kind: type) -> None:
    known = {f.name for f in fields(kind)}
    for key in values:
        if key not in known:
            raise SettingsError(f"{file}: {where}: unknown key {key!r}")


def _told(
    file: Path, where: str, values: Mapping[str, Any], secrets: Sequence[str], env: Mapping[str, str]
) -> dict[str, Any]:
    """The values with their secrets, which may lie in a file (…_file) or in the environment (…_env)."""
    told = dict(values)
    for key in secrets:
        if named := told.pop(f"{key}_file", None):
            try:
                told[key] = (file.parent / str(named)).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as e:
                why = e.strerror if isinstance(e, OSError) else "not UTF-8"
                raise SettingsError(f"{file}: {where}: {key}_file: cannot read {named}: {why}") from e
        if named := told.pop(f"{key}_env", None):
            if not env.get(str(named)):
                raise SettingsError(f"{file}: {where}: {key}_env: {named} is not in the environment")
            told[key] = env[str(named)].strip()
        if key in told and not (isinstance(told[key], str) and told[key]):
            raise SettingsError(f"{file}: {where}: {key}: expected a text")
    return told


def _check(file: Path, key: str, value: object, good: bool, expected: str) -> None:
    if not good:
        raise SettingsError(f"{file}: {key}: expected {expected}, got {value!r}")


def _all(values: object, kind: type) -> bool:
    return isinstance(values, tuple) and all(type(v) is kind for v in values)


def _check_zone(file: Path, values: dict[str, Any]) -> None:
    zone = values.get("zone", "Asia/Shanghai")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError) as e:
        raise SettingsError(f"{file}: zone: no such time zone: {zone!r}") from e


T = TypeVar("T")


def _frozen(file: Path, kind: type[T], values: dict[str, Any]) -> T:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # both kinds are dataclasses
    for key in values:
        if key not in known:
            raise SettingsError(f"{file}: unknown key {key!r}")
    for key in ("slug", "title"):
        if not isinstance(values.get(key), str) or not values[key]:
            raise SettingsError(f"{file}: {key} is missing")
    if not SLUG.fullmatch(values["slug"]):
        raise SettingsError(f"{file}: slug {values['slug']!r}: only a-z, 0-9 and - (it stands in addresses)")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
