"""What every command shares: errors in one line, and the services that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from syndicate.errors import SyndicateError

if TYPE_CHECKING:  # opening the database takes a moment that `split --help` need not wait
    from syndicate.services import Services

P = ParamSpec("P")
R = TypeVar("R")


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error that a person can mend into one line and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SyndicateError as e:
            raise click.ClickException(str(e)) from e

    return run


def open_services() -> Services:
    """The services of the settings in force."""
    from syndicate import services
    from syndicate.settings import load

    return services.open_services(load())
