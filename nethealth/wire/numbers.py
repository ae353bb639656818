"""Numbers that a test call must never reach, however they are written.

112, 999 and 911 are emergency services, 101 the police, 111 health advice and 18000 the text
relay to 999.  A telephone system adds and strips prefixes by rules that nobody here can know,
so a number is refused if it *ends* in one of these behind anything at all.  An analogue line
acts on the first digits that it understands, so what *begins* like an emergency call is refused
too.  A test number that happens to look like this is refused as well: choose another one.
"""

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import unquote

SERVICES = ("112", "999", "911", "101", "111", "18000")
EMERGENCY = ("112", "999", "18000")  # acted on before the number is complete
NUMBER_MAX = 256  # characters
_ESCAPES_MAX = 4  # layers of %-escapes that are taken off
# A digit or two for an outside line, and the international and national prefixes before a code.
_OUTSIDE = re.compile(r"(?:[09]{0,2})(?:0044|44|0)?")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_RUN = re.compile(r"[0-9]+")


def refusal(text: str) -> str | None:
    """Why this number or URI must not be called; None if nothing speaks against it.

    `text` is a SIP or SIPS URI, a tel URI or a bare number, in any spelling: escapes, visual
    separators, digits of other scripts, phone-context and other parameters are seen through.
    """
    if len(text) > NUMBER_MAX:
        return f"a number of {len(text)} characters; at most {NUMBER_MAX}"
    match = _SCHEME.fullmatch(text.strip())
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text.strip())
    if scheme == "urn" or (match and scheme not in ("sip", "sips", "tel")):
        return f"{scheme}: is no scheme of a test number"
    plain = _unescaped(rest)
    if plain is None:
        return "escapes within escapes"
    if "?" in plain:
        return "header fields within the URI"
    for dialled in _dialled(scheme, plain):
        reason = _reason(dialled)
        if reason is not None:
            return reason
    return None


def _unescaped(text: str) -> str | None:
    """The text without %-escapes, digits of any script as ASCII; None if escapes never end."""
    for _ in range(_ESCAPES_MAX):
        plain = unquote(text, errors="replace")
        if plain == text:
            break
        text = plain
    else:
        return None
    folded = unicodedata.normalize("NFKC", text)
    return "".join(_as_ascii(character) for character in folded)


def _as_ascii(character: str) -> str:
    value = unicodedata.digit(character, None)
    return character if value is None else str(value)


def _dialled(scheme: str, plain: str) -> Iterator[str]:
    """Every text in the URI that a telephone system may take for what is to be dialled."""
    user, at, _ = plain.rpartition("@")
    if not at:
        user = plain
        host = plain.partition(";")[0]
        if scheme in ("sip", "sips") and _is_address(host):
            return
    number, *parameters = user.split(";")
    yield number
    yield number.partition(":")[0]  # without a password, or without a port
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        yield value
        if name.strip().lower() == "phone-context":
            yield value + number


def _is_address(host: str) -> bool:
    """Whether `host` (with or without a port) is a numeric address, and so no number."""
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _reason(dialled: str) -> str | None:
    kept = "".join(character for character in dialled if character.isalnum() or character in "*#,")
    if kept.lower().startswith("sos"):
        return "sos stands for the emergency services"
    for digits in (*_RUN.findall(kept), "".join(_RUN.findall(kept))):
        for code in SERVICES:
            if digits.endswith(code):
                return (
                    f"it ends in {code}, an emergency or service number, and what stands before "
                    "may be taken for a prefix"
                )
        for code in EMERGENCY:
            if _begins(digits, code):
                return f"it begins with {code}, which a line may act on at once"
    return None


def _begins(digits: str, code: str) -> bool:
    """Whether `digits` begin with `code`, at once or behind what leads outside."""
    outside = _OUTSIDE.match(digits)
    ends = {0, 1, outside.end() if outside else 0} if digits[:1] in ("0", "9") else {0}
    if digits.startswith("44"):
        ends.add(2)
    return any(digits.startswith(code, end) for end in ends)
