"""The rules for lines that are written in many places, and what each kind means.

The words are those of the vendors' message references and of the daemons' sources; the tests hold
a line of each. What two daemons say of one happening is matched once: of Cisco's pair LINK and
LINEPROTO only the first.
"""

import re
from collections.abc import Mapping

from nethealth.inventory.events.rules import Rule

KINDS: Mapping[str, str] = {
    "link-up": "a port came up",
    "link-down": "a port went down, or was shut",
    "poe-denied": "a switch gave a device no power, for want of it",
    "spanning-tree-change": "a switch saw the tree change, or another root",
    "registration-failed": "a telephone's registration was refused",
    "registration-lost": "a telephone was taken off the register",
    "pbx-restart": "the exchange's program started",
    "restart": "a device or its system started, or was told to",
    "tftp-load": "a device asked for a file by TFTP: configuration or firmware",
    "dhcp-no-leases": "the DHCP server had no address to give",
    "duplicate-address": "one address was used by two devices",
    "temperature-alarm": "a sensor told of heat",
    "fan-alarm": "a fan failed, or was missing",
    "chiller-alarm": "a chiller or an air conditioner told of a failure",
    "call": "a call was tried",
    "call-start": "a call was answered, and its media began",
    "call-end": "an answered call ended",
}


def _rule(kind: str, words: str, pattern: str) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), kind, tuple(words.split("|")))


# The first that matches is taken, so that the narrower stand before the wider.
BUILTIN: tuple[Rule, ...] = (
    # Cisco IOS: LINK-3-UPDOWN, LINK-5-CHANGED.
    _rule("link-up", "updown", r"%LINK-\d-UPDOWN: .{1,100}changed state to up"),
    _rule("link-down", "%link-", r"%LINK-\d-(?:UPDOWN|CHANGED): .{1,100}changed state to (?:admin\w{1,20} )?down"),  # noqa: E501
    # HP and Aruba switches: "port 3 is now on-line".
    _rule("link-up", "now on-line", r"\bport \S{1,20} is now on-line"),
    _rule("link-down", "now off-line", r"\bport \S{1,20} is now off-line"),
    # Junos: SNMP_TRAP_LINK_DOWN.
    _rule("link-up", "snmp_trap_link_up", r"SNMP_TRAP_LINK_UP\b"),
    _rule("link-down", "snmp_trap_link_down", r"SNMP_TRAP_LINK_DOWN\b"),
    # Linux: drivers of network cards.
    _rule("link-up", "link is up", r"\b(?:NIC )?Link is Up\b"),
    _rule("link-down", "link is down", r"\b(?:NIC )?Link is Down\b"),
    # Cisco IOS: ILPOWER-5-ILPOWER_POWER_DENY, ILPOWER-3-…; HP: "PD Denied power".
    _rule("poe-denied", "power_deny", r"%ILPOWER-\d-\w{0,40}POWER_DENY"),
    _rule("poe-denied", "denied power", r"\bPD Denied power\b"),
    # Cisco IOS: SPANTREE-5-TOPOTRAP, SPANTREE-5-ROOTCHANGE; others in words.
    _rule("spanning-tree-change", "%spantree", r"%SPANTREE-\d-(?:TOPOTRAP|ROOTCHANGE)"),
    _rule("spanning-tree-change", "topology change",
          r"\b(?:STP|RSTP|MSTP|MSTI|CIST|spanning.tree)\b.{0,80}\btopology change"),
    # Asterisk: chan_sip's "Registration from … failed for", PJSIP's "Request 'REGISTER' from …".
    _rule("registration-failed", "registration from",
          r"\bRegistration from '.{1,300}' failed for '(?P<asset>[0-9A-Fa-f.:\[\]]{2,60}?)(?::\d{1,5})?'"),  # noqa: E501
    _rule("registration-failed", "'register'",
          r"\bRequest 'REGISTER' from '.{1,300}' failed for '(?P<asset>[0-9A-Fa-f.:\[\]]{2,60}?)(?::\d{1,5})?'"),  # noqa: E501
    # Cisco Unified CM: EndPointUnregistered, DeviceUnregistered.
    _rule("registration-lost", "unregistered", r"CALLMANAGER-\d-(?:EndPoint|Device|Station)Unregistered"),  # noqa: E501
    # Asterisk's own word when it has loaded.
    _rule("pbx-restart", "asterisk ready", r"\bAsterisk Ready\b"),
    # Cisco IOS: SYS-5-RESTART, SYS-5-RELOAD; the Linux kernel's first line; HP.
    _rule("restart", "%sys-", r"%SYS-\d-(?:RESTART|RELOAD)\b"),
    _rule("restart", "linux version", r"^kernel: .{0,30}Linux version \d"),
    _rule("restart", "system booted", r"\bSystem booted\b"),
    # tftpd-hpa and BSD's tftpd; atftpd; dnsmasq.
    _rule("tftp-load", "rrq from", r"\bRRQ from (?P<asset>[0-9A-Fa-f.:]{2,45}) filename "),
    _rule("tftp-load", "serving", r"^(?:in\.|a)?tftpd\S{0,5}: .{0,20}Serving \S{1,200} to (?P<asset>[0-9A-Fa-f.]{2,45}):\d"),  # noqa: E501
    _rule("tftp-load", "dnsmasq-tftp", r"^dnsmasq-tftp: sent \S.{0,255} to (?P<asset>[0-9A-Fa-f.:]{2,45})$"),  # noqa: E501
    # ISC dhcpd; dnsmasq; Kea (of its several lines for one failure, that of the subnet).
    _rule("dhcp-no-leases", "no free leases", r"\bno free leases\b"),
    _rule("dhcp-no-leases", "no address available", r"\bDHCP\w{1,20}\(.{1,60}no address available"),
    _rule("dhcp-no-leases", "alloc_fail", r"ALLOC_ENGINE_V4_ALLOC_FAIL_(?:SUBNET|SHARED_NETWORK)\b"),  # noqa: E501
    # Cisco IOS: IP-4-DUPADDR; Linux: IPv6 duplicate address; dhcpd: an address that answered.
    _rule("duplicate-address", "dupaddr", r"%IP-\d-DUPADDR"),
    _rule("duplicate-address", "duplicate", r"\bduplicate (?:ip |ipv6 )?address\b.{0,60}(?:detected|used by)"),  # noqa: E501
    _rule("duplicate-address", "abandoning", r"\bAbandoning IP address \S{1,45}: pinged before offer"),  # noqa: E501
    # Chillers and air conditioners write as their gateways please: by words.
    _rule("chiller-alarm", "chiller|crac|crah|air condition",
          r"\b(?:chiller|CRAC|CRAH|air condition\w{0,5})\b.{0,80}\b(?:alarm|fault|failure|failed|tripped)\b"),  # noqa: E501
    # Cisco IOS: PLATFORM_ENV, ENVMON and others; then by words.
    _rule("fan-alarm", "env", r"%\w{0,20}ENV\w{0,10}-[0-4]-\w{0,30}FAN"),
    _rule("temperature-alarm", "env", r"%\w{0,20}ENV\w{0,10}-[0-4]-\w{0,30}TEMP"),
    _rule("fan-alarm", "fan", r"\bfan\b.{0,60}\b(?:fault\w{0,2}|failure|failed|alarm)\b"),
    _rule("temperature-alarm", "temperature",
          r"\btemperature\b.{0,80}\b(?:alarm|critical|exceed\w{0,3}|too high|above threshold|going high)\b"),  # noqa: E501
)  # fmt: skip
