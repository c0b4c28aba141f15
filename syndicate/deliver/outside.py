"""Requests to addresses that strangers gave us: only to the public net, small, and soon over.

A name that is looked up, checked, and looked up again to connect may answer differently the second
time. So it is looked up once, right where the connection is opened, and the connection goes to the
address that was checked; certificate and Host header stay the name's.

No redirect is followed, no proxy, cookie or password of the environment is used. Who wants to
follow a redirect makes a second request, which is checked like the first.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Event, Timer
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from syndicate.errors import DeliveryError, DoubtfulDeliveryError

Address = IPv4Address | IPv6Address
Allowed = Callable[[Address], bool]
Resolve = Callable[[str, int], tuple[str, ...]]

PORTS = frozenset(
    {80, 443, 8080, 8443}
)  # IANA: http, https and their alternatives; what else listens is no web
DEADLINE = 15.0  # seconds for all of it: half a MiB to a slow subscriber, and its answer
CONNECT = 5.0  # seconds for one address to answer; then the next one gets its chance
ADDRESSES = 4  # of a name that are tried: two of each family, as most large sites have
LIMIT = 64 * 1024  # bytes of an answer that are read

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits
_UNICAST = IPv6Network("2000::/3")  # RFC 4291 §2.4, IANA: all that was ever given out
# Python's own is_global changes with its version; these it has called global, or does still.
_CLOSED = (
    ip_network("192.0.0.0/24"),  # RFC 6890, protocol assignments
    ip_network("192.88.99.0/24"),  # RFC 7526, relays of 6to4
    ip_network("224.0.0.0/4"),  # RFC 5771, multicast
    ip_network("2001::/23"),  # RFC 2928, protocol assignments; Teredo is one of them
    ip_network("2002::/16"),  # RFC 7526, 6to4: leads to the IPv4 address in it
    ip_network("3fff::/20"),  # RFC 9637, documentation
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` no longer than was asked for."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes

    @property
    def good(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300


def is_public(address: Address) -> bool:
    """Whether the address is one of the public net, also when it is an IPv4 address in IPv6's clothes."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _UNICAST:
            return False
    return address.is_global and not any(address in closed for closed in _CLOSED)


def or_loopback(address: Address) -> bool:
    """The public net and this machine: for development and tests."""
    return address.is_loopback or is_public(address)


def anywhere(_address: Address) -> bool:
    """Every address: for those that the operator chose, not a stranger."""
    return True


def refusal(url: str, *, allowed: Allowed = is_public, ports: frozenset[int] | None = PORTS) -> str | None:
    """Why no request would be made to that address, as far as can be seen without looking it up.

    None: nothing is against it. `ports` None: any.
    """
    if not _WRITTEN.fullmatch(url):
        return "only http:// and https:// addresses of printable ASCII characters, percent-encoded"
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT[parts.scheme]
    except ValueError:
        return "not an address"
    if not parts.hostname or "@" in parts.netloc or "\\" in parts.netloc:
        return "a host is needed, and no user or password"
    if parts.fragment or url.endswith("#"):
        return "an address without a fragment (#…) is needed"
    if ports is not None and port not in ports:
        return f"only the ports {', '.join(map(str, sorted(ports)))}"
    with suppress(ValueError):
        if not allowed(ip_address(parts.hostname)):
            return "not an address of the public net"
    return None


def host(url: str) -> str:
    """The host in an address, as logs may show it: the rest may be a secret of its owner."""
    with suppress(ValueError):
        return (urlsplit(url).hostname or "").rstrip(".") or "?"
    return "?"


def resolved(name: str, port: int) -> tuple[str, ...]:
    """The addresses of a name, as the system's resolver gives them. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


class Outside:
    """Makes requests to addresses that `allowed` lets through; `agent` says who asks."""

    def __init__(
        self,
        agent: str,
        *,
        allowed: Allowed = is_public,
        ports: frozenset[int] | None = PORTS,
        deadline: float = DEADLINE,
        resolve: Resolve = resolved,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._agent = agent
        self._allowed = allowed
        self._ports = ports
        self._deadline = deadline
        self._resolve = resolve
        self._tls = tls

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = LIMIT,
    ) -> Answer:
        """Ask, and read at most `limit` bytes of the answer.

        Raises DeliveryError, naming the host only; permanent when the address is one we do not ask,
        DoubtfulDeliveryError when all of the request had gone out: it may have been taken.
        """
        if why := refusal(url, allowed=self._allowed, ports=self._ports):
            raise DeliveryError(f"{host(url)}: {why}", permanent=True)
        said = {"User-Agent": self._agent, "Accept-Encoding": "identity", "Connection": "close"}
        deadline, gone = _Deadline(self._deadline), Event()
        adapter = _Adapter(
            lambda name, port: deadline.watch(self._connect(name, port)),
            gone.set,
            self._tls or _authorities(),
        )
        try:
            asked = requests.Request(method, url, headers=said | dict(headers or {}), data=body).prepare()
            asked.url = url  # as it was given, where requests would write it in its own way
            with adapter.send(asked, stream=True, timeout=self._deadline) as answer:
                read = _read(answer.raw, limit)
        except (requests.RequestException, HTTPError, OSError, ValueError) as e:
            why = "no answer in time" if deadline.passed else _cause(e)
            raise _lost(f"{host(url)}: {why}", gone) from e
        finally:
            adapter.close()
            deadline.cancel()
        if deadline.passed:  # a head that was cut looks like one that ended
            raise _lost(f"{host(url)}: no answer in time", gone)
        return Answer(answer.status_code, answer.headers, read)

    def _connect(self, name: str, port: int) -> socket.socket:
        """A connection to the first address of the name that is allowed and answers."""
        try:
            addresses = self._resolve(name, port)
        except (OSError, UnicodeError) as e:
            raise DeliveryError(f"{name}: no such host", permanent=False) from e
        safe = [address for address in addresses if self._allowed(ip_address(address))]
        if not safe:
            raise DeliveryError(f"{name}: not an address of the public net", permanent=True)
        *first, last = safe[:ADDRESSES]
        for address in first:
            with suppress(OSError):
                return _opened(address, port)
        return _opened(last, port)


@cache
def _authorities() -> ssl.SSLContext:
    """Those that requests brings. Read once, and not before somebody is asked: it takes a while."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


_WRITTEN = re.compile(r"https?://[!-\[\]-~]+", re.IGNORECASE)  # printable ASCII without the backslash
_PORT = {"http": 80, "https": 443}


def _opened(address: str, port: int) -> socket.socket:
    opened = socket.create_connection((address, port), timeout=CONNECT)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _lost(message: str, gone: Event) -> DeliveryError:
    return DoubtfulDeliveryError(message) if gone.is_set() else DeliveryError(message, permanent=False)


def _read(answer: BaseHTTPResponse, limit: int) -> bytes:
    """At most so many bytes. One read gives what there is; only the next one notices that something is missing."""
    read = b""
    while len(read) < limit and (more := answer.read(limit - len(read), decode_content=False)):
        read += more
    return read


class _Deadline:
    """Cuts what it watches at its time: a timeout for each read would let a byte now and then hold us for ever."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._handles: list[socket.socket] = []
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connection: socket.socket) -> socket.socket:
        """The same connection, to be cut. A second handle does it: TLS takes the first one away."""
        self._handles.append(connection.dup())
        if self.passed:  # while it was being opened
            self._cut()
        return connection

    def cancel(self) -> None:
        """Nothing is cut any more."""
        self._timer.cancel()
        self._timer.join()
        for handle in self._handles:
            handle.close()

    def _cut(self) -> None:
        self.passed = True
        for handle in self._handles:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """requests over connections that `connect` opens; `gone` is called when a request has gone out."""

    def __init__(
        self, connect: Callable[[str, int], socket.socket], gone: Callable[[], None], tls: ssl.SSLContext
    ) -> None:
        self._pools = _pools(connect, gone)
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        """As requests has it, with our connections and authorities."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(self._pools)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to add: the context verifies, and requests would read all authorities again each time."""


def _pools(
    connect: Callable[[str, int], socket.socket], gone: Callable[[], None]
) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port)

        def getresponse(self) -> Any:
            gone()
            return super().getresponse()

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port)

        def getresponse(self) -> Any:
            gone()
            return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _cause(error: BaseException) -> str:
    """What went wrong, without the address, which requests puts into every message."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {seen.verify_message}"
        if isinstance(seen, TimeoutError | requests.Timeout):
            return "no answer in time"
        if isinstance(seen, OSError) and seen.strerror and not isinstance(seen, requests.RequestException):
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return f"no answer ({type(error).__name__})"
