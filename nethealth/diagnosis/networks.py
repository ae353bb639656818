"""All that is judged of the networks of sites, which are sorted out once for all of it."""

from collections.abc import Iterator

from nethealth.diagnosis.evidence import Evidence
from nethealth.diagnosis.flooding import unicast_floods
from nethealth.diagnosis.lan import lans
from nethealth.diagnosis.leases import dhcp_exhaustions
from nethealth.diagnosis.loops import storms
from nethealth.diagnosis.misuse import marks_misused
from nethealth.diagnosis.multicast import multicast_floods
from nethealth.diagnosis.owners import address_conflicts
from nethealth.diagnosis.ports import duplex_mismatches
from nethealth.diagnosis.relays import power_loops
from nethealth.diagnosis.sensitive import sensitive_telephones
from nethealth.diagnosis.tree import spanning_tree_changes
from nethealth.diagnosis.voice_vlan import voice_vlan_conflicts
from nethealth.diagnosis.wave import firmware_waves
from nethealth.model.finding import Finding


def networks(evidence: Evidence) -> Iterator[Finding]:
    """What captures, devices and events say of each network, each rule in a file of its own."""
    places = tuple(lans(evidence))
    for rule in (
        duplex_mismatches, spanning_tree_changes, storms, power_loops, sensitive_telephones,
        multicast_floods, unicast_floods, address_conflicts, dhcp_exhaustions,
        voice_vlan_conflicts, marks_misused, firmware_waves,
    ):  # fmt: skip
        yield from rule(places)
