"""Who calls and who registers, by number: names and telephone numbers stand here and nowhere else.

They stand here as the run names people: as tokens, unless somebody gave a reason to show them.
"""

from nethealth.model.pseudonym import Names
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipMessage
from nethealth.wire.sip_uri import parse_uri

PARTIES_MAX = 20_000
_TEXT_MAX = 200


class Parties:
    """A number for each address of record that was seen; numbers run from 1."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._numbers: dict[str, int] = {}
        self.left_out = 0

    def number(self, message: SipMessage, header: str) -> int | None:
        """The number of the party in From or To; None if it cannot be read, or the book is full."""
        try:
            address = message.from_ if header == "from" else message.to
        except WireError:
            return None
        return None if address is None else self.number_of(address.uri)

    def number_of(self, uri: str) -> int | None:
        """The number of the address of record that a URI names (RFC 3261 section 10.3)."""
        text = self._names.uri(_record(uri))[:_TEXT_MAX]
        number = self._numbers.get(text)
        if number is None:
            if len(self._numbers) >= PARTIES_MAX:
                self.left_out += 1
                return None
            number = self._numbers[text] = len(self._numbers) + 1
        return number

    def all(self) -> dict[int, str]:
        """The address of record of each number."""
        return {number: text for text, number in self._numbers.items()}


def _record(uri: str) -> str:
    """Scheme, user and host, without port, password and parameters; another scheme as it stands."""
    try:
        parsed = parse_uri(uri)
    except WireError:
        return uri[:_TEXT_MAX]
    user = (parsed.user or "").partition(":")[0]
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}:{user}{'@' if user else ''}{host.lower()}"[:_TEXT_MAX]
