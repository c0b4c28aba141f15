"""How often something may be asked from one network: enough for a school, too little for a machine."""

from __future__ import annotations

import time
from ipaddress import ip_address, ip_network

from flask import current_app
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from syndicate.web.visit import Visit

IPV4, IPV6 = 24, 56  # bits: the least that is routed, and what a provider gives to a home (RFC 6177 §2)


def count(visit: Visit) -> None:
    """Count one more from the visitor's network.

    Raises TooManyRequests, with the seconds to wait, when there were too many within the last hour.
    """
    most = visit.services.settings.signups_per_hour
    if not most:
        return
    rate, came_from = RateLimitItemPerHour(most), network(visit.request.remote_addr or "")
    limiter: MovingWindowRateLimiter = current_app.extensions.setdefault(
        "syndicate.rates", MovingWindowRateLimiter(MemoryStorage())
    )
    if not limiter.hit(rate, came_from):
        wait = limiter.get_window_stats(rate, came_from).reset_time - time.time()
        raise TooManyRequests(retry_after=max(1, int(wait) + 1))


def network(address: str, *, ipv4: int = IPV4, ipv6: int = IPV6) -> str:
    """The network of an address, so many bits; what is none (a socket, a proxy's mistake) counts as one.

    The address is the request's own: what one's proxies say of it has been read by then (`trusted_proxies`).
    """
    try:
        host = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if host.version == 6 and host.ipv4_mapped:
        host = host.ipv4_mapped
    return str(ip_network(f"{host}/{ipv4 if host.version == 4 else ipv6}", strict=False))
