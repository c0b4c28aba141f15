"""What WebSub says over HTTP: asking a subscriber, sending it a feed, telling an outside hub of a change.

W3C Recommendation of 23 January 2018, https://www.w3.org/TR/websub/
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

from syndicate.deliver.outside import Outside, host
from syndicate.errors import DeliveryError

GONE = 410  # §7: the subscriber has no such subscription any more
ECHO = 1024  # bytes read of the answer to a challenge, which is shorter


@dataclass(frozen=True, slots=True)
class Contents:
    """A feed as it is sent: byte for byte what its own address gives."""

    topic: str
    hub: str
    type: str
    body: bytes


def links(hub: str | None, topic: str) -> str:
    """The Link header of a feed and of its delivery (§4, §7).

    FreshRSS takes a link only when nothing but a comma or the end follows its rel="…".
    """
    return ", ".join((*((f'<{hub}>; rel="hub"',) if hub else ()), f'<{topic}>; rel="self"'))


def signature(secret: str, body: bytes) -> str:
    """What X-Hub-Signature says (§7.1); SHA-256 is the least that §8.3 advises."""
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"


def agrees(
    outside: Outside, callback: str, mode: str, topic: str, challenge: str, lease_seconds: int
) -> bool:
    """Ask the callback whether it wants this (§5.3); only 2xx with the challenge alone in it is a yes.

    Raises DeliveryError when it could not be asked.
    """
    asked = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge}
    if mode == "subscribe":
        asked["hub.lease_seconds"] = str(lease_seconds)
    joint = "&" if "?" in callback else "?"
    answer = outside.request("GET", f"{callback}{joint}{urlencode(asked)}", limit=ECHO)
    whole = len(answer.body) < ECHO
    return answer.good and whole and hmac.compare_digest(answer.body.strip(), challenge.encode())


def send(outside: Outside, callback: str, contents: Contents, secret: str | None) -> bool:
    """Send a feed to a subscriber (§7). False: it says that the subscription is gone.

    Raises DeliveryError when it was not taken: anything but 2xx, redirects too, is a failure there.
    """
    headers = {"Content-Type": contents.type, "Link": links(contents.hub, contents.topic)}
    if secret:
        headers["X-Hub-Signature"] = signature(secret, contents.body)
    answer = outside.request("POST", callback, headers=headers, body=contents.body, limit=0)
    if answer.status == GONE:
        return False
    if not answer.good:
        raise DeliveryError(f"{host(callback)}: answered {answer.status}", permanent=False)
    return True


def notify(outside: Outside, hub: str, topic: str) -> None:
    """Tell an outside hub that a feed has changed, in the words that public hubs understand (§6).

    Raises DeliveryError when it did not take it.
    """
    said = urlencode({"hub.mode": "publish", "hub.url": topic}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = outside.request("POST", hub, headers=form, body=said, limit=0)
    if not answer.good:
        raise DeliveryError(f"{host(hub)}: answered {answer.status}", permanent=False)
