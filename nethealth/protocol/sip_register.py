"""REGISTER of one Contact of our own, and of no other (RFC 3261 section 10.2)."""

from collections.abc import Callable

from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_request import Requests, contact_uri
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipResponse
from nethealth.wire.sip_address import Address
from nethealth.wire.sip_grammar import parameter, uint
from nethealth.wire.sip_uri import SipUri, escaped_user, parse_uri

EXPIRES_S = 60  # short: what no removal reaches is gone within a minute
EXPIRES_MAX_S = 600  # the most that a registrar may ask for by Min-Expires


class Registration:
    """One binding of `username` at the domain of `uri`, under a user part nobody else has.

    The Contact that is registered and the one that is removed are the same by construction; "*",
    which would remove everybody's, cannot be written.
    """

    def __init__(
        self,
        uri: str,
        username: str,
        transport: SipTransport,
        local: Endpoint,
        getrandbits: Callable[[int], int],
    ) -> None:
        asked = parse_uri(uri)
        # Section 10.2: the Request-URI names the domain alone; To is the address of record.
        self.uri = str(SipUri(asked.scheme, asked.host, port=asked.port))
        record = str(SipUri(asked.scheme, asked.host, escaped_user(username)))
        self._user = f"nethealth-{getrandbits(64):016x}"
        secure = asked.scheme == "sips"
        self._contact = f"<{contact_uri(self._user, local, transport, secure=secure)}>"
        self._record = record
        self._transport = transport
        self._getrandbits = getrandbits
        self.move(local)

    def move(self, local: Endpoint) -> None:
        """Ask from another address from now on; the Contact stays what it was."""
        self._requests = Requests(
            "REGISTER",
            self.uri,
            self._transport,
            local,
            self._getrandbits,
            from_uri=self._record,
            to_uri=self._record,
        )
        self._begun = False

    def request(
        self, expires_s: int, timeout_s: float, *, authorization: tuple[str, str] | None = None
    ) -> ClientTransaction:
        """Register for `expires_s`, or remove with 0; one Call-ID throughout (10.2.4)."""
        more = [("Contact", f"{self._contact};expires={expires_s}")]
        if authorization is not None:
            more.append(authorization)
        make = self._requests.again if self._begun else self._requests.transaction
        self._begun = True
        return make(timeout_s, more=more)

    def own_binding(self, answer: SipResponse) -> Address | None:
        """Our Contact among the bindings of a 2xx (10.3, step 8); WireError if one is broken.

        Known by its user part: a registrar behind a NAT may rewrite host and port.
        """
        for address in answer.contact:
            try:
                if parse_uri(address.uri).user == self._user:
                    return address
            except WireError:
                continue  # somebody else's, of another scheme
        return None


def granted_s(binding: Address, answer: SipResponse) -> int | None:
    """How long the binding lasts: its own `expires`, else the header's (section 10.2.4)."""
    text = parameter(binding.parameters, "expires") or answer.value("expires")
    return None if text is None else uint(text, "expires")


def shortest_s(answer: SipResponse) -> int | None:
    """Min-Expires of a 423: the shortest time that the registrar takes (section 10.2.8)."""
    text = answer.value("min-expires")
    return None if text is None else uint(text, "Min-Expires")
