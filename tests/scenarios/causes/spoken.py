"""What a capture holds of telephony at work: registrations, heartbeats, files, calls and marks.

The registrar answers so many requests a second and no more; telephones send again by the timers of
RFC 3261; a file crosses the line block by block, each acknowledged; a call is 50 packets a second.
"""

import struct
from collections import deque

from tests.passive.packet_frames import ethernet, ipv4, tcp
from tests.scenarios.causes.taped import PHONE_CLASS, End, of_kind, tap
from tests.scenarios.estate import Frame, SiteWorld, World
from tests.scenarios.frames import datagram, leased, speech
from tests.scenarios.line import Load

CENTRE = End("02:00:5e:00:00:c0", "198.18.200.5", "server")  # at headquarters, over the line
_T1_S, _T2_S = 0.5, 4.0
_HEARTBEAT_S, _WATCHDOG_S = 30.0, 200.0  # of UNIStim (handbook 5, 7)


def crowd(site: SiteWorld, count: int, *, third: int = 130) -> list[End]:
    """Telephones beyond those of the switch that is read, of the same site."""
    return [
        End(f"00:04:f2:{third:02x}:{at >> 8:02x}:{at & 255:02x}",
            f"198.18.{third + (at >> 7)}.{at % 128 + 1}", "phone")
        for at in range(count)
    ]  # fmt: skip


def _sip(lines: list[str], source: End, to: End) -> bytes:
    text = "\r\n".join([*lines, "Content-Length: 0", "", ""])
    return datagram(source.address, to.address, (5060, 5060), text.encode(), source_mac=source.mac,
                    destination_mac=to.mac, dscp=26)  # fmt: skip


def _register(phone: End, pbx: End, number: int, expires: int = 3600) -> bytes:
    name = f"t{phone.address.replace('.', 'x')}"
    return _sip(
        [
            f"REGISTER sip:{pbx.address} SIP/2.0",
            f"Via: SIP/2.0/UDP {phone.address}:5060;branch=z9hG4bK{name}n{number};rport",
            "Max-Forwards: 70",
            f"From: <sip:{name}@{pbx.address}>;tag={name}",
            f"To: <sip:{name}@{pbx.address}>",
            f"Call-ID: {name}@{phone.address}",
            f"CSeq: {number} REGISTER",
            f"Contact: <sip:{name}@{phone.address}:5060>;expires={expires}",
        ],
        phone,
        pbx,
    )


def _answer(phone: End, pbx: End, number: int, code: int, phrase: str) -> bytes:
    name = f"t{phone.address.replace('.', 'x')}"
    contact = [f"Contact: <sip:{name}@{phone.address}:5060>;expires=3600"] if code == 200 else []
    return _sip(
        [
            f"SIP/2.0 {code} {phrase}",
            f"Via: SIP/2.0/UDP {phone.address}:5060;branch=z9hG4bK{name}n{number};rport",
            f"From: <sip:{name}@{pbx.address}>;tag={name}",
            f"To: <sip:{name}@{pbx.address}>;tag=pbx",
            f"Call-ID: {name}@{phone.address}",
            f"CSeq: {number} REGISTER",
            *contact,
        ],
        pbx,
        phone,
    )


def registrar(
    world: World, site: SiteWorld, asks: list[tuple[float, End]], lasts_s: float, *,
    serves_per_s: float, away: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    """Telephones that register at their moments, and a server with so much room.

    `away`: a time in which nobody answers. What waits longer than half a second was sent again.
    Beyond 200 that wait the server refuses (503).
    """
    (pbx, *_) = of_kind(site, "pbx")
    pending = sorted(((at_s, phone, 1, 0.5) for at_s, phone in asks), key=lambda one: one[0])
    queue: deque[tuple[float, End, int]] = deque()
    answered: set[tuple[str, int]] = set()
    step, now, room = 0.02, 0.0, 0.0
    waiting = list(pending)
    while now < lasts_s:
        still = []
        for at_s, phone, number, wait in waiting:
            if at_s > now:
                still.append((at_s, phone, number, wait))
                continue
            if (phone.address, number) in answered:
                continue
            site.frames.append(Frame(at_s, _register(phone, pbx, number)))
            if not (away and away[0] <= at_s < away[1]):
                if len(queue) < 200:
                    queue.append((at_s, phone, number))
                else:
                    site.frames.append(
                        Frame(at_s + 0.001, _answer(phone, pbx, number, 503, "Service Unavailable"))
                    )
                    answered.add((phone.address, number))
                    later = at_s + world.between(20, 40)
                    still.append((later, phone, number + 1, _T1_S))
                    continue
            if wait < 32:
                still.append((at_s + min(wait, _T2_S), phone, number, min(wait * 2, 64.0)))
        waiting = sorted(still, key=lambda one: one[0])
        room = min(serves_per_s * step + room, max(1.0, serves_per_s * step))
        while queue and room >= 1 and not (away and away[0] <= now < away[1]):
            _, phone, number = queue.popleft()
            if (phone.address, number) not in answered:
                room -= 1
                answered.add((phone.address, number))
                site.frames.append(Frame(now, _answer(phone, pbx, number, 200, "OK")))
        now += step


def registrations_at_once(
    world: World, site: SiteWorld, *, phones: int | None = None, serves_per_s: float | None = None,
    lasts_s: float = 300.0, staggered: bool = False,
) -> None:  # fmt: skip
    """The exchange comes back after a restart, and every telephone registers at that moment.

    `staggered`: they spread over minutes, as vendors advise.
    """
    tap(world, site, lasts_s, per_s=1.0)
    count = int(world.random.integers(60, 300)) if phones is None else phones
    serves = world.between(8, 20) if serves_per_s is None else serves_per_s
    everyone = crowd(site, count)
    back_s = 60.0
    usual = [(float(world.random.uniform(0, lasts_s)), one) for one in everyone[: count // 12]]
    wave = [
        (back_s + (float(world.random.uniform(0, 200)) if staggered
                   else float(world.random.exponential(0.4))), one)
        for one in everyone[count // 12 :]
    ]  # fmt: skip
    site.logged.append(("pbx-restart", back_s - 1, f"{site.id}-pbx"))
    registrar(world, site, usual + wave, lasts_s, serves_per_s=serves,
              away=(back_s - 40, back_s))  # fmt: skip


def heartbeats(
    world: World, site: SiteWorld, *, phones: int | None = None, hole_s: float | None = None,
    resets_first: bool = False, lasts_s: float = 900.0,
) -> None:  # fmt: skip
    """UNIStim telephones and their server: a hole in the way of 200 s and they all start again.

    `resets_first`: they lose power instead, and the silence is theirs: order tells who hurt whom.
    """
    world.rounds, world.interval_s = 4, 300.0
    tap(world, site, lasts_s, per_s=1.0)
    (pbx, *_) = of_kind(site, "pbx")
    count = int(world.random.integers(4, 30)) if phones is None else phones
    hole = world.between(202, 280) if hole_s is None else hole_s
    begins = world.between(150, 250)
    ends = begins + hole
    for number, phone in enumerate(crowd(site, count)):
        at_s, sequence = world.between(0, _HEARTBEAT_S), 1
        starts_again = None
        if resets_first:
            starts_again = begins + world.between(0, 4)
        elif hole > _WATCHDOG_S:
            starts_again = ends + world.between(0.5, 8)  # its watchdog ended in the hole
        while at_s < lasts_s:
            lost = begins <= at_s < (ends if not resets_first else begins + 60)
            if not lost:
                beat = struct.pack("!IBBBBBB", 0x9535 + sequence, 2, 1, 0x1E, 5, 0x12, 0) + b"\x78"
                site.frames.append(
                    Frame(at_s, datagram(pbx.address, phone.address, (5000, 5000), beat,
                                         source_mac=pbx.mac, destination_mac=phone.mac,
                                         identification=sequence))
                )  # fmt: skip
                reply = struct.pack("!IBB", 0x9535 + sequence, 1, 2) + bytes(4)
                site.frames.append(
                    Frame(at_s + 0.01, datagram(phone.address, pbx.address, (5000, 5000), reply,
                                                source_mac=phone.mac, destination_mac=pbx.mac,
                                                identification=sequence))
                )  # fmt: skip
            sequence += 1
            at_s += _HEARTBEAT_S
        if starts_again is not None and starts_again < lasts_s - 5:
            site.frames += leased(phone.mac, phone.address, starts_again, 7000 + number,
                                  vendor=PHONE_CLASS, server=site.address(2))  # fmt: skip
            site.logged.append(("registration-lost", starts_again - 1, None))
    if not resets_first:
        site.holes.append((begins, ends))


def firmware(
    world: World, site: SiteWorld, *, phones: int | None = None, lasts_s: float = 60.0,
    blocks: int | None = None, configuration: bool = False, wide: bool = True,
    line_bps: float = 2e6, computers: bool = False,
) -> None:  # fmt: skip
    """After an upgrade every telephone fetches its file by TFTP, block by block, over the line.

    A block waits for the last one's acknowledgement, so that each telephone has 512 octets a round
    trip, and all of them no more than the line has. `configuration`: small files, as each start
    fetches; no wave. `wide` false: a server of the site's own, and a line that carries none of it.
    """
    tap(world, site, lasts_s, per_s=1.0)
    server = CENTRE if wide else of_kind(site, "server")[0]
    count = int(world.random.integers(9, 20)) if phones is None else phones
    line = site.line
    if wide:  # an old line, as branches of telephones have
        line.down_bps = line.declared_down_bps = line_bps
        line.one_way_s = world.between(0.012, 0.02)
    alone_s = 2 * line.one_way_s + 0.004 if wide else 0.004
    round_s = max(alone_s, count * 558 * 8 / (0.97 * line.down_bps) if wide else 0.0)
    most = int(min(300, (lasts_s - 20) / round_s)) if blocks is None else blocks
    most = 4 if configuration else most
    name = b"SEP%d.cnf.xml" if configuration else b"cmterm-7940-sccp.8-1-2.sbn"
    fetching = crowd(site, count)
    if computers:  # that start from the network
        name = b"boot/x64/wdsnbp.com"
        fetching = [End(one.mac.replace("00:04:f2", "3c:52:82"), one.address, "pc")
                    for one in fetching]  # fmt: skip
    for number, phone in enumerate(fetching):
        at_s, port = 5 + world.between(0, 4), 49_152 + number
        file = name % number if configuration else name
        request = b"\x00\x01" + file + b"\0octet\0"
        site.frames.append(
            Frame(at_s, datagram(phone.address, server.address, (port, 69), request,
                                 source_mac=phone.mac, destination_mac=server.mac))
        )  # fmt: skip
        for block in range(1, most + 1):
            at_s += round_s
            size = 512 if block < most or not configuration else 100
            data = struct.pack("!HH", 3, block & 0xFFFF) + bytes(size)
            site.frames.append(
                Frame(at_s, datagram(server.address, phone.address, (61_000 + number, port), data,
                                     source_mac=server.mac, destination_mac=phone.mac,
                                     identification=block))
            )  # fmt: skip
            ack = struct.pack("!HH", 4, block & 0xFFFF)
            site.frames.append(
                Frame(at_s + 0.001, datagram(phone.address, server.address, (port, 61_000 + number),
                                             ack, source_mac=phone.mac, destination_mac=server.mac,
                                             identification=block))
            )  # fmt: skip
        if not configuration and not computers:
            site.logged.append(("tftp-load", 5.0 + number * 0.2, None))
    if wide and not configuration:
        bits = count * 558 * 8 / round_s
        site.line.loads.append(Load("forward", lambda at: bits if 0 <= at < 1800 else 0.0))
        uplink = site.switch.ports[0]
        uplink.in_load_bps = lambda at: bits if 0 <= at < 1800 else 0.0


def backup_by_tftp(world: World, site: SiteWorld, *, lasts_s: float = 120.0) -> None:
    """Switches save their own configuration by TFTP at night: no telephone is part of it."""
    tap(world, site, lasts_s, per_s=1.0)
    (server, *_) = of_kind(site, "server")
    for number in range(3):
        port, address = 50_000 + number, site.address(2 + number)
        request = b"\x00\x02switch-%d-confg\0octet\0" % number
        site.frames.append(
            Frame(4.0 + number, datagram(address, server.address, (port, 69), request,
                                         source_mac="02:00:00:aa:00:01",
                                         destination_mac=server.mac))
        )  # fmt: skip
        for block in range(1, 60):
            data = struct.pack("!HH", 3, block) + bytes(512)
            site.frames.append(
                Frame(5 + number + block * 0.01,
                      datagram(address, server.address, (port, 61_000 + number), data,
                               source_mac="02:00:00:aa:00:01", destination_mac=server.mac,
                               identification=block))
            )  # fmt: skip


def data_marked_as_voice(
    world: World, site: SiteWorld, *, share_of_line: float | None = None, lasts_s: float = 20.0,
    calls: int = 2, felt: bool = True,
) -> None:  # fmt: skip
    """A computer behind a telephone marks its backup EF, and nobody clears it.

    On the line the queue of voice has its share and no more: with the backup in it voice is
    dropped, while what bears no mark does well.
    """
    tap(world, site, lasts_s)
    computer, server = of_kind(site, "pc")[0], of_kind(site, "server")[0]
    rate = 40.0  # frames a second that the tap sees of it
    for number in range(int(rate * lasts_s)):
        packet = tcp(bytes(1200), 50_000, 445, sequence=1 + number * 1200, flags=0x18)
        octets = ethernet(
            ipv4(packet, 6, source=computer.address, destination=server.address, tos=46 << 2,
                 identification=number + 1),
            source=computer.mac, destination=server.mac,
        )  # fmt: skip
        site.frames.append(Frame(number / rate, octets))
    talk(world, site, calls=calls, seconds=lasts_s - 4)
    line = site.line
    share = world.between(1.2, 2.5) if share_of_line is None else share_of_line
    bits = share * line.voice_share * line.up_bps
    if felt:
        line.loads.append(Load("return", lambda _: bits, marked=True))


def ordinary_calls(world: World, site: SiteWorld, *, calls: int = 3) -> None:
    """Calls as they should be: marked, short of any limit, and nothing beside them."""
    tap(world, site, 20.0)
    talk(world, site, calls=calls)


def talk(
    world: World, site: SiteWorld, *, calls: int = 3, seconds: float = 16.0, starts_s: float = 2.0,
    dscp: int = 46,
) -> None:  # fmt: skip
    """Ordinary calls between telephones here and the exchange, both ways."""
    (pbx, *_) = of_kind(site, "pbx")
    phones = of_kind(site, "phone")
    for number in range(calls):
        phone = phones[number % len(phones)]
        here = (phone.mac, phone.address, 16_384 + 2 * number)
        there = (pbx.mac, pbx.address, 20_000 + 2 * number)
        packets = int(seconds * 50)
        for source, to, ssrc in ((here, there, 0x1000 + number), (there, here, 0x2000 + number)):
            site.frames += speech(source, to, starts_s + 0.3 * number, packets, ssrc=ssrc,
                                  dscp=dscp, jitter=world.random)  # fmt: skip
