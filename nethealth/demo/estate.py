"""Who the demonstration's councils are, what stands in their buildings, and what ails it.

The councils are invented. Two sites are ill: South Ousemere Hall, whose old exchange is slow,
overloaded and has lost a block of phones; and Huntsmere Library, whose provider loses packets
while its telephony is innocent. Elsewhere one certificate is about to run out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from nethealth.demo.link import Path
from nethealth.demo.servers import SipBehaviour
from nethealth.model.inventory import (
    Asset,
    Council,
    DnsOptions,
    HttpOptions,
    Inventory,
    Line,
    Site,
    SweepSettings,
    Vantage,
)

NAMES_SERVER = "fen-names"
PORTALS = {  # name: (asset, days its certificate has left)
    "portal.fenbridge.example": ("fen-portal", 200),
    "contact.huntsmere.example": ("hunt-contact", 9),
}

_MODERN = SipBehaviour(server="CloudPBX 12.4")
_OLD = SipBehaviour(server="Meridian gateway 3.1", delay_s=0.35, drops=1)
_OVERLOADED = SipBehaviour(
    server="Meridian gateway 3.1",
    status="503 Service Unavailable",
    extra="Retry-After: 120\r\n",
)


@dataclass(frozen=True, slots=True)
class Place:
    """One site: its number in 198.18.<number>.0/24, its phones, its path and its servers."""

    id: str
    council: str
    name: str
    number: int
    staff: int
    phones: int
    upstream: str
    path: Path = Path()
    sip: dict[str, SipBehaviour] = field(default_factory=dict)  # asset id: how it answers
    legacy: bool = False
    backup: str | None = None  # the way out when `upstream` fails
    cooling_units: int | None = None  # of the room with its equipment; None where nobody said
    ups: int | None = None


COUNCILS = (
    Council(id="fen", name="Fenbridge City Council"),
    Council(id="ouse", name="South Ousemere District Council"),
    Council(id="hunt", name="Huntsmere District Council"),
)

PLACES = (
    Place("fen-guildhall", "fen", "Fenbridge Guildhall", 1, 420, 8, "provider-a",
          Path(0.0008, 0.0001), {"fen-sbc": _MODERN}, backup="provider-b", cooling_units=2, ups=2),
    Place("fen-library", "fen", "Fenbridge Library", 2, 35, 5, "provider-a", Path(0.003)),
    Place("fen-depot", "fen", "Fenbridge Depot", 3, 60, 5, "provider-a", Path(0.005)),
    Place("ouse-hall", "ouse", "South Ousemere Hall", 4, 320, 16, "provider-a",
          Path(0.006, 0.001, period_s=3.0, busy_s=1.0, busy_delay_s=0.01),
          {"ouse-pbx": _OLD, "ouse-trunk": _OVERLOADED}, legacy=True, cooling_units=1, ups=0),
    Place("ouse-leisure", "ouse", "Ousemere Leisure Centre", 5, 40, 5, "provider-a", Path(0.007)),
    Place("ouse-depot", "ouse", "Ousemere Depot", 6, 55, 5, "provider-a", Path(0.006)),
    Place("hunt-house", "hunt", "Huntsmere House", 7, 380, 8, "provider-a", Path(0.005),
          {"hunt-sbc": _MODERN}, cooling_units=1, ups=1),
    Place("hunt-library", "hunt", "Huntsmere Library", 8, 30, 8, "provider-b",
          Path(0.045, 0.012, loss_ratio=0.06), {"hunt-library-gateway": _MODERN}),
    Place("hunt-contact", "hunt", "Huntsmere Contact Centre", 9, 90, 8, "provider-a", Path(0.004)),
)  # fmt: skip

DEAD_PHONES = tuple(f"ouse-hall-phone-{number}" for number in range(9, 13))


def gateway_of(place: Place) -> str:
    return f"198.18.{place.number}.1"


def inventory(ping_count: int = 40) -> Inventory:
    """The estate as an engineer would describe it."""
    return Inventory(
        vantage=Vantage(id="demonstration", site="fen-guildhall", timezone="Europe/London"),
        sweep=SweepSettings(ping_count=ping_count),
        council=COUNCILS,
        site=tuple(
            Site(
                id=place.id,
                council=place.council,
                name=place.name,
                gateway=gateway_of(place),
                upstream=place.upstream,
                backup_upstream=place.backup,
                building=place.name,
                cooling_units=place.cooling_units,
                ups=place.ups,
                staff=place.staff,
                extensions=place.phones,
            )
            for place in PLACES
        ),
        asset=tuple(_assets()),
        line=(
            Line(id="ouse-hall-lift", site="ouse-hall", kind="analogue", use="lift alarm"),
            Line(id="ouse-hall-trunk", site="ouse-hall", kind="isdn30", use="exchange trunk"),
            Line(
                id="hunt-house-alarm",
                site="hunt-house",
                kind="analogue",
                use="intruder alarm",
                migrated=True,
            ),
        ),
    )


def _assets() -> Iterator[Asset]:
    for place in PLACES:
        net = f"198.18.{place.number}"
        for number, (name, behaviour) in enumerate(place.sip.items(), start=10):
            yield Asset(
                id=name,
                site=place.id,
                kind="pbx" if place.legacy else "gateway",
                address=f"{net}.{number}",
                legacy=place.legacy,
                model=behaviour.server,
                owner="Shared ICT service",
                installed=2004 if place.legacy else 2022,
            )
        for number in range(1, place.phones + 1):
            yield Asset(
                id=f"{place.id}-phone-{number}",
                site=place.id,
                kind="phone",
                address=f"{net}.{100 + number}",
                legacy=place.legacy,
                owner="Shared ICT service",
            )
    yield Asset(
        id=NAMES_SERVER,
        site="fen-guildhall",
        kind="server",
        address="198.18.1.53",
        owner="Shared ICT service",
        checks=("ping", "dns"),
        dns=DnsOptions(names=tuple(PORTALS)),
    )
    for number, (name, (asset, _)) in enumerate(PORTALS.items(), start=20):
        site = "fen-guildhall" if asset.startswith("fen") else "hunt-contact"
        net = "198.18.1" if asset.startswith("fen") else "198.18.9"
        yield Asset(
            id=asset,
            site=site,
            kind="service",
            address=f"{net}.{number}",
            owner="Customer services",
            http=HttpOptions(url=f"https://{name}/", body_match="Service is running"),
        )
    yield Asset(
        id="hunt-benefits-calculator",
        site="hunt-house",
        kind="service",
        address="198.18.7.30",
        http=HttpOptions(url="http://198.18.7.30/"),
    )
