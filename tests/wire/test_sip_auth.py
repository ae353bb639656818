"""Digest against the standards' own examples, OpenSSL as a second hash, and hostile challenges."""

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipResponse
from nethealth.wire.sip_auth import (
    CHALLENGE_MAX_CHARACTERS,
    CHALLENGES_MAX,
    Challenge,
    choose,
    credentials,
    parse_challenge,
)

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def response_of(value: str) -> str:
    found = re.search(r'response="([0-9a-f]+)"', value)
    assert found
    return found[1]


def parsed(value: str) -> Challenge:
    challenge = parse_challenge(value)
    assert challenge is not None
    return challenge


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    challenge = parsed(
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f'algorithm={algorithm}, nonce="{NONCE}", opaque="{OPAQUE}"'
    )
    value = credentials(
        challenge,
        username="Mufasa",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce=CNONCE,
    )
    assert value == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        f'nonce="{NONCE}", uri="/dir/index.html", response="{response}", '
        f'algorithm={algorithm}, opaque="{OPAQUE}", qop=auth, nc=00000001, cnonce="{CNONCE}"'
    )


def test_the_example_of_rfc_2617_section_3_5() -> None:
    challenge = Challenge(
        "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop=("auth", "auth-int")
    )
    value = credentials(
        challenge,
        username="Mufasa",
        password="Circle Of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="0a4f113b",
    )
    assert response_of(value) == "6629fae49393a05397450978507c4ef1"


def openssl(algorithm: str, text: str) -> str:
    done = subprocess.run(
        ["openssl", "dgst", f"-{algorithm}", "-r"], input=text.encode(), capture_output=True,
        check=True,
    )  # fmt: skip
    return done.stdout.split()[0].decode()


@pytest.mark.parametrize(
    ("algorithm", "of_openssl"),
    [("MD5", "md5"), ("SHA-256", "sha256"), ("SHA-512-256", "sha512-256")],
)
@pytest.mark.parametrize("qop", [None, ("auth",)])
def test_openssl_comes_to_the_same(
    algorithm: str, of_openssl: str, qop: tuple[str, ...] | None
) -> None:
    value = credentials(
        Challenge("lab", "n1", algorithm, qop),
        username="Jäsøn",
        password="pässwörd",
        method="REGISTER",
        uri="sip:198.18.2.10",
        cnonce="c1",
        nonce_count=0x2A,
    )
    secret = openssl(of_openssl, "Jäsøn:lab:pässwörd")
    asked = openssl(of_openssl, "REGISTER:sip:198.18.2.10")
    middle = "n1" if qop is None else "n1:0000002a:c1:auth"
    assert response_of(value) == openssl(of_openssl, f"{secret}:{middle}:{asked}")
    assert ("nc=" in value, "cnonce=" in value) == (qop is not None, qop is not None)


def test_what_stands_between_the_quotes_is_hashed_and_sent_back_as_it_is() -> None:
    challenge = parsed(r'Digest realm="the \"lab\"", nonce="a\\b"')
    value = credentials(
        challenge, username='a"b', password="p", method="OPTIONS", uri="sip:x", cnonce="c"
    )
    assert r'username="a\"b", realm="the \"lab\"", nonce="a\\b"' in value
    secret = openssl("md5", r'a"b:the \"lab\":p')
    asked = openssl("md5", "OPTIONS:sip:x")
    assert response_of(value) == openssl("md5", rf"{secret}:a\\b:{asked}")


def test_a_password_that_is_not_utf_8_goes_as_its_octets() -> None:
    value = credentials(
        Challenge("r", "n"), username="u", password="\udcff", method="M", uri="sip:x", cnonce="c"
    )
    done = subprocess.run(
        ["openssl", "dgst", "-md5", "-r"], input=b"u:r:\xff", capture_output=True, check=True
    )
    secret = done.stdout.split()[0].decode()
    assert response_of(value) == openssl("md5", f"{secret}:n:{openssl('md5', 'M:sip:x')}")


def refusal(*values: str, header: str = "www-authenticate") -> SipResponse:
    return SipResponse(401, "Unauthorized", headers=tuple((header, value) for value in values))


def digest(algorithm: str, more: str = "") -> str:
    return f'Digest realm="r", nonce="n", algorithm={algorithm}{more}'


@pytest.mark.parametrize(
    ("offered", "chosen", "downgrade"),
    [
        (["SHA-256", "MD5"], "SHA-256", None),
        (["SHA-512-256", "SHA-256", "MD5"], "SHA-512-256", None),
        (["MD5", "SHA-256"], "MD5", "the server put MD5 before SHA-256"),
        (["SHA-256", "SHA-512-256"], "SHA-256", "the server put SHA-256 before SHA-512-256"),
        (["SHA3-512", "sha-256", "MD5"], "sha-256", None),
        (["AKAv1-MD5", "MD5"], "MD5", "the server offers MD5 alone"),
        (["MD5-sess"], None, None),
        ([], None, None),
    ],
)
def test_the_first_that_we_know_in_the_order_of_the_server(
    offered: list[str], chosen: str | None, downgrade: str | None
) -> None:
    choice = choose(refusal(*map(digest, offered)))
    assert (choice.challenge.algorithm if choice.challenge else None) == chosen
    assert choice.offered == tuple(offered)
    assert choice.downgrade == downgrade


def test_what_cannot_be_answered_is_passed_over() -> None:
    choice = choose(refusal('Basic realm="r"', digest("MD5", ', qop="auth-int"'), digest("MD5")))
    assert choice.challenge is not None
    assert choice.challenge.qop is None


def test_a_proxy_is_answered_as_a_proxy() -> None:
    choice = choose(refusal(digest("MD5"), header="proxy-authenticate"))
    assert choice.challenge is not None
    assert choice.challenge.credentials_header == "Proxy-Authorization"


def test_read_tolerantly() -> None:
    challenge = parsed('dIgEsT  Realm = "r" ,, NONCE=n, stale=TRUE,Qop=auth, domain="sip:a", x=')
    assert challenge == Challenge("r", "n", qop=("auth",), stale=True)


@pytest.mark.parametrize(
    "value",
    [
        "",
        '"',
        "Digest",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r, nonce="n"',
        'Digest realm="r" nonce="n"',
        'Digest realm="r", nonce="n", realm="s"',
        'Digest realm="r", nonce="n", =x',
        'Digest realm="r\0", nonce="n"',
        'Digest realm="r", nonce="n", algorithm=\x1b[31m',
        'Digest realm="r", nonce="' + "n" * CHALLENGE_MAX_CHARACTERS + '"',
    ],
)
def test_broken_challenges(value: str) -> None:
    with pytest.raises(WireError):
        parse_challenge(value)


def test_too_many_challenges() -> None:
    with pytest.raises(WireError, match="challenges"):
        choose(refusal(*[digest("MD5")] * (CHALLENGES_MAX + 1)))


@given(st.text(max_size=200) | st.text(alphabet='Digest realm="n,oce\\= \t', max_size=200))
def test_any_text_parses_or_is_a_wire_error(text: str) -> None:
    for value in (text, f"Digest {text}", f'Digest realm="r", nonce="n", {text}'):
        try:
            challenge = parse_challenge(value)
        except WireError:
            continue
        if challenge is not None and challenge.supported:
            credentials(challenge, username="u", password="p", method="M", uri="sip:x", cnonce="c")
