"""The codes that can be judged from a sweep, with the severity of the contract and the action.

Each has a page, `docs/findings/<code>.md`, which a test holds to this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nethealth.model.finding import FindingCode, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """What a finding of one code weighs, and what to do about it first."""

    severity: Severity
    action: str


# How telephony and network disturb each other, one way or the other (or neither).
MECHANISMS: frozenset[FindingCode] = frozenset(
    {
        "phone-loop", "phone-power-loop", "duplex-mismatch", "voice-vlan-conflict",
        "dhcp-exhaustion", "registration-avalanche", "keepalive-reset", "firmware-wave",
        "multicast-flood", "broadcast-sensitive-phones", "unknown-unicast-flood",
        "address-conflict", "dscp-misuse", "no-wan-qos", "dscp-bleached", "media-hairpin",
        "call-load", "clock-slip", "fax-over-ip", "poe-budget", "obsolete-security",
        "slow-port-start",
    }
)  # fmt: skip

CODES: Mapping[FindingCode, Rule] = {
    "site-outage": Rule(
        Severity.CRITICAL,
        "Ask the site whether it has power, then test the line with its provider.",
    ),
    "host-down": Rule(
        Severity.CRITICAL, "Check the power and the network port of the host, on the spot."
    ),
    "packet-loss": Rule(
        Severity.WARNING,
        "Read the error and discard counters of each interface on the path, and repeat the "
        "measurement at a quiet hour.",
    ),
    "high-delay": Rule(
        Severity.WARNING,
        "Compare with the same measurement at a quiet hour: what is higher only under load is a "
        "queue, what stays is the route.",
    ),
    "queueing-delay": Rule(
        Severity.WARNING,
        "Shape the traffic to a little below the rate that the line really has, with a queue that "
        "is kept short, and measure again.",
    ),
    "no-wan-qos": Rule(
        Severity.WARNING,
        "Give packets with the mark of voice a queue of their own at both ends of the line, below "
        "its real rate and with the overhead of each frame counted in.",
    ),
    "provider-loss": Rule(
        Severity.WARNING,
        "Take these times and counts to the provider of the line before anything of the telephony "
        "is replaced.",
    ),
    "poor-voice-quality": Rule(
        Severity.WARNING,
        "Make a test call over this path and measure its packets both ways before anything is "
        "replaced.",
    ),
    "dns-failure": Rule(
        Severity.WARNING, "Ask the same question at another name server, then correct the zone or "
        "the server."
    ),
    "service-down": Rule(
        Severity.CRITICAL, "Look at the service and its log on the host, then at the firewalls in "
        "between."
    ),
    "certificate-expiry": Rule(
        Severity.WARNING, "Renew the certificate, and have its renewal watched."
    ),
    "obsolete-security": Rule(
        Severity.WARNING,
        "Find out which devices still need the old version, replace them, then switch it off; "
        "until then keep them in a network of their own.",
    ),
    "sip-down": Rule(
        Severity.CRITICAL,
        "Look at the SIP service and its log on the host, then at the firewalls in between.",
    ),
    "sip-overload": Rule(
        Severity.WARNING,
        "Read the load and the log of the SIP server for this time before it is asked more often.",
    ),
    "sip-malformed": Rule(
        Severity.WARNING,
        "Capture the exchange and compare what the server sent with what arrived.",
    ),
    "sip-auth": Rule(
        Severity.INFO,
        "Nothing is broken; to see more, give the probe a test account whose password is right.",
    ),
    "path-mtu-black-hole": Rule(
        Severity.WARNING,
        'Let ICMP "fragmentation needed" and "packet too big" through every filter on the way, or '
        "give both ends of the narrow link the size that it has.",
    ),
    "dscp-bleached": Rule(
        Severity.WARNING,
        "Ask whoever runs that hop to trust the mark, and have voice treated by it.",
    ),
    "sip-alg": Rule(
        Severity.WARNING,
        "Look in the first router and firewall of the site for a SIP helper (SIP ALG, SIP "
        "inspection, session helper), switch it off, and measure again.",
    ),
    "nat-binding-short": Rule(
        Severity.WARNING,
        "Set the time for which the router or firewall keeps UDP bindings to 300 s, at the least "
        "to 120 s.",
    ),
    "call-failed": Rule(
        Severity.WARNING,
        "Call the same number from a telephone at the site, then look at the call in the log of "
        "the telephone system.",
    ),
    "one-way-audio": Rule(
        Severity.WARNING,
        "Compare the route and the filters for the ports of media in the direction that is "
        "silent; then the address that each side announces in its SDP.",
    ),
    "overheating": Rule(
        Severity.CRITICAL,
        "Go and look at the cooling of the room; switch off what can be spared before it switches "
        "itself off.",
    ),
    "sensor-silent": Rule(
        Severity.WARNING,
        "Read the device by hand with the same credentials, then look at its power and its port.",
    ),
    "duplex-mismatch": Rule(
        Severity.WARNING,
        "Have both ends negotiate speed and duplex; change the cable if frames still break.",
    ),
    "clock-slip": Rule(
        Severity.WARNING,
        "Have every line of the gateway or exchange take its clock from one source, the "
        "provider's.",
    ),
    "poe-budget": Rule(
        Severity.WARNING,
        "Set the class or the power of each port to what its telephone draws, or fit a larger "
        "supply.",
    ),
    "slow-port-start": Rule(
        Severity.WARNING,
        "Make the port of one telephone an edge port with BPDU guard, and time how long the "
        "telephone takes to start.",
    ),
    "spanning-tree-change": Rule(
        Severity.WARNING,
        "Find the port that changed in the log of the root bridge, and whether it was meant to.",
    ),
    "broadcast-storm": Rule(
        Severity.WARNING,
        "Limit broadcasts on the access ports (storm control), then find what sends them.",
    ),
    "phone-loop": Rule(
        Severity.WARNING,
        "Shut one of the two ports: if the storm ends at once, look for a telephone patched twice.",
    ),
    "phone-power-loop": Rule(
        Severity.WARNING,
        "Pull the patch of that telephone: if everything recovers at once, feed telephones from "
        "the switch, and let it shut a port that hears its own frames.",
    ),
    "broadcast-sensitive-phones": Rule(
        Severity.WARNING,
        "Move one of these telephones into a quiet VLAN for a week: if it stays registered there, "
        "part the VLAN and limit broadcasts at its ports.",
    ),
    "multicast-flood": Rule(
        Severity.WARNING,
        "Give the VLAN a querier and let the switches snoop; then start one test page and look "
        "again.",
    ),
    "address-conflict": Rule(
        Severity.WARNING,
        "Find both owners by the forwarding tables of the switches, and take the address from the "
        "one that may not have it.",
    ),
    "dhcp-exhaustion": Rule(
        Severity.WARNING,
        "Read the server's list of leases: if telephones hold two each, tell them their voice VLAN "
        "by LLDP-MED, and shorten the leases of the data VLAN.",
    ),
    "voice-vlan-conflict": Rule(
        Severity.WARNING,
        "Switch one of the protocols off at the port of one telephone; if it stays, tell the voice "
        "VLAN in one way alone.",
    ),
    "media-hairpin": Rule(
        Severity.WARNING,
        "Let telephones of one site send media to each other directly, or give the site a relay of "
        "its own; then compare what the line carries during a local call.",
    ),
    "call-load": Rule(
        Severity.WARNING,
        "Limit how many calls the line admits at a time, or give them a codec that needs less; "
        "then see whether the line is full again at as many calls.",
    ),
    "registration-avalanche": Rule(
        Severity.WARNING,
        "Have telephones wait a random time before they register again, power them on in stages, "
        "and restart once more in that way: the surge must be gone.",
    ),
    "keepalive-reset": Rule(
        Severity.WARNING,
        "Mend the path that was silent, give signalling a class of service, and lengthen the "
        "timers of the telephones where that is possible.",
    ),
    "fax-over-ip": Rule(
        Severity.WARNING,
        "Let both ends take T.38 with redundancy, or send facsimiles as e-mail; do not judge the "
        "network for data by it.",
    ),
    "isdn-retirement": Rule(
        Severity.INFO,
        "Plan the move of each of these lines with its owner, alarms and lifts first, and write it "
        "down in the inventory when it is done.",
    ),
    "dscp-misuse": Rule(
        Severity.WARNING,
        "Set the port of the source to distrust its marks, or re-mark what is no voice where "
        "it enters, and read the drops of the queue for voice.",
    ),
    "unknown-unicast-flood": Rule(
        Severity.WARNING,
        "Set the time of the router's ARP entries no longer than that of the switch's "
        "forwarding entries, and look whether the frames stop.",
    ),
    "firmware-wave": Rule(
        Severity.WARNING,
        "Hold TFTP back for a quarter of an hour: if the line recovers, stagger the "
        "telephones or give them a server at the site.",
    ),
    "unowned-asset": Rule(Severity.INFO, "Name an owner for each asset in the inventory."),
    "instrument-limited": Rule(
        Severity.INFO, "Put the measuring machine right and measure again; `nethealth doctor` "
        "says what it lacks."
    ),
    "level-change": Rule(
        Severity.INFO,
        "Ask what was changed at these times on the line, the routers and the telephony.",
    ),
    "history-incomplete": Rule(
        Severity.INFO,
        "Mind what was not measured before anything is concluded from it; `nethealth init --cron` "
        "keeps the sweeps going.",
    ),
}  # fmt: skip
