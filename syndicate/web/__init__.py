"""The site: pages, feeds, sign-up and the operator's desk, served from what is stored.

A view is a function of a visit and the parts of its address. It asks the store, renders, answers;
`ROUTES` in each module says at which address. No view keeps anything between two visits, sets a
cookie, or waits for the network.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

from syndicate.errors import SyndicateError
from syndicate.services import Services
from syndicate.web import (
    addresses,
    answers,
    cards,
    clicks,
    desk,
    feeds,
    front,
    health,
    hooks,
    hub,
    my_subscription,
    outbox,
    pages,
    relay,
    search,
    search_feed,
    static,
    subscriptions,
)
from syndicate.web.polls import Polls
from syndicate.web.published import Published
from syndicate.web.visit import Visit

LARGEST_REQUEST = 16 * 1024  # bytes: a sign-up form is the largest thing anybody sends


def create_app(services: Services) -> Flask:
    """The WSGI application over these services."""
    app = Flask("syndicate.web", static_folder=None, template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST)
    app.url_map.converters.update(addresses.converters(services.settings))
    for family in (
        pages,
        feeds,
        subscriptions,
        my_subscription,
        desk,
        outbox,
        health,
        hooks,
        hub,
        search,
        search_feed,
        static,
        cards,
        clicks,
        relay,
    ):
        for address, methods, view in family.ROUTES:
            name = f"{view.__module__}.{view.__name__}"
            app.add_url_rule(address, name, partial(_answer, services, view), methods=methods)
    app.register_error_handler(SyndicateError, partial(_machine_refused, app, services))
    app.register_error_handler(HTTPException, partial(_refused, services))
    app.after_request(_harden)
    relay.set_up(app, services)
    polls = Polls(app.wsgi_app, partial(relay.newest, services))
    published = Published(polls, services.public, services.settings, services.now)
    app.wsgi_app = published  # type: ignore[method-assign]  # as Flask advises
    app.extensions[front.IN_MEMORY] = (published.remembered, polls.remembered)
    if proxies := services.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0)  # type: ignore[method-assign]  # as Flask advises
    return app


def _answer(services: Services, view: Callable[..., Response], **parts: Any) -> Response:
    """The view's answer; 304 when the visitor has it already (RFC 9110 §13)."""
    answer = view(Visit.of(services, request), **parts)
    if answer.status_code == 200 and answer.get_etag()[0]:
        answer.make_conditional(request)
    return answer


def _refused(services: Services, error: HTTPException) -> Response:
    if relay.answers_at(request.path):
        answer = relay.failed(error)
    else:
        answer = answers.error_page(Visit.of(services, request), error)
    answer.headers.extend(
        (name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")
    )
    return answer


def _machine_refused(app: Flask, services: Services, error: SyndicateError) -> Response:
    app.logger.error("%s: %s", request.path, error)
    return _refused(services, ServiceUnavailable(retry_after=30))


def _harden(answer: Response) -> Response:
    headers = answer.headers
    headers.setdefault("Content-Security-Policy", answers.POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Cache-Control", answers.REVALIDATE)
    # Werkzeug writes redirects with the Host and scheme it saw, which behind a proxy may be wrong.
    if answer.location and answer.location.startswith(request.host_url):
        answer.location = "/" + answer.location.removeprefix(request.host_url).lstrip("/\\")
    return answer


__all__ = ["create_app"]
