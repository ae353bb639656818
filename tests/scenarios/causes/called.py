"""Calls over a site's line: their load, their way round, and facsimiles among them.

The site's router is read by SNMP: what its wide-area port carries is what the line is offered, up
to its rate, and what does not fit is thrown away and counted.
"""

import struct
from collections.abc import Callable

from tests.scenarios import counting
from tests.scenarios.book import Book
from tests.scenarios.causes.spoken import crowd
from tests.scenarios.causes.taped import End, of_kind, tap
from tests.scenarios.estate import Frame, SiteWorld, World
from tests.scenarios.frames import datagram, speech
from tests.scenarios.lan import Port, Switch
from tests.scenarios.line import Load, Way

# One direction of G.711 with 20 ms: 160 octets of speech, 40 of headers, 18 of Ethernet.
G711_BPS = (160 + 40 + 18) * 8 * 50


def narrow(site: SiteWorld, bps: float) -> None:
    """An old line without classes, as fast as it says."""
    line = site.line
    line.down_bps = line.up_bps = line.declared_down_bps = line.declared_up_bps = bps
    line.classes, line.buffer_s, line.usual_share = False, 0.15, 0.04


def routed(site: SiteWorld, into: Callable[[float], float], out: Callable[[float], float]) -> None:
    """The router's ports as SNMP reads them, with that load on the line's side."""
    rate = site.line.down_bps
    wan, lan = Port("wan0", speed_bps=rate, edge=None), Port("lan0", edge=None)
    wan.in_load_bps = lambda at: min(rate, into(at))  # what arrived has passed the line
    wan.out_load_bps = out
    lan.in_load_bps = out
    lan.out_load_bps = wan.in_load_bps
    router = Switch(f"{site.id}-router", [wan, lan], has_tree=False)
    counters: list[counting.Counters] = []

    def read(world: World, book: Book, turn: int, at_s: float) -> None:
        if not counters:
            counters.append(counting.Counters(world.random, router, 0.0))
        how = counting.Reading(neighbours=False, stp=False, forwarding=False)
        counting.read(book, world.random, router, counters[0], at_s + 15, how)

    site.notes.append(read)


def calls_fill(
    world: World, site: SiteWorld, *, calls: int | None = None, line_bps: float = 2e6,
    backup_share: float = 0.0, told: bool = True,
) -> None:  # fmt: skip
    """So many calls at once that their packets need more than the line has, for some of the run.

    `backup_share`: a backup that takes this share of the line meanwhile, beside fewer calls.
    """
    world.rounds, world.interval_s = 5, 300.0
    world.sources -= {"coexistence"}
    narrow(site, line_bps)
    fits = line_bps / G711_BPS
    many = int(fits * world.between(1.02, 1.12)) if calls is None else calls
    begins, ends = 580.0, 1160.0
    for _ in range(many if told else 0):
        start = begins - world.between(0, 30)
        site.logged.append(("call-start", start, None))
        site.logged.append(("call-end", ends + world.between(0, 30), None))

    def during(bps: float) -> Callable[[float], float]:
        return lambda at: bps if begins <= at < ends else 0.0

    offered = many * G711_BPS + backup_share * line_bps
    ways: tuple[Way, ...] = ("forward", "return")
    for way in ways:
        load = many * G711_BPS + (backup_share * line_bps if way == "return" else 0.0)
        site.line.loads.append(Load(way, during(load)))
    base = 0.04 * line_bps

    def usual(at: float) -> float:
        return base * (1 + 0.1 * (at % 7) / 7)

    routed(
        site,
        lambda at: usual(at) + during(many * G711_BPS)(at),
        lambda at: usual(at) + during(offered)(at),
    )


def hairpin(
    world: World, site: SiteWorld, *, centre: str, calls: int | None = None, direct: bool = False,
    lasts_s: float = 30.0,
) -> None:  # fmt: skip
    """Calls between two telephones of one site whose speech goes to an exchange elsewhere and back.

    The exchange passes each packet on as it came. `direct`: it tells them to speak directly, and
    the line carries none of it; a call to another site goes over the line once, as it must.
    """
    tap(world, site, lasts_s)
    far = world.site(centre)
    relay = End(of_kind(far, "pbx")[0].mac, far.address(10), "pbx")
    router = of_kind(site, "uplink")[0]
    phones = [End(one.mac, one.address, "phone") for one in of_kind(site, "phone")]
    count = int(world.random.integers(1, 5)) if calls is None else calls
    one_way = site.line.one_way_s
    for number in range(count):
        one, other = phones[number % len(phones)], phones[(number + 1) % len(phones)]
        start, packets = 1 + world.between(0, 3), int((lasts_s - 8) * 50)
        here = (one.mac, one.address, 16_384 + 4 * number)
        there = (other.mac, other.address, 16_386 + 4 * number)
        legs = ((here, there, 0x7000 + number), (there, here, 0x8000 + number))
        for speaks, hears, ssrc in legs:
            if direct:
                site.frames += speech(speaks, hears, start, packets, ssrc=ssrc)
                continue
            port = 20_000 + 4 * number + (0 if speaks is here else 2)
            up = (router.mac, relay.address, port)
            down = (router.mac, relay.address, port + 2 if speaks is here else port - 2)
            site.frames += speech(speaks, up, start, packets, ssrc=ssrc)
            site.frames += speech(down, hears, start + 2 * one_way + 0.001, packets, ssrc=ssrc)
    if not direct:
        ways: tuple[Way, ...] = ("forward", "return")
        for way in ways:
            site.line.loads.append(Load(way, lambda _: 2 * count * G711_BPS))


def facsimiles(
    world: World, site: SiteWorld, *, refused: bool = True, loss: float = 0.02, faxes: int = 2
) -> None:
    """A facsimile adapter asks for T.38 in the middle of a call, and is refused, or not.

    Refused, the tones go on as G.711 over a way that loses packets.
    """
    lasts_s = 90.0
    tap(world, site, lasts_s)
    (pbx, *_) = of_kind(site, "pbx")
    adapter = crowd(site, 1, third=140)[0]
    for number in range(faxes):
        _facsimile(world, site, adapter, pbx, 3 + 35.0 * number, number, refused=refused, loss=loss)


def _facsimile(
    world: World, site: SiteWorld, adapter: End, pbx: End, at_s: float, number: int, *,
    refused: bool, loss: float,
) -> None:  # fmt: skip
    call = f"fax{number}x{site.subnet}@{adapter.address}"
    ports = 30_000 + 10 * number, 40_000 + 10 * number
    image = "m=image {} udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
    audio = "m=audio {} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"

    def body(end: End, media: str, version: int) -> str:
        return (f"v=0\r\no=- 1 {version} IN IP4 {end.address}\r\ns=-\r\nc=IN IP4 {end.address}\r\n"
                f"t=0 0\r\n{media}")  # fmt: skip

    def said(
        after: float, source: End, to: End, first: str, sequence: str, content: str, tag: str
    ) -> None:
        text = "\r\n".join([
            first,
            f"Via: SIP/2.0/UDP {adapter.address}:5060;branch=z9hG4bK{number}n{sequence[0]}",
            "Max-Forwards: 70",
            f"From: <sip:fax@{adapter.address}>;tag=a{number}",
            f"To: <sip:far@{pbx.address}>{tag}",
            f"Call-ID: {call}", f"CSeq: {sequence}", f"Contact: <sip:x@{source.address}:5060>",
            *(["Content-Type: application/sdp"] if content else []),
            f"Content-Length: {len(content)}", "", content,
        ])  # fmt: skip
        octets = datagram(source.address, to.address, (5060, 5060), text.encode(),
                          source_mac=source.mac, destination_mac=to.mac)  # fmt: skip
        site.frames.append(Frame(at_s + after, octets))

    uri = f"sip:far@{pbx.address}"
    tag = f";tag=b{number}"
    first, again = (
        body(adapter, audio.format(ports[0]), 1),
        body(adapter, image.format(ports[0]), 2),
    )
    said(0.0, adapter, pbx, f"INVITE {uri} SIP/2.0", "1 INVITE", first, "")
    said(0.2, pbx, adapter, "SIP/2.0 180 Ringing", "1 INVITE", "", tag)
    answer = body(pbx, audio.format(ports[1]), 1)
    said(1.0, pbx, adapter, "SIP/2.0 200 OK", "1 INVITE", answer, tag)
    said(1.05, adapter, pbx, f"ACK {uri} SIP/2.0", "1 ACK", "", tag)
    said(4.0, adapter, pbx, f"INVITE {uri} SIP/2.0", "2 INVITE", again, tag)
    if refused:
        said(4.1, pbx, adapter, "SIP/2.0 488 Not Acceptable Here", "2 INVITE", "", tag)
    else:
        taken = body(pbx, image.format(ports[1]), 2)
        said(4.1, pbx, adapter, "SIP/2.0 200 OK", "2 INVITE", taken, tag)
    said(4.2, adapter, pbx, f"ACK {uri} SIP/2.0", "2 ACK", "", tag)
    said(28.0, adapter, pbx, f"BYE {uri} SIP/2.0", "3 BYE", "", tag)
    said(28.1, pbx, adapter, "SIP/2.0 200 OK", "3 BYE", "", tag)
    spoken = 23.0 if refused else 3.0
    for source, to, mine, yours, ssrc in (
        (adapter, pbx, ports[0], ports[1], 0x9000), (pbx, adapter, ports[1], ports[0], 0xA000),
    ):  # fmt: skip
        stream = speech((source.mac, source.address, mine), (to.mac, to.address, yours),
                        at_s + 1.1, int(spoken * 50), ssrc=ssrc + number, dscp=0)  # fmt: skip
        site.frames += [one for one in stream if not world.chance(loss)]
        for packet in range(0 if refused else 700):
            payload = struct.pack("!H", packet) + b"\x06\xc0\x01\x80\x00\x00\xff\x00\x00"
            octets = datagram(source.address, to.address, (mine, yours), payload,
                              source_mac=source.mac, destination_mac=to.mac)  # fmt: skip
            site.frames.append(Frame(at_s + 5 + 0.03 * packet, octets))
