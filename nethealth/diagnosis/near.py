"""At which end of a path a fault is said to lie, when only our own end and reflectors are known."""

from collections.abc import Sequence

from nethealth.diagnosis.evidence import Evidence, Host, Place


def placed(
    evidence: Evidence, showing: Sequence[Host], measured: Sequence[Host]
) -> dict[str, tuple[Place, tuple[Host, ...]]]:
    """The hosts that show a fault, by the place that it is said of.

    What every reflector shows is said of the vantage's own site, if the inventory names it: the
    reflectors stand outside, and that is what they have in common. Else it is said of each.
    """
    own = evidence.record.inventory.vantage.site
    if showing and own is not None and own in evidence.site_facts and len(showing) == len(measured):
        place = _site(evidence, own)
        return {place.key: (place, tuple(showing))}
    return {host.place.key: (host.place, (host,)) for host in showing}


def _site(evidence: Evidence, site: str) -> Place:
    facts = evidence.site_facts[site]
    return Place(site, facts.name, facts.council, site)
