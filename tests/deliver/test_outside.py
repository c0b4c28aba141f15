"""Requests to strangers' addresses: never to our own net, never long, never much."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from syndicate.deliver import outside
from syndicate.deliver.outside import Address, Outside, is_public, or_loopback
from syndicate.errors import DeliveryError, DoubtfulDeliveryError
from tests.conftest import optional
from tests.subscriber import Subscriber, client, said, subscriber, written

AGENT = "Syndicate (+https://paper.example)"


@pytest.fixture
def server() -> Iterator[Subscriber]:
    with subscriber() as server:
        yield server


def port(server: Subscriber) -> int:
    return urlsplit(server.url).port or 0


# ── which addresses ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "2606:4700::1111",
        "2a00:1450:4001:81b::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",  # NAT64 to 8.8.8.8
    ],
)
def test_the_public_net_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.9",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:7f00:1",  # IPv4-translated
        "64:ff9b::7f00:1",  # NAT64 to 127.0.0.1
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",  # NAT64 of a local net
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4 to 127.0.0.1
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_nothing_else_is(address: str) -> None:
    assert not is_public(ip_address(address))


def test_this_machine_can_be_allowed_and_nothing_more_with_it() -> None:
    assert or_loopback(ip_address("127.0.0.1"))
    assert or_loopback(ip_address("8.8.8.8"))
    assert not or_loopback(ip_address("10.0.0.1"))
    assert not or_loopback(ip_address("169.254.169.254"))
    assert outside.anywhere(ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "https://reader.example/websub?k=7f3a",
        "http://reader.example:8080/",
        "https://reader.example",
        "HTTPS://READER.EXAMPLE/%E9%9D%92",
        "https://8.8.8.8/",
    ],
)
def test_an_address_of_the_web_is_not_refused(url: str) -> None:
    assert outside.refusal(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "only http"),
        ("reader.example/", "only http"),
        ("ftp://reader.example/", "only http"),
        ("file:///etc/passwd", "only http"),
        ("gopher://reader.example:70/", "only http"),
        ("https://reader.example/青", "only http"),
        ("https://reader.example/a b", "only http"),
        ("https://reader.example/\r\nHost: inside", "only http"),
        ("https://reader.example/\x00", "only http"),
        ("https://reader.example\\@inside/", "only http"),
        ("https://", "only http"),
        ("https:///path", "a host is needed"),
        ("https://:443/", "a host is needed"),
        ("https://user:password@reader.example/", "no user or password"),
        ("https://reader.example@inside/", "no user or password"),
        ("https://reader.example/#part", "without a fragment"),
        ("https://reader.example/#", "without a fragment"),
        ("https://reader.example:22/", "only the ports 80, 443"),
        ("https://reader.example:6379/", "only the ports 80, 443"),
        ("https://reader.example:99999/", "not an address"),
        ("https://reader.example:x/", "not an address"),
        ("https://[::1/", "not an address"),
        ("http://127.0.0.1/", "public net"),
        ("http://[::1]/", "public net"),
        ("http://[::ffff:10.0.0.1]/", "public net"),
        ("http://169.254.169.254/latest/meta-data/", "public net"),
    ],
)
def test_anything_else_is_refused_with_its_reason(url: str, why: str) -> None:
    assert why in (outside.refusal(url) or "")
    with pytest.raises(DeliveryError) as error:
        Outside(AGENT).request("GET", url)
    assert why in str(error.value)
    assert error.value.permanent


@pytest.mark.parametrize(
    "spelling",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "127.8.8.8",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
    ],
)
def test_no_spelling_of_this_machine_reaches_it(server: Subscriber, spelling: str) -> None:
    with pytest.raises(DeliveryError):
        Outside(AGENT, ports=None).request("GET", f"http://{spelling}:{port(server)}/inside")

    assert server.asked == []


# ── the name is looked up once ───────────────────────────────────────────────────────────


def changing(*answers: str) -> tuple[Callable[[str, int], tuple[str, ...]], list[str]]:
    """A name that leads somewhere else each time it is looked up."""
    looked_up: list[str] = []

    def resolve(name: str, _port: int) -> tuple[str, ...]:
        looked_up.append(name)
        return (answers[len(looked_up) - 1],)

    return resolve, looked_up


def not_first(address: Address) -> bool:
    """As if 127.0.0.1 were our own net and 127.0.0.2 the public one."""
    return str(address) == "127.0.0.2"


def test_the_connection_goes_to_the_address_that_was_checked(server: Subscriber) -> None:
    resolve, looked_up = changing("127.0.0.2", "127.0.0.1")
    with subscriber("127.0.0.2", port(server)) as public:
        asking = Outside(AGENT, allowed=not_first, ports=None, resolve=resolve)

        assert asking.request("GET", f"http://rebinding.example:{port(server)}/").good

        assert looked_up == ["rebinding.example"]
        assert len(public.asked) == 1
        with pytest.raises(DeliveryError, match=r"^rebinding\.example: not an address of the public net$"):
            asking.request("GET", f"http://rebinding.example:{port(server)}/")
    assert server.asked == []


def test_of_several_addresses_only_the_allowed_ones_are_tried(server: Subscriber) -> None:
    with subscriber("127.0.0.2", port(server)) as public:
        asking = Outside(
            AGENT, allowed=not_first, ports=None, resolve=lambda _name, _port: ("127.0.0.1", "127.0.0.2")
        )
        asking.request("POST", f"http://both.example:{port(server)}/", body=b"x")

    assert server.got == []
    assert [post.body for post in public.got] == [b"x"]


def test_where_one_address_is_silent_the_next_is_asked(server: Subscriber) -> None:
    asking = Outside(
        AGENT, allowed=or_loopback, ports=None, resolve=lambda _name, _port: ("127.0.0.3", "127.0.0.1")
    )

    assert asking.request("GET", f"http://two.example:{port(server)}/").good


def test_a_host_that_is_not_there_may_come_back() -> None:
    def unknown(_name: str, _port: int) -> tuple[str, ...]:
        raise OSError

    with pytest.raises(DeliveryError, match=r"^reader\.example: no such host$") as error:
        Outside(AGENT, resolve=unknown).request("GET", "https://reader.example/secret")
    assert not error.value.permanent


@pytest.mark.parametrize(
    "name", ["*.example", "a" * 70 + ".example", "a..example", "-", "[v1.x]", "%31.example"]
)
def test_a_name_that_cannot_be_one_is_a_host_that_is_not_there(name: str) -> None:
    with pytest.raises(DeliveryError):
        Outside(AGENT).request("GET", f"http://{name}/")


def test_nobody_listening_is_no_answer() -> None:
    with subscriber() as gone:
        url = gone.url

    with pytest.raises(DeliveryError, match=r"^127\.0\.0\.1: Connection refused$") as error:
        client().request("GET", url)

    assert not error.value.permanent
    assert "7f3a" not in str(error.value)


# ── what is asked, and what is read ──────────────────────────────────────────────────────


def test_the_address_is_asked_for_as_it_was_written(server: Subscriber) -> None:
    paths: list[str] = []

    def respond(request: BaseHTTPRequestHandler) -> None:
        paths.append(request.path)
        said(request, 200, "here", **{"X-Said": "yes"})

    server.instead = respond
    path = "/a%41/../~b//c;d?x=%7E+%20&&y=/?"

    answer = client().request("GET", f"http://127.0.0.1:{port(server)}{path}", headers={"X-Of": "ours"})

    assert paths == [path]
    assert (answer.status, answer.body, answer.headers["x-said"]) == (200, b"here", "yes")


def test_who_asks_is_said_and_nothing_of_the_environment(
    server: Subscriber, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login desk password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    client().request("POST", server.url, body=b"x")

    (post,) = server.got
    assert post.headers["User-Agent"] == AGENT
    assert not {"Authorization", "Cookie"} & set(post.headers)


def test_a_redirect_is_an_answer_and_is_not_followed(server: Subscriber) -> None:
    with subscriber("127.0.0.2") as elsewhere:
        server.instead = lambda request: said(request, 307, Location=elsewhere.url)

        answer = client().request("POST", server.url, body=b"x")

        assert (answer.status, answer.good, answer.headers["Location"]) == (307, False, elsewhere.url)
        assert (elsewhere.asked, elsewhere.got) == ([], [])


def test_of_a_huge_answer_only_the_beginning_is_read(server: Subscriber) -> None:
    def without_end(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.done.is_set():
            request.wfile.write(b"x" * 65536)

    server.instead = without_end

    assert client().request("GET", server.url, limit=1000).body == b"x" * 1000
    assert client().request("GET", server.url, limit=0).body == b""


def test_a_packed_answer_is_not_unpacked(server: Subscriber) -> None:
    server.instead = lambda request: said(request, 200, "not gzip", **{"Content-Encoding": "gzip"})

    assert client().request("GET", server.url).body == b"not gzip"


def silent(server: Subscriber) -> Callable[[BaseHTTPRequestHandler], None]:
    def wait(_request: BaseHTTPRequestHandler) -> None:
        server.done.wait()

    return wait


def dripping_head(server: Subscriber) -> Callable[[BaseHTTPRequestHandler], None]:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not server.done.wait(0.02):
            request.wfile.write(b"x")

    return drip


def dripping_body(server: Subscriber) -> Callable[[BaseHTTPRequestHandler], None]:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.done.wait(0.02):
            request.wfile.write(b"x")

    return drip


@pytest.mark.parametrize("slowly", [silent, dripping_head, dripping_body])
def test_a_slow_server_is_left_at_the_deadline(
    server: Subscriber, slowly: Callable[[Subscriber], Callable[[BaseHTTPRequestHandler], None]]
) -> None:
    server.instead = slowly(server)

    with pytest.raises(DeliveryError, match=r"^127\.0\.0\.1: no answer in time$") as error:
        client(deadline=0.3).request("POST", server.url, body=b"x" * 1_000_000)

    assert not error.value.permanent


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"]
)
def test_what_is_no_http_is_no_answer(server: Subscriber, raw: bytes) -> None:
    server.instead = lambda request: written(request, raw)

    with pytest.raises(DeliveryError) as error:
        client().request("GET", server.url)

    assert str(error.value).startswith("127.0.0.1: ")
    assert "7f3a" not in str(error.value)


# ── TLS ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path, list[str | None], list[str]]]:
    """A server with a certificate of reader.example: its port, the certificate, the names and hosts it heard."""
    if shutil.which("openssl") is None:
        optional("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=reader.example"
    )
    subprocess.run(
        [
            *("openssl", *made.split()),
            *("-addext", "subjectAltName=DNS:reader.example"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    names: list[str | None] = []
    hosts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            said(self, 200, "safe")

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A refused certificate ends the connection: that is the test."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, certificate, names, hosts
        server.shutdown()
        thread.join()


def test_certificate_and_host_are_the_names_though_the_address_is_connected_to(
    secure: tuple[int, Path, list[str | None], list[str]],
) -> None:
    port, certificate, names, hosts = secure
    trusting = ssl.create_default_context(cafile=str(certificate))
    asking = Outside(
        AGENT, allowed=or_loopback, ports=None, resolve=lambda _name, _port: ("127.0.0.1",), tls=trusting
    )

    assert asking.request("GET", f"https://reader.example:{port}/").body == b"safe"
    assert names == ["reader.example"]
    assert hosts == [f"reader.example:{port}"]

    with pytest.raises(
        DeliveryError, match=r"^other\.example: its certificate is not valid: Hostname mismatch"
    ):
        asking.request("GET", f"https://other.example:{port}/")


def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    secure: tuple[int, Path, list[str | None], list[str]],
) -> None:
    port, _, _, hosts = secure
    asking = Outside(AGENT, allowed=or_loopback, ports=None, resolve=lambda _name, _port: ("127.0.0.1",))

    with pytest.raises(DeliveryError, match=r"^reader\.example: its certificate is not valid: self"):
        asking.request("GET", f"https://reader.example:{port}/")

    assert hosts == []


def test_what_was_lost_before_the_request_went_out_is_no_doubt() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    with pytest.raises(DeliveryError) as error:
        Outside(AGENT, allowed=or_loopback, ports=None).request(
            "POST", f"http://127.0.0.1:{port}/", body=b"x"
        )

    assert not isinstance(error.value, DoubtfulDeliveryError)


def test_what_was_lost_after_the_request_went_out_may_have_been_taken() -> None:
    with subscriber() as reader:
        reader.instead = lambda request: request.connection.close()

        with pytest.raises(DoubtfulDeliveryError, match=r"^127\.0\.0\.1: "):
            client().request("POST", reader.url, body=b"x")

    assert [post.body for post in reader.got] == [b"x"]
