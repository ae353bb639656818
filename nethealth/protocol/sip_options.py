"""OPTIONS, the question that asks a SIP server for nothing but an answer (RFC 3261 section 11)."""

from collections.abc import Callable

from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_request import Requests, bare, contact_uri


class Options(Requests):
    """Questions to one `uri`; they come from nobody in particular at `local`."""

    def __init__(
        self,
        uri: str,
        transport: SipTransport,
        local: Endpoint,
        getrandbits: Callable[[int], int],
    ) -> None:
        host = f"[{local.address}]" if ":" in local.address else local.address
        super().__init__(
            "OPTIONS",
            uri,
            transport,
            local,
            getrandbits,
            from_uri=f"sip:nethealth@{host}",
            to_uri=bare(uri),
            headers=(
                ("Contact", f"<{contact_uri('nethealth', local, transport)}>"),
                ("Accept", "application/sdp"),
            ),
        )
