"""Whether a call asked for facsimile by T.38, and what the other side said (RFC 3264)."""

from collections.abc import Iterable, Sequence

from nethealth.passive.sip_call import CHALLENGE, FaxAsked
from nethealth.passive.sip_media import Announced
from nethealth.passive.sip_transactions import Names, Transaction

ASKED_MAX = 16
_IMAGE, _AUDIO = "image", "audio"
_PENDING = 491  # RFC 3261 section 14.1: both sides asked at once, and one asks again


class Facsimile:
    """The INVITEs of a call that want an image and no audio, by From tag and number."""

    def __init__(self) -> None:
        self._asked: set[tuple[str | None, int]] = set()
        self._declined: set[tuple[str | None, int]] = set()  # the answer's image has port 0

    def take(self, names: Names, described: Sequence[Announced], *, request: bool) -> None:
        """Book one description of a request or of its answer."""
        if names.method != "INVITE":
            return
        key = names.from_tag, names.number
        images = [one for one in described if one.kind == _IMAGE]
        if request:
            audio = any(one.kind == _AUDIO and one.endpoint is not None for one in described)
            wanted = any(one.endpoint is not None for one in images) and not audio
            if wanted and len(self._asked) < ASKED_MAX:
                self._asked.add(key)
        elif key in self._asked and not any(one.endpoint is not None for one in images):
            self._declined.add(key)

    def outcome(self, invites: Iterable[Transaction]) -> FaxAsked | None:
        """None where nobody asked; accepted if one asking was; else the last that was answered."""
        if not self._asked:
            return None
        refused: int | None = None
        for one in invites:
            key = one.names.from_tag, one.names.number
            if key not in self._asked or one.final is None:
                continue
            code = one.final.code
            if code < 300 and key not in self._declined:
                return FaxAsked("accepted", code)
            if code not in CHALLENGE and code != _PENDING:
                refused = code
        return FaxAsked("unanswered" if refused is None else "refused", refused)
