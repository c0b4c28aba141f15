"""The web server: granian, which was measured fastest (see bench/), serving create_app()."""

from __future__ import annotations

import logging

from flask import Flask
from granian.constants import Interfaces
from granian.server import Server

from syndicate.services import open_services
from syndicate.settings import Settings, load
from syndicate.web import create_app

log = logging.getLogger(__name__)


def app() -> Flask:
    """The application, with the settings of the environment: what each worker imports."""
    return create_app(open_services(load()))


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    Server(
        "syndicate.web.server:app",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        log_access=False,
    ).serve()
