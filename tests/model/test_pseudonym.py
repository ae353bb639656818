"""Tokens agree with openssl's HMAC; one person has one token, and no name is left in a message."""

import base64
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.pseudonym import Pseudonyms, Revealed, e164

KEY = bytes(range(32))
NAMES = Pseudonyms(KEY)


def by_openssl(text: str) -> str:
    """The first 12 characters of the base32 of an HMAC-SHA-256, by another implementation."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}",
               "-binary"]  # fmt: skip
    digest = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    return base64.b32encode(digest).decode().lower()[:12]


def test_a_token_is_the_hmac_of_what_it_stands_for() -> None:
    assert NAMES.user("Alice") == "name-" + by_openssl("name:alice")
    assert NAMES.user("01223 000000") == "number-" + by_openssl("number:+441223000000")


@pytest.mark.parametrize(
    "text", ["+441223000000", "+44 1223 000000", "0044 1223 000 000", "(01223) 000-000"]
)
def test_one_number_in_any_notation_is_one_token(text: str) -> None:
    assert e164(text) == "+441223000000"


@pytest.mark.parametrize(
    ("text", "number"),
    [("2001", "2001"), ("*72", "*72"), ("alice", None), ("", None), ("0", None), ("999", "999")],
)
def test_extensions_stay_and_names_are_no_numbers(text: str, number: str | None) -> None:
    assert e164(text) == number


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sip:alice@pbx.example:5070;transport=tcp?subject=x", "sip:{alice}@pbx.example:5070"),
        ("SIPS:alice:secret@[2001:db8::1]:5061", "sips:{alice}@[2001:db8::1]:5061"),
        ("sip:pbx.example", "sip:pbx.example"),
        ("alice@pbx.example", "{alice}@pbx.example"),
        ("alice", "{alice}"),
    ],
)
def test_of_a_uri_only_scheme_host_and_port_stay(uri: str, shown: str) -> None:
    assert NAMES.uri(uri) == shown.format(alice=NAMES.user("alice"))


def test_a_tel_uri_is_its_number() -> None:
    assert NAMES.uri("tel:+44-1223-000000;phone-context=x") == f"tel:{NAMES.user('01223000000')}"


MESSAGE = (
    b"INVITE sip:+441223000000@pbx.example SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 198.18.2.20:5060;branch=z9hG4bK1\r\n"
    b'From: "Alice Smith" <sip:alice@pbx.example>;tag=1\r\n'
    b"To: Bob Jones <sip:01223000000@pbx.example>\r\n"
    b"P-Asserted-Identity: <tel:+441223000000>\r\n"
    b"Contact: <sip:pbx.example:5060>\r\n\r\n"
)


def test_a_message_keeps_its_form_and_loses_its_people() -> None:
    shown = NAMES.octets(MESSAGE + b"v=0\r\no=alice 1 1 IN IP4 198.18.2.20\r\ns=Bob's call\r\n")
    number, alice = NAMES.user("+441223000000").encode(), NAMES.user("alice").encode()
    for gone in (b"1223000000", b"Alice", b"alice", b"Bob"):
        assert gone not in shown
    assert b"INVITE sip:" + number + b"@pbx.example SIP/2.0\r\n" in shown
    assert b"<sip:" + number + b"@pbx.example>" in shown
    assert b"<tel:" + number + b">" in shown
    assert b"o=" + alice + b" 1 1 IN IP4 198.18.2.20" in shown
    assert b"Contact: <sip:pbx.example:5060>" in shown
    assert b"Via: SIP/2.0/UDP 198.18.2.20:5060;branch=z9hG4bK1" in shown


def test_a_body_other_than_sdp_is_not_kept() -> None:
    assert NAMES.octets(MESSAGE + b"see you at noon").endswith(b"\r\n\r\n")


def test_what_is_revealed_is_as_it_came() -> None:
    revealed = Revealed()
    assert revealed.octets(MESSAGE) == MESSAGE
    assert (revealed.user("alice"), revealed.uri("sip:alice@a")) == ("alice", "sip:alice@a")


def test_another_key_gives_other_tokens_and_another_id() -> None:
    other = Pseudonyms(bytes(32))
    assert other.user("alice") != NAMES.user("alice")
    assert other.key_id != NAMES.key_id
    assert KEY.hex()[:12] not in NAMES.key_id
    assert KEY.hex() not in repr(NAMES)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="8 octets"):
        Pseudonyms(bytes(8))


@given(st.binary(max_size=300))
def test_any_octets_are_taken(data: bytes) -> None:
    NAMES.octets(data)


@given(st.text(max_size=60).filter(str.strip))
def test_any_text_becomes_a_token(text: str) -> None:
    assert re.fullmatch(r"(name|number)-[a-z2-7]{12}", NAMES.user(text))
