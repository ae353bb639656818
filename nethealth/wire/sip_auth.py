"""Digest authentication: challenges in, credentials out (RFC 7616, RFC 8760, RFC 3261 section 22).

MD5, SHA-256 and SHA-512-256, with qop `auth` or none. The `-sess` variants and `auth-int` are not
answered, and the user name is never hashed.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipMessage
from nethealth.wire.sip_grammar import NAME, WSP, excerpt

CHALLENGE_MAX_CHARACTERS = 4096
CHALLENGES_MAX = 16
# From the weakest (RFC 8760 section 2); the names on the wire are compared without case.
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
SUPPORTED = tuple(_HASHES)

# auth-param = token BWS "=" BWS ( token / quoted-string ); values that are neither end at a comma
_PARAMETER = re.compile(
    rf'[ \t]*({NAME})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))[ \t]*(?:,|$)', re.DOTALL
)
_EMPTY = re.compile(r"[ \t]*,")
_SCHEME = re.compile(rf"({NAME})(?:[ \t]+(.*))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ESCAPED = re.compile(r'(["\\])')
_HEADERS = {"www-authenticate": "Authorization", "proxy-authenticate": "Proxy-Authorization"}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One Digest challenge (RFC 7616 section 3.3).

    `realm`, `nonce` and `opaque` stand as between their quotes, escapes included: so they are
    hashed, and so they are sent back. `qop` is None where the server offers none at all.
    """

    realm: str
    nonce: str
    algorithm: str = "MD5"  # as the server wrote it; this is its meaning where it wrote none
    qop: tuple[str, ...] | None = None
    opaque: str | None = None
    stale: bool = False
    credentials_header: str = "Authorization"

    @property
    def supported(self) -> bool:
        """Whether `credentials` can answer it."""
        known = self.algorithm.upper() in _HASHES
        return known and (self.qop is None or "auth" in self.qop)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which challenge is answered: the first in the server's order that we can (RFC 8760, 2.4)."""

    challenge: Challenge | None  # None: there is none that we can answer
    offered: tuple[str, ...]  # every algorithm, in the server's order

    @property
    def downgrade(self) -> str | None:
        """In words, if less than the best of what we know was agreed; None where it was not."""
        if self.challenge is None:
            return None
        chosen = self.challenge.algorithm.upper()
        known = [each.upper() for each in self.offered if each.upper() in _HASHES]
        best = max(known, key=SUPPORTED.index)
        if best != chosen:
            return f"the server put {chosen} before {best}"
        return "the server offers MD5 alone" if set(known) == {"MD5"} else None


def choose(message: SipMessage) -> Choice:
    """The challenge of a 401 or 407 to answer; WireError if one is broken, or there are too many.

    Challenges of other schemes than Digest are passed over.
    """
    found = []
    for name, header in _HEADERS.items():
        for value in message.values(name):
            challenge = parse_challenge(value, header)
            if challenge is not None:
                found.append(challenge)
    if len(found) > CHALLENGES_MAX:
        raise WireError(f"{len(found)} challenges; at most {CHALLENGES_MAX}")
    return Choice(
        next((each for each in found if each.supported), None),
        tuple(each.algorithm for each in found),
    )


def parse_challenge(value: str, credentials_header: str = "Authorization") -> Challenge | None:
    """Read the value of one WWW-Authenticate or Proxy-Authenticate; None if it is not Digest."""
    if len(value) > CHALLENGE_MAX_CHARACTERS:
        raise WireError(f"challenge of {len(value)} characters; at most {CHALLENGE_MAX_CHARACTERS}")
    if _CONTROL.search(value):
        raise WireError(f"challenge with a control character: {excerpt(value)}")
    match = _SCHEME.fullmatch(value.strip(WSP))
    if match is None:
        raise WireError(f"not a challenge: {excerpt(value)}")
    scheme, rest = match.groups("")
    if scheme.lower() != "digest":
        return None
    given = _parameters(rest)
    missing = [name for name in ("realm", "nonce") if name not in given]
    if missing:
        raise WireError(f"challenge without {' and '.join(missing)}")
    qop = given.get("qop")
    return Challenge(
        realm=given["realm"],
        nonce=given["nonce"],
        algorithm=given.get("algorithm", "MD5"),
        qop=None if qop is None else tuple(each.strip(WSP).lower() for each in qop.split(",")),
        opaque=given.get("opaque"),
        stale=given.get("stale", "").lower() == "true",
        credentials_header=credentials_header,
    )


def credentials(
    challenge: Challenge,
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    cnonce: str,
    nonce_count: int = 1,
) -> str:
    """The value of Authorization that answers a supported challenge (RFC 7616 section 3.4).

    `uri` is the Request-URI as sent; `nonce_count` counts the uses of this nonce from 1.
    """
    if not challenge.supported:
        raise ValueError(f"no credentials for {challenge.algorithm!a} with qop {challenge.qop!a}")
    algorithm = challenge.algorithm.upper()
    secret = _hash(algorithm, (username, challenge.realm, password))
    asked = _hash(algorithm, (method, uri))
    count = f"{nonce_count:08x}"
    if challenge.qop is None:
        response = _hash(algorithm, (secret, challenge.nonce, asked))
    else:
        response = _hash(algorithm, (secret, challenge.nonce, count, cnonce, "auth", asked))
    escaped = _ESCAPED.sub(r"\\\1", username)
    parts = [
        f'username="{escaped}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.opaque is not None:
        parts.append(f'opaque="{challenge.opaque}"')
    if challenge.qop is not None:
        parts += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
    return "Digest " + ", ".join(parts)


def _parameters(text: str) -> dict[str, str]:
    """Names in lower case; a name that stands twice with different values is a WireError."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        empty = _EMPTY.match(text, position)
        if empty is not None:  # a list may hold empty elements (RFC 9110 section 5.6.1)
            position = empty.end()
            continue
        match = _PARAMETER.match(text, position)
        if match is None:
            raise WireError(f"challenge: {excerpt(text[position:])} is not a parameter")
        name, quoted, plain = match.groups()
        value = plain if quoted is None else quoted
        if found.setdefault(name.lower(), value) != value:
            raise WireError(f"challenge: {name.lower()} stands twice")
        position = match.end()
    return found


def _hash(algorithm: str, parts: Iterable[str]) -> str:
    # A password from the environment may hold octets that are not UTF-8: they go as they are.
    octets = ":".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.new(_HASHES[algorithm], octets, usedforsecurity=False).hexdigest()
