"""The web server: granian, which was measured fastest (see bench/), serving create_app()."""

from __future__ import annotations

import logging
import os
import signal
import socket
from typing import Any

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import mp

from syndicate.errors import SettingsError
from syndicate.processes import end_with_parent
from syndicate.services import open_services
from syndicate.settings import Settings, load
from syndicate.web import create_app
from syndicate.web.front import front

TAKING = 9  # threads of a worker that take requests, see web/front.py; forms are read and answered by them
WAITING = 64  # requests taken at once by a worker; the others wait in the kernel
# jemalloc, which holds granian's copy of each answer (its manual page names the options). One arena for all threads gives
# each the memory that another has just let go, still in the cache. Given back to the system after seconds, as it is by
# default, that memory would have to be mapped anew, a page at a time, for half of the answers: dear in a virtual machine.
# So it is kept for ten minutes, in large pages. A worker was not larger for it (90 MB; 100 MB by default).
ALLOCATOR = "narenas:1,thp:always,dirty_decay_ms:600000"
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
    # Its workers' allocator, too. What is asked of it in the environment stands.
    os.environ.setdefault("_RJEM_MALLOC_CONF", ALLOCATOR)  # noqa: TID251  # what the workers are started with
    # It would warn at each start of threads that only sleep.
    logging.getLogger("_granian").addFilter(lambda record: "spawning up to" not in record.getMessage())
    _Server(
        "syndicate.web.server:app",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        blocking_threads=TAKING,
        backpressure=WAITING,
        workers_kill_timeout=LAST_ANSWERS,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


class _Server(mp.MPServer):
    """granian, whose workers call our front. It has no other place to say so; its version is in the lock file."""

    @staticmethod
    def _spawn_wsgi_worker(*given: Any) -> None:
        mp._wsgi_call_wrap = front  # type: ignore[attr-defined,assignment]  # granian exports it not
        mp.MPServer._spawn_wsgi_worker(*given)


def _check(host: str, port: int) -> None:
    """Granian would answer with a stack trace."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as e:
            raise SettingsError(f"SYNDICATE_HOST, SYNDICATE_PORT: cannot listen on {host}:{port}: {e}") from e
