"""http against nginx of every kind, and against servers that hang, flood, break off or babble."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nethealth.model.check import HttpParameters
from nethealth.model.failure import Failure, Outcome
from probes.http_exchange import BODY_MAX_BYTES
from probes.http_url import parse_location
from tests.peers import nginx
from tests.peers.certificates import Authority, self_signed
from tests.peers.ports import free_port
from tests.probes.driver import Seen, drive, observe
from tests.probes.hostile import Behave, forever, reset, stream_server


@dataclass(frozen=True)
class Web:
    """The ports of one nginx, and the root that clients are to trust."""

    ca_file: str
    plain: int
    good: int
    good6: int
    expired: int
    wrong_name: int
    own: int
    old: int


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder: Path = tmp_path_factory.mktemp("nginx")
    root = Authority(folder)
    issuing = root.intermediate()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    here = "127.0.0.1"
    pairs = {
        "good": issuing.issue("good", ["portal.example", here, "::1"]),
        "expired": root.issue("expired", [here], not_after=yesterday),
        "wrong_name": root.issue("wrong", ["other.example"], common_name=here),
        "own": self_signed(folder, "own", [here]),
        "old": root.issue("old", [here], key_type="rsa"),
    }
    ports = {name: free_port() for name in ("plain", *pairs)}
    good6 = free_port("::1")
    sites = [nginx.Site(here, ports[name], pair) for name, pair in pairs.items() if name != "old"]
    sites.append(
        nginx.Site(here, ports["old"], pairs["old"], "TLSv1", ciphers="DEFAULT:@SECLEVEL=0")
    )
    sites.append(nginx.Site("::1", good6, pairs["good"]))
    redirects = {
        "/moved": "/",
        "/first": "/moved",
        "/secure": f"https://{here}:{ports['good']}/",
        "/nowhere": "ftp://198.18.2.10/",
        "/gone": f"http://{here}:{free_port()}/",
    }
    sites.append(nginx.Site(here, ports["plain"], redirects=redirects))
    with nginx.serving(folder, sites):
        yield Web(str(root.ca_file), good6=good6, **ports)


def get(
    web: Web,
    url: str,
    *,
    expect_status: int | None = None,
    body_match: str | None = None,
    redirects_max: int = 5,
) -> Seen:
    parameters = HttpParameters(url, expect_status, body_match, redirects_max)
    return drive("http", parameters, ca_file=web.ca_file)


# --- healthy -------------------------------------------------------------------------------------


def test_a_page_has_its_phases_timed_apart(web: Web) -> None:
    seen = get(web, f"http://127.0.0.1:{web.plain}/", body_match=nginx.PAGE, expect_status=200)
    assert seen.completed()
    assert seen.names() == [
        "tcp_connect_time_s",
        "http_first_byte_time_s",
        "http_status_code",
        "http_status_expected",
        "http_redirect_count",
        "http_body_bytes",
        "http_body_matched",
        "http_total_time_s",
    ]
    assert seen.value("http_status_code") == 200
    assert seen.value("http_status_expected") is True
    assert seen.value("http_redirect_count") == 0
    assert seen.value("http_body_bytes") == len(nginx.PAGE) + 1
    assert seen.value("http_body_matched") is True
    phases = seen.value("tcp_connect_time_s") + seen.value("http_first_byte_time_s")
    assert 0 < phases <= seen.value("http_total_time_s")


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
def test_good_tls(web: Web, address: str) -> None:
    port = web.good6 if ":" in address else web.good
    seen = get(web, f"https://{address}:{port}/")
    assert seen.completed()
    assert seen.value("tls_handshake_time_s") > 0
    assert seen.value("tls_version") == "TLSv1.3"
    assert seen.value("tls_chain_verified") is True
    assert seen.value("tls_name_matched") is True
    days = seen.only("certificate_days_to_expiry")
    assert 89 < seen.value("certificate_days_to_expiry") <= 90
    assert days.unit == "d"
    assert days.method["subject"] == "CN=portal.example"
    assert days.method["issuer"] == "CN=Lab Issuing CA"
    assert days.method["chain_length"] == 2
    assert days.method["key_type"] == "EC secp256r1"
    assert seen.value("http_status_code") == 200


# --- certificates that are bad are facts, and the page is still read ------------------------------


@pytest.mark.parametrize(
    ("kind", "verified", "matched", "said"),
    [
        ("expired", False, True, "expired"),
        ("wrong_name", True, False, "name mismatch"),
        ("own", False, True, "self-signed"),
    ],
)
def test_bad_certificates(web: Web, kind: str, verified: bool, matched: bool, said: str) -> None:
    seen = get(web, f"https://127.0.0.1:{getattr(web, kind)}/")
    assert seen.completed()
    assert seen.value("tls_chain_verified") is verified
    assert said in str(seen.only("tls_chain_verified").method["error"])
    assert seen.value("tls_name_matched") is matched
    assert (seen.value("certificate_days_to_expiry") < 0) is (kind == "expired")
    assert seen.value("http_status_code") == 200


def test_an_old_server_is_observed_and_its_version_told(web: Web) -> None:
    seen = get(web, f"https://127.0.0.1:{web.old}/")
    assert seen.completed()
    assert seen.value("tls_version") == "TLSv1"
    assert seen.value("tls_chain_verified") is True
    assert seen.only("certificate_days_to_expiry").method["key_bits"] == 2048


def test_an_unknown_root_is_named(web: Web, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Another Root")
    parameters = HttpParameters(f"https://127.0.0.1:{web.good}/")
    seen = drive("http", parameters, ca_file=str(stranger.ca_file))
    assert seen.value("tls_chain_verified") is False
    assert seen.only("tls_chain_verified").method["error"] == "unknown issuer: CN=Lab Root"


# --- statuses, redirects, bodies ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"), [("/absent", 404), ("/broken", 500), ("/unavailable", 503)]
)
def test_a_bad_status_is_a_fact(web: Web, path: str, status: int) -> None:
    seen = get(web, f"http://127.0.0.1:{web.plain}{path}", expect_status=200, body_match="healthy")
    assert seen.completed()
    assert seen.value("http_status_code") == status
    assert seen.value("http_status_expected") is False
    assert seen.value("http_body_matched") is False


def test_redirects_are_followed_and_listed(web: Web) -> None:
    base = f"http://127.0.0.1:{web.plain}"
    seen = get(web, f"{base}/first")
    assert seen.completed()
    count = seen.only("http_redirect_count")
    assert count.value == 2
    assert count.method["locations"] == (f"{base}/moved", f"{base}/")
    assert count.method["status_codes"] == (302, 302)
    assert count.method["left_https"] is False
    assert seen.value("http_status_code") == 200
    first = [each for each in seen.observations if each.name == "http_first_byte_time_s"]
    assert [each.method["request"] for each in first] == [1, 2, 3]


def test_a_redirect_to_https_is_described(web: Web) -> None:
    seen = get(web, f"http://127.0.0.1:{web.plain}/secure")
    assert seen.completed()
    assert seen.value("tls_name_matched") is True
    assert seen.only("tcp_connect_time_s", request=2).method["port"] == web.good


def test_a_redirect_that_is_expected_is_not_followed(web: Web) -> None:
    seen = get(web, f"http://127.0.0.1:{web.plain}/moved", expect_status=302)
    assert seen.value("http_status_code") == 302
    assert seen.value("http_status_expected") is True
    assert (
        get(web, f"http://127.0.0.1:{web.plain}/moved", redirects_max=0).value("http_status_code")
        == 302
    )


@pytest.mark.parametrize(
    ("path", "failure", "count"),
    [
        ("/loop", Failure.PROTOCOL, 6),
        ("/nowhere", Failure.PROTOCOL, 1),
        ("/gone", Failure.REFUSED, 1),
    ],
)
def test_redirects_that_lead_to_nothing(web: Web, path: str, failure: Failure, count: int) -> None:
    seen = get(web, f"http://127.0.0.1:{web.plain}{path}")
    assert seen.failed(failure)
    assert seen.value("http_redirect_count") == count
    assert "http_status_code" not in seen.names()


def test_a_large_body_is_read_up_to_the_cap(web: Web) -> None:
    seen = get(web, f"http://127.0.0.1:{web.plain}/large", body_match="not there")
    assert seen.completed()
    assert seen.value("http_body_bytes") == BODY_MAX_BYTES < nginx.LARGE_BYTES
    assert seen.only("http_body_bytes").method["complete"] is False
    assert seen.value("http_body_matched") is None
    assert seen.only("http_body_matched").method["reason"]


# --- what is no web server ------------------------------------------------------------------------


def test_a_closed_port_is_refused() -> None:
    seen = drive("http", HttpParameters(f"http://127.0.0.1:{free_port()}/"))
    assert seen.failed(Failure.REFUSED)
    assert seen.names() == ["tcp_connect_time_s"]


def test_plain_http_where_tls_is_expected_fails_the_handshake(web: Web) -> None:
    seen = get(web, f"https://127.0.0.1:{web.plain}/")
    assert seen.failed(Failure.TLS)
    assert seen.value("tls_handshake_time_s") is None


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "http://[::1/", "http://h:99999/"])
def test_what_is_no_url_is_not_run(url: str) -> None:
    seen = drive("http", HttpParameters(url))
    assert seen.end.outcome is Outcome.NOT_RUN
    assert seen.end.reason


# --- servers that do wrong ------------------------------------------------------------------------

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
OK = b"HTTP/1.1 200 OK\r\n"


async def hang(reader: Reader, writer: Writer) -> None:
    await forever()


async def hang_in_headers(reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Server: sl")
    await forever()


async def hang_in_body(reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Content-Length: 100\r\n\r\nsome")
    await forever()


async def never_close(reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"\r\nall there is")
    await forever()


async def drip(reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.02)


async def close_at_once(reader: Reader, writer: Writer) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def reset_in_body(reader: Reader, writer: Writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Content-Length: 100\r\n\r\nsome")
    await writer.drain()
    await asyncio.sleep(0.1)
    reset(writer)


async def reset_before_response(reader: Reader, writer: Writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    reset(writer)


async def cut_body(reader: Reader, writer: Writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"Content-Length: 100\r\n\r\nsome")
    await writer.drain()
    writer.close()


async def garbage(reader: Reader, writer: Writer) -> None:
    writer.write(bytes(range(256)) * 8)
    await writer.drain()
    await forever()


async def endless_headers(reader: Reader, writer: Writer) -> None:
    writer.write(OK)
    while True:
        writer.write(b"X-Filler: " + b"y" * 1000 + b"\r\n")
        await writer.drain()


async def one_endless_header(reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"X-Filler: ")
    while True:
        writer.write(b"y" * 10_000)
        await writer.drain()


async def endless_interim(reader: Reader, writer: Writer) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()


async def endless_tiny_chunks(reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n" * 10_000)
        await writer.drain()


async def other_protocol(reader: Reader, writer: Writer) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await forever()


def get_hostile(behave: Behave, *, scheme: str = "http", timeout_s: float = 1.0) -> Seen:
    async def case() -> Seen:
        async with stream_server(behave) as port:
            parameters = HttpParameters(f"{scheme}://127.0.0.1:{port}/", timeout_s=timeout_s)
            return await observe("http", parameters)

    return asyncio.run(case())


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (hang, Failure.TIMEOUT),
        (hang_in_headers, Failure.TIMEOUT),
        (close_at_once, Failure.PROTOCOL),
        (reset_before_response, Failure.RESET),
        (garbage, Failure.PROTOCOL),
        (endless_headers, Failure.PROTOCOL),
        (one_endless_header, Failure.PROTOCOL),
        (endless_interim, Failure.PROTOCOL),
        (other_protocol, Failure.PROTOCOL),
    ],
)
def test_without_a_whole_head_there_is_no_status(behave: Behave, failure: Failure) -> None:
    seen = get_hostile(behave)
    assert seen.failed(failure)
    assert seen.names() == ["tcp_connect_time_s", "http_first_byte_time_s"]
    assert seen.value("http_first_byte_time_s") is None


@pytest.mark.parametrize(
    ("behave", "failure", "received"),
    [
        (hang_in_body, Failure.TIMEOUT, 4),
        (never_close, Failure.TIMEOUT, 12),
        (drip, Failure.TIMEOUT, None),
        (endless_tiny_chunks, Failure.TIMEOUT, None),
        (reset_in_body, Failure.RESET, 4),
        (cut_body, Failure.PROTOCOL, 4),
    ],
)
def test_without_a_whole_body_there_is_no_total(
    behave: Behave, failure: Failure, received: int | None
) -> None:
    seen = get_hostile(behave)
    assert seen.failed(failure)
    assert seen.value("http_status_code") == 200
    assert seen.value("http_total_time_s") is None
    assert seen.only("http_body_bytes").method["complete"] is False
    if received is not None:
        assert seen.value("http_body_bytes") == received


@pytest.mark.parametrize(("behave", "scheme"), [(hang_in_body, "http"), (hang, "https")])
def test_a_probe_that_is_stopped_leaves_nothing_open(behave: Behave, scheme: str) -> None:
    async def case() -> None:
        async with stream_server(behave) as port:
            held = len(list(Path("/proc/self/fd").iterdir()))
            parameters = HttpParameters(f"{scheme}://127.0.0.1:{port}/")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(observe("http", parameters), 0.3)
            # one is left: the server's own end of the connection
            assert len(list(Path("/proc/self/fd").iterdir())) <= held + 1

    asyncio.run(case())


@pytest.mark.parametrize(
    ("behave", "failure"),
    [(hang, Failure.TIMEOUT), (garbage, Failure.TLS), (other_protocol, Failure.TLS)],
)
def test_without_a_handshake_there_is_no_tls(behave: Behave, failure: Failure) -> None:
    seen = get_hostile(behave, scheme="https")
    assert seen.failed(failure)
    assert seen.names() == ["tcp_connect_time_s", "tls_handshake_time_s"]


def test_a_hostile_location_header_stays_bounded() -> None:
    async def redirect(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /" + b"\xff<script>" * 5000 + b"\r\n\r\n")
        await writer.drain()

    seen = get_hostile(redirect)
    assert seen.failed(Failure.PROTOCOL)
    assert len(seen.end.reason or "") < 500


# --- URLs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "base", "url", "host_header"),
    [
        ("http://h", None, "http://h/", "h"),
        ("http://user:secret@h:8080/a#b", None, "http://h:8080/a", "h:8080"),
        ("https://[2001:db8::1]:443/?q=1", None, "https://[2001:db8::1]/?q=1", "[2001:db8::1]"),
        ("http://bücher.example/é", None, "http://xn--bcher-kva.example/%C3%A9", None),
        ("../c", "http://h/a/b", "http://h/c", "h"),
        ("//other/x", "https://h/a", "https://other/x", "other"),
        ("/a%20b c", "http://h/", "http://h/a%20b%20c", "h"),
    ],
)
def test_locations(text: str, base: str | None, url: str, host_header: str | None) -> None:
    location = parse_location(text, parse_location(base) if base else None)
    assert location.url == url
    if host_header:
        assert location.host_header == host_header
