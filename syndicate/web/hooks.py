"""A door for reports that are pushed: a mail server or a mail service posts the message that came back."""

from __future__ import annotations

import hmac

from flask import Response
from werkzeug.exceptions import NotFound
from werkzeug.wsgi import get_input_stream

from syndicate.jobs import record_bounces
from syndicate.web import answers
from syndicate.web.addresses import Route
from syndicate.web.visit import Visit

LARGEST = 10_000_000  # bytes of a message: a letter of ours and a server's words are a hundredth of it


def bounces(visit: Visit) -> Response:
    """Record the message in the body; `?recipient=` is the address it was sent to, where the message does not say.

    404 without a secret in the settings, 401 without it in the Authorization header (RFC 6750), 413 over ten
    megabytes. Posted twice it is recorded once, so who got no answer may post it again.
    """
    secret = visit.services.settings.hook_secret
    if not secret:
        raise NotFound
    given = visit.request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {secret}".encode()):
        return _said("Authorization: Bearer <hook_secret> is needed", 401, {"WWW-Authenticate": "Bearer"})
    # Not request.data: its limit is a form's.
    raw = get_input_stream(visit.request.environ, max_content_length=LARGEST).read()
    if not raw:
        return _said("the body is to be the message that came back", 400)
    return _said(record_bounces.record(visit.services, raw, visit.request.args.get("recipient", "")), 200)


ROUTES: tuple[Route, ...] = (("/hooks/bounces", ("POST",), bounces),)


def _said(words: str, status: int, headers: dict[str, str] | None = None) -> Response:
    answer = Response(words + "\n", status, headers, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = answers.PRIVATE
    return answer
