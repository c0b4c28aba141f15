"""The parts of the site's addresses. What is not written as it must be is simply not found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import quote

from flask import Response
from werkzeug.routing import BaseConverter, ValidationError

from syndicate.model import Publication
from syndicate.settings import Settings

Route = tuple[str, tuple[str, ...], Callable[..., Response]]
"""An address, its methods, the view that answers there."""

GET = ("GET",)  # HEAD comes with it
GET_POST = ("GET", "POST")


def converters(settings: Settings) -> Mapping[str, type[BaseConverter]]:
    """How each kind of part is read: <paper:paper>, <day:day>, <number:page>, <name:part> and so on."""

    class Paper(BaseConverter):
        """The slug of a configured newspaper."""

        regex = r"[a-z0-9][a-z0-9-]*"

        def to_python(self, value: str) -> Publication:
            """The newspaper of that slug."""
            paper = settings.publication(value)
            if paper is None:
                raise ValidationError
            return paper

    return {
        "paper": Paper,
        "day": _Day,
        "number": _Number,
        "long": _Long,
        "feed": _Feed,
        "name": _Name,
        "file": _File,
        "token": _Token,
    }


class _Day(BaseConverter):
    """2026-11-16."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """The date, if the calendar has it."""
        try:
            return date.fromisoformat(value)
        except ValueError as e:
            raise ValidationError from e

    def to_url(self, value: date) -> str:
        """As written."""
        return value.isoformat()


class _Number(BaseConverter):
    """A page or running number: no leading zero, so that each article has one address."""

    regex = r"[1-9][0-9]{0,3}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


class _Long(_Number):
    """The number of something in the ledger."""

    regex = r"[1-9][0-9]{0,17}"


class _Name(BaseConverter):
    """What model.address_part makes: letters and digits of any script, hyphens, underscores."""

    regex = r"[\w-]{1,80}"

    def to_url(self, value: str) -> str:
        """Percent-encoded."""
        return quote(value)


class _Feed(_Name):
    """A feed's name: section-yaowen, byline-何晓楠."""

    regex = r"[\w-]{1,140}"


class _File(BaseConverter):
    """A file's name: no folders, nothing hidden."""

    regex = r"[\w-][\w.-]{0,199}"


class _Token(BaseConverter):
    """What deliver.tokens makes; whether it is genuine is asked there."""

    regex = r"[A-Za-z0-9_.-]{1,200}"
