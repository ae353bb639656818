"""What is named on the command line to checks: hosts, ports, URLs, URIs, names and ids."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nethealth.inventory.addresses import check_call_number
from nethealth.inventory.faults import listed, shown
from nethealth.inventory.kinds import PLANNED_KINDS
from nethealth.model.check import Check, ProbeKind
from nethealth.model.inventory import Inventory, SweepSettings
from nethealth.plan.errors import TargetError
from nethealth.plan.forms import parse_form
from nethealth.plan.loads import unloadable
from nethealth.plan.options import TEST_NUMBER, check_keys, with_options
from nethealth.plan.sites import asset_subject, subjects
from nethealth.plan.subject import Subject, checks_of, with_room

_Chosen = tuple[Subject, tuple[ProbeKind, ...]]


def plan_targets(
    texts: Iterable[str],
    inventory: Inventory | None,
    *,
    probes: tuple[ProbeKind, ...] = (),
    options: Mapping[str, str] | None = None,
) -> tuple[Check, ...]:
    """The checks of each TARGET, each check once; raises TargetError with every fault.

    An id wins over a host of the same name. `probes` replaces what a host or an asset would get,
    and chooses among what a site's plan holds (a site's phones get no SIP by `--probe sip`).
    `options` set the keys that the tables `[asset.KIND]` have, over what the inventory says, for
    every chosen kind that has the key; a longer check gets a longer deadline.
    """
    options = options or {}
    sweep = inventory.sweep if inventory else SweepSettings()
    faults = [
        f"the probe {shown(kind)} is not available in this version; available: "
        + listed(PLANNED_KINDS)
        for kind in dict.fromkeys(probes)
        if kind not in PLANNED_KINDS
    ]
    available = tuple(kind for kind in dict.fromkeys(probes) if kind in PLANNED_KINDS)
    chosen: list[_Chosen] = []
    for text in dict.fromkeys(texts):
        try:
            chosen += choose(text, inventory, available)
        except ValueError as error:
            faults.append(f"{shown(text)}: {error}")
    kinds = tuple(dict.fromkeys(kind for _, kinds in chosen for kind in kinds)) or available
    if kinds:
        faults += check_keys(options, kinds)
    checks: dict[str, Check] = {}
    for plain, wanted in chosen:
        subject, wrong = with_options(plain, wanted, options)
        wrong = wrong or list(_missing(subject, wanted))
        faults += wrong
        if not wrong:
            made = checks_of(subject, wanted, sweep)
            checks.update((check.id, with_room(check)) for check in made)
    if faults:
        raise TargetError(tuple(dict.fromkeys(faults)))
    return tuple(checks.values())


def choose(
    text: str, inventory: Inventory | None, probes: tuple[ProbeKind, ...]
) -> Sequence[_Chosen]:
    """What the text names; raises ValueError with the reason if it names nothing."""
    if inventory:
        if text in {site.id for site in inventory.site}:
            return _of_site(text, inventory, probes)
        for asset in inventory.asset:
            if asset.id == text:
                subject, kinds = asset_subject(asset, inventory)
                if not (probes or kinds):
                    raise ValueError("the inventory plans no check of it; choose one with --probe")
                return [(subject, probes or kinds)]
    subject, kind = parse_form(text)
    return [(subject, probes or (kind,))]


def _of_site(site: str, inventory: Inventory, probes: tuple[ProbeKind, ...]) -> Sequence[_Chosen]:
    chosen = []
    for subject, planned in subjects(inventory, {site}):
        kinds = tuple(kind for kind in planned if not probes or kind in probes)
        if kinds:
            chosen.append((subject, kinds))
    if not chosen:
        what = f"no {' or '.join(probes)} check" if probes else "no check"
        raise ValueError(f"the inventory plans {what} at this site")
    return chosen


def _missing(subject: Subject, kinds: Iterable[ProbeKind]) -> Iterator[str]:
    """A sentence for each kind that the subject has nothing to be measured by."""
    for kind in kinds:
        if kind == "tcp" and not subject.tcp:
            yield f"{subject.name}: tcp needs a port, as in HOST:443 or --option ports=443,5061"
        if kind == "dns" and not subject.dns:
            yield (
                f"{subject.name}: dns needs a name to ask for, as in dns:portal.example@SERVER "
                "or --option names=portal.example"
            )
        if kind == "snmp" and not subject.snmp:
            yield (
                f"{subject.name}: snmp needs a version and the names of the variables that hold "
                "its secrets, as in --option version=2 --option community_env=NAME or [asset.snmp]"
            )
        if kind == "call":
            yield from _uncallable(subject)
            continue
        if kind == "coexistence":
            yield from unloadable(subject)
        url = subject.http.url if kind == "http" and subject.http else None
        uri = subject.sip.uri if kind == "sip" and subject.sip else None
        if not (subject.address or url or uri):
            yield f"{subject.name}: {kind} needs an address, and the inventory gives none"


def _uncallable(subject: Subject) -> Iterator[str]:
    """Why no test call can be made: no number, one that is never called, or none of ours."""
    if subject.call is None:
        yield f"{subject.name}: call needs a number, as in sip:echo@HOST or [asset.call] number"
        return
    try:
        check_call_number(subject.call.number)
    except ValueError as error:
        yield f"{subject.name}: {error}"
        return
    if not subject.may_be_called:
        yield (
            f"{subject.name}: {shown(subject.call.number)} is no test number of the inventory; "
            f"--option {TEST_NUMBER}=true says that it is there to be called"
        )
