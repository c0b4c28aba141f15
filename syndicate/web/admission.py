"""Who may see the desk, and press its buttons."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Response
from werkzeug.exceptions import Forbidden, Unauthorized

from syndicate.web import answers
from syndicate.web.visit import Visit

USER = "desk"


def refusal(visit: Visit) -> Response | None:
    """The answer to who lacks the password, or presses a button from another site; None: come in."""
    if not _admitted(visit):
        answer = answers.error_page(visit, Unauthorized())
        answer.headers["WWW-Authenticate"] = 'Basic realm="Syndicate desk", charset="UTF-8"'
    elif visit.request.method == "POST" and not _own(visit):
        answer = answers.error_page(visit, Forbidden())
    else:
        return None
    answer.headers["Cache-Control"] = answers.PRIVATE
    return answer


def _admitted(visit: Visit) -> bool:
    try:
        given = visit.request.authorization
    except ValueError:  # not ASCII, which werkzeug 3.1 lets fall through
        return False
    if given is None or given.type != "basic":
        return False
    # Both are compared, each in constant time: how long it takes tells nothing of either.
    user = hmac.compare_digest((given.username or "").encode("utf-8", "replace"), USER.encode())
    password = hmac.compare_digest(
        (given.password or "").encode("utf-8", "replace"), visit.services.desk_password.encode()
    )
    return user and password and bool(visit.services.desk_password)


def _own(visit: Visit) -> bool:
    """Whether a form was sent from a page of ours: browsers add the password to other sites' forms, too.

    Every browser of today says where a POST comes from (Fetch Standard, §3.2: Origin); what says nothing is no
    browser, and carries no password but its own.
    """
    origin = visit.request.headers.get("Origin")
    if origin is None:
        return visit.request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    return urlsplit(origin).netloc in (
        visit.request.host,
        urlsplit(visit.services.settings.base_url).netloc,
    )
