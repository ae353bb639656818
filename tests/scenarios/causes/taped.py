"""What a capture at a site's switch holds when something of its LAN goes wrong, frame by frame.

The tap hears what every port hears, and what the port that it mirrors carries.
"""

import struct
from dataclasses import dataclass

from tests.passive.packet_frames import ethernet, ipv4, mac, udp
from tests.scenarios.book import Book
from tests.scenarios.devices_read import arp_table
from tests.scenarios.estate import Frame, SiteWorld, World
from tests.scenarios.frames import EVERYONE, arp, chatter, datagram, dhcp, leased, speech
from tests.wire.lan_frames import IGMP_2_QUERY, bpdu, lldp_tlv, med

PHONE_CLASS = b"Cisco Systems, Inc. IP Phone CP-7940"
_LLDP, _EVERY_S = "01:80:c2:00:00:0e", 30.0
DATA_VLAN, VOICE_VLAN = 100, 200


@dataclass(frozen=True)
class End:
    """One station on the site's LAN."""

    mac: str
    address: str
    kind: str


def stations(site: SiteWorld) -> list[End]:
    """Everything at the switch's ports, with an address each."""
    found, phones, others = [], 0, 0
    fixed = {"server": 20, "pbx": 10, "printer": 50, "uplink": 1, "access-point": 51}
    for port in site.switch.ports:
        for one in port.devices:
            if one.kind == "phone":
                found.append(End(one.mac, site.address(100 + phones), "phone"))
                phones += 1
            elif one.kind in fixed:
                found.append(End(one.mac, site.address(fixed[one.kind]), one.kind))
            else:
                found.append(End(one.mac, site.address(150 + others), one.kind))
                others += 1
    return found


def of_kind(site: SiteWorld, kind: str) -> list[End]:
    return [one for one in stations(site) if one.kind == kind]


def tap(
    world: World, site: SiteWorld, lasts_s: float, *, announced: bool = True, per_s: float = 4.0
) -> None:  # fmt: skip
    """A capture of so many seconds with what every LAN carries; telephones announce themselves."""
    everyone = stations(site)
    site.frames += chatter(world.random, [one.mac for one in everyone], site.subnet, lasts_s,
                           per_s=per_s)  # fmt: skip
    for one in of_kind(site, "phone") if announced else ():
        at_s = world.between(0, min(_EVERY_S, lasts_s))
        while at_s < lasts_s:
            site.frames.append(Frame(at_s, lldp_of_phone(one)))
            at_s += _EVERY_S
    site.frames += _everyday(world, site, lasts_s)
    whole = bytes.fromhex("424203") + bpdu()
    for second in range(0, int(lasts_s), 2):  # the bridge's hello, with no word of a change
        site.frames.append(
            Frame(second + 0.7, ethernet(whole, len(whole), destination="01:80:c2:00:00:00"))
        )
    # The ends of the capture stand for the time that it was taken.
    site.frames.append(Frame(0.0, arp(1, everyone[0].mac, everyone[0].address, site.address(2))))
    site.frames.append(
        Frame(lasts_s, arp(1, everyone[0].mac, everyone[0].address, site.address(3)))
    )


def _everyday(world: World, site: SiteWorld, lasts_s: float) -> list[Frame]:
    """What goes on beside any fault: leases renewed, machines that look for services, a call."""
    found: list[Frame] = []
    computers = of_kind(site, "pc")
    for number in range(int(world.random.poisson(lasts_s / 60))):
        one = computers[int(world.random.integers(len(computers)))]
        at_s = world.between(0, lasts_s * 0.98)
        if world.chance(0.3):
            found += leased(one.mac, one.address, at_s, 90_000 + number, vendor=b"MSFT 5.0",
                            vlan=DATA_VLAN, server=site.address(2))  # fmt: skip
        else:
            asks = dhcp(3, 91_000 + number, one.mac, vendor=b"MSFT 5.0", vlan=DATA_VLAN)
            given = dhcp(5, 91_000 + number, one.mac, yours=one.address, vlan=DATA_VLAN,
                         server=site.address(2))  # fmt: skip
            found += [Frame(at_s, asks), Frame(at_s + 0.003, given)]
    for number in range(int(world.random.poisson(0.3 * lasts_s))):
        one = computers[int(world.random.integers(len(computers)))]
        asked = datagram(one.address, "239.255.255.250", (50_000, 1900), b"M-SEARCH * HTTP/1.1\r\n",
                         source_mac=one.mac, destination_mac="01:00:5e:7f:ff:fa",
                         identification=number + 1)  # fmt: skip
        found.append(Frame(world.between(0, lasts_s * 0.99), asked))
    if world.chance(0.5):
        phone, pbx = of_kind(site, "phone")[0], of_kind(site, "pbx")[0]
        here, there = (phone.mac, phone.address, 17_000), (pbx.mac, pbx.address, 21_000)
        start_s = world.between(0, max(0.1, lasts_s - 8))
        found += speech(here, there, start_s, 350, ssrc=0x51, jitter=world.random)
        found += speech(there, here, start_s, 350, ssrc=0x52, jitter=world.random)
    return found


def lldp_of_phone(one: End, *, asks: int | None = None) -> bytes:
    body = (
        lldp_tlv(1, b"\x05\x01" + bytes(int(part) for part in one.address.split(".")))
        + lldp_tlv(2, b"\x03" + mac(one.mac)) + lldp_tlv(3, b"\x00\x78")
        + lldp_tlv(5, b"SEP" + one.mac.replace(":", "").upper().encode())
        + lldp_tlv(7, b"\x00\x24\x00\x24") + med(1, b"\x00\x33\x03")
    )  # fmt: skip
    if asks is not None:
        body += med(2, b"\x01" + (1 << 22 | asks << 9 | 5 << 6 | 46).to_bytes(3, "big"))
    return ethernet(body + lldp_tlv(0, b""), 0x88CC, source=one.mac, destination=_LLDP)


def lldp_of_port(source: str, port: str, voice_vlan: int) -> bytes:
    """What a switch tells the telephone at a port by LLDP-MED."""
    body = (
        lldp_tlv(1, b"\x04" + mac(source)) + lldp_tlv(2, b"\x05" + port.encode())
        + lldp_tlv(3, b"\x00\x78") + lldp_tlv(5, b"switch-7") + lldp_tlv(7, b"\x00\x14\x00\x14")
        + med(1, b"\x00\x0f\x04")
        + med(2, b"\x01" + (1 << 22 | voice_vlan << 9 | 5 << 6 | 46).to_bytes(3, "big"))
        + lldp_tlv(0, b"")
    )  # fmt: skip
    return ethernet(body, 0x88CC, source=source, destination=_LLDP)


def cdp_of_port(source: str, port: str, voice_vlan: int) -> bytes:
    """The same by CDP, which is set up apart and may say another VLAN."""

    def tlv(kind: int, value: bytes) -> bytes:
        return struct.pack("!HH", kind, 4 + len(value)) + value

    body = b"\x02\xb4\x00\x00" + b"".join(
        (
            tlv(1, b"switch-7"), tlv(3, port.encode()), tlv(4, b"\x00\x00\x00\x28"),
            tlv(6, b"cisco WS-C3560"), tlv(10, struct.pack("!H", DATA_VLAN)), tlv(11, b"\x01"),
            tlv(14, b"\x01" + struct.pack("!H", voice_vlan)),
        )
    )  # fmt: skip
    whole = bytes.fromhex("aaaa0300000c2000") + body
    return ethernet(whole, len(whole), source=source, destination="01:00:0c:cc:cc:cc")


def streams_to_nobody(
    world: World, site: SiteWorld, *, source: str = "pbx", streams: int | None = None,
    lasts_s: float = 140.0, joined: bool = False, queried: bool = False, media: bool | None = None,
) -> None:  # fmt: skip
    """Paging or music on hold to groups: 50 packets a second of each stream, at every port.

    The capture is longer than a querier's interval; the page lasts some seconds of it. A stream
    of another source than a telephone system is a backup and no RTP, or pictures (`media`).
    """
    tap(world, site, lasts_s)
    (sender, *_) = of_kind(site, source)
    count = int(world.random.integers(2, 9)) if streams is None else streams
    begins, seconds = world.between(5, lasts_s - 40), 12.0
    rtp = source in {"pbx", "phone"} if media is None else media
    for number in range(count):
        group = f"239.192.{site.subnet}.{number + 1}"
        group_mac = f"01:00:5e:40:{site.subnet:02x}:{number + 1:02x}"
        for packet in range(int(seconds * 50)):
            body = (
                struct.pack("!BBHII", 0x80, 0, packet, packet * 160, 77 + number) + b"\xd5" * 160
                if rtp
                else struct.pack("!II", 0x42554B50, packet) + bytes(1000)
            )
            at_s = begins + packet * 0.02 + world.between(0, 0.002)
            octets = datagram(sender.address, group, (20_480, 20_480), body, identification=packet,
                              source_mac=sender.mac, destination_mac=group_mac)  # fmt: skip
            site.frames.append(Frame(at_s, octets))
        for member in of_kind(site, "phone") if joined else ():
            report = struct.pack("!BBH4s", 0x16, 0, 0, bytes(int(p) for p in group.split(".")))
            octets = ethernet(ipv4(report, 2, source=member.address, destination=group, ttl=1),
                              source=member.mac, destination=group_mac)  # fmt: skip
            site.frames.append(Frame(begins - 1, octets))
    if queried:
        router = of_kind(site, "uplink")[0]
        for turn in range(int(lasts_s // 60)):
            octets = ethernet(
                ipv4(IGMP_2_QUERY, 2, source=router.address, destination="224.0.0.1", ttl=1),
                source=router.mac,
                destination="01:00:5e:00:00:01",
            )
            site.frames.append(Frame(2.0 + 60 * turn, octets))


def claimed_twice(
    world: World, site: SiteWorld, *, wrong: str = "phone", rightful: str = "server",
    lasts_s: float = 60.0, once: bool = False,
) -> None:  # fmt: skip
    """Two stations that each say, time and again, that an address is theirs; or one hands over."""
    tap(world, site, lasts_s)
    owner, other = of_kind(site, rightful)[0], of_kind(site, wrong)[-1]
    at_s = world.between(0, 3)
    while at_s < lasts_s:
        later = at_s > lasts_s / 2
        if not once or not later:
            site.frames.append(Frame(at_s, arp(1, owner.mac, owner.address, site.address(1))))
        if not once or later:
            site.frames.append(
                Frame(at_s + world.between(0.2, 2), arp(2, other.mac, owner.address, owner.address))
            )
        at_s += world.between(3, 8)


def scope_runs_dry(
    world: World, site: SiteWorld, *, phones: int | None = None, lasts_s: float = 600.0,
    server_says: bool = True,
) -> None:  # fmt: skip
    """Telephones take a lease of the data VLAN, learn of their own, and take another there.

    The first lease stays with the server for hours. After a wave of restarts the scope has none
    left: who asks then, computers and telephones alike, is not answered.
    """
    tap(world, site, lasts_s)
    count = int(world.random.integers(15, 45)) if phones is None else phones
    scope = count  # free leases of the scope when the wave comes
    clients = [(f"00:04:f2:10:{site.subnet:02x}:{at:02x}", True) for at in range(count)]
    clients += [(f"3c:52:82:20:{site.subnet:02x}:{at:02x}", False) for at in range(count // 2)]
    order = [clients[int(at)] for at in world.random.permutation(len(clients))]
    given = 0
    for number, (client, phone) in enumerate(order):
        vendor = PHONE_CLASS if phone else b"MSFT 5.0"
        at_s = 5 + number * world.between(1.0, 3.0)
        if given < scope * 0.8:
            site.frames += leased(
                client,
                site.address(100 + given),
                at_s,
                1000 + number,
                vendor=vendor,
                vlan=DATA_VLAN,
                server=site.address(2),
            )
            given += 1
            if phone:
                own = f"198.19.{site.subnet}.{given}"
                site.frames += leased(client, own, at_s + 4, 5000 + number, vendor=vendor,
                                      vlan=VOICE_VLAN, server=site.address(2))  # fmt: skip
        else:
            for retry in (0.0, 4.0, 12.0, 28.0):
                octets = dhcp(1, 1000 + number, client, vendor=vendor, vlan=DATA_VLAN)
                site.frames.append(Frame(at_s + retry, octets))
            if server_says:
                site.logged.append(("dhcp-no-leases", at_s + 0.1, None))


def office_grew(world: World, site: SiteWorld, *, lasts_s: float = 600.0) -> None:
    """More computers than the scope was made for; telephones live in it too, with a lease each."""
    tap(world, site, lasts_s)
    clients = [(f"00:04:f2:11:{site.subnet:02x}:{at:02x}", PHONE_CLASS) for at in range(15)]
    clients += [(f"3c:52:82:21:{site.subnet:02x}:{at:02x}", b"MSFT 5.0") for at in range(60)]
    order = [clients[int(at)] for at in world.random.permutation(len(clients))]
    for number, (client, vendor) in enumerate(order):
        at_s = 5 + number * lasts_s * 0.85 / len(order)
        if number < 55:
            given = site.address(60 + number)
            site.frames += leased(client, given, at_s, 2000 + number, vendor=vendor, vlan=DATA_VLAN,
                                  server=site.address(2))  # fmt: skip
            continue
        for retry in (0.0, 4.0, 12.0):
            octets = dhcp(1, 2000 + number, client, vendor=vendor, vlan=DATA_VLAN)
            site.frames.append(Frame(at_s + retry, octets))
        site.logged.append(("dhcp-no-leases", at_s + 0.1, None))


def guests_come_and_go(
    world: World, site: SiteWorld, *, guests: int = 60, lasts_s: float = 600.0,
    server_says: bool = True,
) -> None:  # fmt: skip
    """Visitors' mobiles, a new address of their own each, use up the scope of guest Wi-Fi."""
    tap(world, site, lasts_s)
    scope = guests * 0.7
    for number in range(guests):
        client = f"{2 + 4 * (number % 60):02x}:7e:55:{site.subnet:02x}:00:{number:02x}"
        at_s = 5 + number * lasts_s / guests * 0.9
        if number < scope:
            site.frames += leased(
                client,
                site.address(20 + number),
                at_s,
                number,
                vendor=b"android-dhcp-14",
                vlan=300,
                server=site.address(2),
            )
        else:
            for retry in (0.0, 4.0, 12.0):
                octets = dhcp(1, number, client, vendor=b"android-dhcp-14", vlan=300)
                site.frames.append(Frame(at_s + retry, octets))
            if server_says:
                site.logged.append(("dhcp-no-leases", at_s + 0.1, None))


def stranger_serves(world: World, site: SiteWorld, *, lasts_s: float = 600.0) -> None:
    """Somebody's own router answers DHCP too, faster, with leases that lead nowhere."""
    tap(world, site, lasts_s)
    for number, one in enumerate(stations(site) * 4):
        at_s = 5 + number * lasts_s / (4 * len(stations(site))) * 0.9
        vendor = PHONE_CLASS if one.kind == "phone" else b"MSFT 5.0"
        for kind, after, server, yours in (
            (1, 0.0, "", "0.0.0.0"), (2, 0.001, "192.168.0.1", "192.168.0.77"),
            (2, 0.003, site.address(2), one.address), (3, 0.005, "", "0.0.0.0"),
            (6, 0.007, site.address(2), "0.0.0.0"), (5, 0.008, "192.168.0.1", "192.168.0.77"),
        ):  # fmt: skip
            octets = dhcp(
                kind, number, one.mac, vendor=vendor, vlan=DATA_VLAN, yours=yours,
                server=server or site.address(2),
                server_mac="02:aa:00:00:00:01" if server.startswith("192") else "02:00:5e:00:00:02",
            )  # fmt: skip
            site.frames.append(Frame(at_s + after, octets))


def two_voice_vlans(
    world: World, site: SiteWorld, *, lasts_s: float = 1500.0, period_s: float | None = None,
    conflict: bool = True, power: bool = False,
) -> None:  # fmt: skip
    """A port tells its telephone one voice VLAN by LLDP-MED and another by CDP: it swaps, for ever.

    It takes a lease in the one, hears of the other, restarts, and takes one there. Without the
    conflict (`power`) a telephone restarts as often since its power fails, in one VLAN.
    """
    tap(world, site, lasts_s, announced=False, per_s=1.0)
    period = world.between(45, 190) if period_s is None else period_s
    other = VOICE_VLAN + 10 if conflict else VOICE_VLAN
    switch = "00:1b:54:00:07:01"
    for second in range(0, int(lasts_s), 30):
        site.frames.append(Frame(second + 0.2, lldp_of_port(switch, "Gi0/7", VOICE_VLAN)))
        site.frames.append(Frame(second + 0.4, cdp_of_port(switch, "Gi0/7", other)))
    (phone, *_) = of_kind(site, "phone")
    turn, at_s = 0, world.between(2, 20)
    while at_s + 10 < lasts_s:
        vlan = VOICE_VLAN if turn % 2 == 0 else other
        site.frames.append(Frame(at_s, lldp_of_phone(phone, asks=vlan)))
        site.frames += leased(phone.mac, phone.address, at_s + 1, 900 + turn, vendor=PHONE_CLASS,
                              vlan=vlan, server=site.address(2))  # fmt: skip
        site.frames += _speaking(world, site, phone, at_s + 3, vlan)
        at_s += period * world.between(0.9, 1.1) if conflict or power else lasts_s
        turn += 1


def _speaking(world: World, site: SiteWorld, phone: End, at_s: float, vlan: int) -> list[Frame]:
    """A telephone that asks for its files and its server, in that VLAN."""
    return [
        Frame(at_s + number, datagram(phone.address, site.address(10), (5060, 5060), b"\0" * 8,
                                      source_mac=phone.mac, destination_mac=EVERYONE, vlan=vlan))
        for number in range(3)
    ]  # fmt: skip


def circulating(
    world: World, site: SiteWorld, *, turns: int = 400, seconds: float = 2.0,
    mirrored: bool = False, tree: int = 0,
) -> None:  # fmt: skip
    """A loop as a capture sees it: the same few broadcasts hundreds of times, octet for octet.

    A mirror port (`mirrored`) shows every frame twice, and nothing more often. `tree`: BPDUs that
    tell of a change meanwhile.
    """
    tap(world, site, 30.0)
    everyone = stations(site)
    for number in range(8):
        one = everyone[number % len(everyone)]
        question = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
        body = question + mac(one.mac) + bytes(4) + bytes(10) + bytes((number,)) + bytes(20)
        frame = ethernet(body, 0x0806, source=one.mac, destination=EVERYONE)
        name = ethernet(
            ipv4(udp(b"\x81\x00" + bytes(48), 137, 137), source=one.address,
                 destination=site.address(255), identification=4000 + number),
            source=one.mac, destination=EVERYONE,
        )  # fmt: skip
        for turn in range(2 if mirrored else turns):
            at_s = 10 + number * 0.1 + turn * (seconds / turns)
            site.frames.append(Frame(at_s, frame if number % 2 else name))
    for number in range(tree):
        whole = bytes.fromhex("424203") + bpdu(flags=0x01)
        site.frames.append(
            Frame(8 + number * 0.8, ethernet(whole, len(whole), destination="01:80:c2:00:00:00"))
        )


def frames_to_nobody(
    world: World, site: SiteWorld, *, silent: str = "phone", per_s: float | None = None,
    lasts_s: float = 60.0, others_per_s: float = 20.0, forgotten: bool = True,
) -> None:  # fmt: skip
    """Unicast that is flooded: frames to a station that has been quiet for longer than the switch
    remembers, while its router still knows it. Where the switch has not forgotten it (`forgotten`),
    the tap is a mirror, which shows what only that port gets."""
    tap(world, site, lasts_s, per_s=others_per_s)
    quiet = of_kind(site, silent)[-1]
    site.frames = [one for one in site.frames if one.octets[6:12] != mac(quiet.mac)]
    router = of_kind(site, "uplink")[0]
    rate = world.between(5, 120) if per_s is None else per_s
    if forgotten:
        site.switch.forgotten.add(quiet.mac)
    site.switch.floods = lambda _: rate

    def read(world: World, book: Book, turn: int, at_s: float) -> None:
        arp_table(world, book, site, at_s, {quiet.address: quiet.mac})

    site.notes.append(read)
    for number in range(int(rate * lasts_s)):
        octets = datagram("198.18.99.5", quiet.address, (6000, 6001), bytes(400),
                          source_mac=router.mac, destination_mac=quiet.mac,
                          identification=number % 60_000 + 1)  # fmt: skip
        site.frames.append(Frame(number / rate + world.between(0, 0.005), octets))
