"""Article → canonical JSON → the same article; keys that a later version wrote are passed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from syndicate.model import Article, Byline, Dateline, HeadlineSource, Jump, Kind, Part
from syndicate.store.tables import canonical

T = TypeVar("T")


def dumps(article: Article) -> str:
    """The article without its spans; the same article always gives the same text."""
    return canonical(_plain(article))


def loads(text: str) -> Article:
    """The article that was stored."""
    return _article(json.loads(text))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            f.name: _plain(getattr(value, f.name))
            for f in fields(value)
            if f.name != "spans" and getattr(value, f.name) != _default(f)
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _article(values: dict[str, Any]) -> Article:
    return _made(
        Article,
        {"headline": None} | values,
        headline_source=HeadlineSource,
        kind=Kind,
        byline=lambda v: _made(Byline, v),
        dateline=lambda v: _made(Dateline, v, date=date.fromisoformat),
        jump=lambda v: _made(Jump, v),
        parts=lambda v: tuple(_made(Part, part) for part in v),
    )


def _made(noun: type[T], values: dict[str, Any], **readers: Callable[[Any], Any]) -> T:
    known = {f.name for f in fields(noun)} - {"spans"}  # type: ignore[arg-type]  # all are dataclasses
    return noun(**{k: readers.get(k, _frozen)(v) for k, v in values.items() if k in known})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
