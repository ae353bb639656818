"""OPTIONS after OPTIONS, and what was answered."""

from collections.abc import Sequence

from nethealth.model.observation import Observation
from nethealth.watch.series import Delays
from nethealth.watch.streams import first, number
from nethealth.watch.view import SipLine

CODES_MAX = 16  # different ones that are kept
TEXT_MAX = 256


class SipHistory:
    """Rounds of `sip`, one request each."""

    def __init__(self) -> None:
        self.asked = 0
        self.answered = 0
        self.codes: dict[int, None] = {}
        self.last: Observation | None = None  # of `sip_status_code`
        self.server: Observation | None = None
        self._delays = Delays()

    def take(self, observations: Sequence[Observation]) -> None:
        """One round; where a connection failed before anything was asked, it was not answered."""
        code = first(observations, "sip_status_code")
        sent = number(observations, "sip_transmission_count")
        failed = [one for one in observations if one.failure is not None]
        if code is None and not sent and not failed:
            return
        self.asked += 1
        self._delays.add(number(observations, "sip_response_delay_s"))
        self.last = code or failed[-1]
        if code is None or not isinstance(code.value, int):
            return
        self.answered += 1
        if code.value in self.codes or len(self.codes) < CODES_MAX:
            self.codes[code.value] = None
        self.server = first(observations, "sip_server") or self.server

    def line(self) -> SipLine | None:
        """None while nothing was asked."""
        if not self.asked or self.last is None:
            return None
        code = self.last.value if self.last.name == "sip_status_code" else None
        phrase = self.last.method.get("reason_phrase")
        server = self.server.value if self.server is not None else None
        return SipLine(
            asked=self.asked,
            answered=self.answered,
            code=code if isinstance(code, int) else None,
            phrase=phrase[:TEXT_MAX] if isinstance(phrase, str) else "",
            codes=tuple(sorted(self.codes)),
            server=server[:TEXT_MAX] if isinstance(server, str) else None,
            delay=self._delays.summary(),
        )
