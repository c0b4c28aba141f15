"""The web server: granian, which was measured fastest (see bench/), serving create_app()."""

from __future__ import annotations

import logging
import os
import signal
import socket

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from syndicate.errors import SettingsError
from syndicate.processes import end_with_parent
from syndicate.services import open_services
from syndicate.settings import Settings, load
from syndicate.web import create_app, waiting

ANSWERING = 2 * (os.cpu_count() or 1) + 1  # threads of a worker; more gain nothing
THREADS = (
    ANSWERING + waiting.SEATS
)  # a poll that waits sleeps in one; granian starts them when they are needed
WAITING = 64  # requests taken at once by a worker; the others wait in the kernel
LAST_ANSWERS = 5  # seconds to give them at the end; a bot's long poll may then be cut, and is asked again


def app() -> Flask:
    """The application, with the settings of the environment: what each worker imports."""
    end_with_parent(signal.SIGKILL)  # else a worker would hold the port after its server was killed
    return create_app(open_services(load()))


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises SettingsError when the address cannot be listened on.
    """
    _check(settings.host, settings.port)
    # It would warn at each start of threads that only sleep.
    logging.getLogger("_granian").addFilter(lambda record: "spawning up to" not in record.getMessage())
    Server(
        "syndicate.web.server:app",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        blocking_threads=THREADS,
        backpressure=WAITING,
        workers_kill_timeout=LAST_ANSWERS,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def _check(host: str, port: int) -> None:
    """Granian would answer with a stack trace."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as e:
            raise SettingsError(f"SYNDICATE_HOST, SYNDICATE_PORT: cannot listen on {host}:{port}: {e}") from e
