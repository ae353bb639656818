"""Which column of call records holds what, by its usual names or by a map file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from nethealth.inventory.toml import TomlFile, Trouble
from nethealth.model.inventory import Identifier, Text

# Of each field the names in order of trust. Asterisk's cdr_csv; 3CX's reports and its CDR socket;
# Cisco Unified CM's CDR files; Avaya IP Office's SMDR; then what others write.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "start": (
        "start", "calldate", "call time", "time-start", "dateTimeOrigination", "call start",
        "start time", "call start time", "setup time", "date time", "call date", "date", "time",
    ),
    "time": ("time", "time of day"),  # where the start has the day only
    "answer": (
        "answer", "time-answered", "dateTimeConnect", "answer time", "answered at", "connect time",
    ),
    "end": (
        "end", "time-end", "dateTimeDisconnect", "end time", "call end", "disconnect time",
        "hangup time",
    ),
    "ring": ("ringing", "ring time", "ring duration"),
    "talk": ("billsec", "talking", "connected time", "talk time", "talk duration", "conversation"),
    "duration": ("totals", "call duration", "duration", "total duration", "length"),
    "caller": (
        "src", "caller id", "from-no", "callingPartyNumber", "caller", "calling number",
        "caller number", "calling party", "from", "source", "a number",
    ),
    "callee": (
        "dst", "to-no", "finalCalledPartyNumber", "called number", "callee", "destination",
        "dialed number", "dialled number", "called party", "to", "b number",
    ),
    "id": (
        "uniqueid", "historyid", "globalCallID_callId", "call id", "callid", "pkid", "record id",
        "id",
    ),
    "state": ("disposition", "status", "call status", "result", "answered"),
    "site": ("site", "location", "branch", "building"),
    "host": ("host", "pbx", "server", "gateway"),
}  # fmt: skip
# Files that come without a line of headers.
ASTERISK = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid",
    "userfield",
)  # fmt: skip
AVAYA = (
    "Call Start", "Connected Time", "Ring Time", "Caller", "Direction", "Called Number",
    "Dialled Number", "Account", "Is Internal", "Call ID",
)  # fmt: skip

CallField = Literal[
    "start", "time", "answer", "end", "ring", "talk", "duration", "caller", "callee", "id", "state",
    "site", "host",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMap:
    """A map file: columns, the times' form (as `strptime` has it), sites by prefix of a number."""

    columns: Mapping[CallField, Text] = field(default_factory=dict)
    time_format: Annotated[str, Field(min_length=2, max_length=60)] | None = None
    sites: Mapping[Annotated[str, Field(pattern=r"^\+?\d{1,15}$")], Identifier] = field(
        default_factory=dict
    )
    __pydantic_config__ = {"extra": "forbid"}

    def site_of(self, number: str) -> str | None:
        """By the longest prefix of the number as the file writes it."""
        for end in range(min(len(number), 16), 0, -1):
            if number[:end] in self.sites:
                return self.sites[number[:end]]
        return None


def parse_call_map(text: str, *, name: str) -> CallMap:
    """Read a map file; raises InventoryError with every fault and its line."""
    return _FILE.parse(text, name=name)


def headers_of(first: "list[str]") -> tuple[str, ...] | None:
    """The headers of a file whose first row is a call already; None where it is not."""
    if len(first) in (16, 17, 18) and first[15].isupper() and first[12].isdigit():
        return ASTERISK[: len(first)]
    if len(first) > 9 and first[0][:4].isdigit() and first[0][4:5] == "/" and first[1][2:3] == ":":
        return AVAYA
    return None


def _inconsistencies(_document: Mapping[str, Any]) -> Iterator[Trouble]:
    return iter(())


_FILE = TomlFile(CallMap, _inconsistencies)
