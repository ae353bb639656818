"""How much hangs on one thing in each building: ways out, power, cooling, owners, age.

It counts what the inventory and the readings say, and judges nothing: what neither says is "not
known", and a thing that the register does not name may still be there.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nethealth.model.inventory import Site
from reports.building_rows import rows
from reports.buildings import UNKNOWN, Known, Place, places
from reports.citing import figure
from reports.document import Block, Bullets, Column, Paragraph, Table
from reports.view import View
from reports.words import count, listed

_COLUMNS = (
    Column("What", share=0.75),
    Column("State", share=0.7),
    Column("What is known", share=2.2),
    Column("Line of the register", optional=True, share=1.2),
)
_LISTED_MOST = 8
_FOLDED_FROM = 3  # so many things that are not known take one row together


def resilience_blocks(view: View) -> tuple[Block, ...]:
    """The estate in a few sentences, then one table a site, those with most to mend first.

    Nothing for a check of single targets, whose inventory is not what was looked at.
    """
    if not view.record.inventory.site or view.record.run.kind == "check":
        return ()
    told = [(place, tuple(rows(view, place))) for place in places(view)]
    told.sort(key=lambda pair: (-_single(pair[1]), view.site_name(pair[0].site.id)))
    return (
        Paragraph(
            "What hangs on one thing, by the register and by what was read in this run. A thing "
            "that neither names may still be there; what is not known is said so."
        ),
        Bullets(tuple(_estate(view, told))),
        *(_table(view, place, known) for place, known in told),
    )


def _single(known: Sequence[Known]) -> int:
    return sum(one.mark.kind == "warning" for one in known)


def _table(view: View, place: Place, known: Sequence[Known]) -> Table:
    name = view.site_name(place.site.id)
    building = place.site.building
    caption = name if building is None or building == name else f"{name}, in {building}"
    rows = tuple(
        (one.subject, one.mark, figure(one.text, one.seen), "; ".join(one.lines) or "–")
        for one in _folded(known)
    )
    return Table(caption, _COLUMNS, rows, telling=0)


def _folded(known: Sequence[Known]) -> Sequence[Known]:
    """What is not known in one row at the end, with the lines that would say it."""
    unknown = [one for one in known if one.mark == UNKNOWN]
    if len(unknown) < _FOLDED_FROM:
        return known
    subjects = [unknown[0].subject, *(_lowered(one.subject) for one in unknown[1:])]
    text = f"{listed(subjects, len(subjects))}: neither the register nor a reading says."
    lines = tuple(dict.fromkeys(line for one in unknown for line in one.lines))
    folded = Known("Not known", UNKNOWN, text, lines=lines)
    return [*(one for one in known if one.mark != UNKNOWN), folded]


def _lowered(subject: str) -> str:
    return subject[0].lower() + subject[1:]


def _estate(view: View, told: Sequence[tuple[Place, Sequence[Known]]]) -> Iterator[str]:
    yield from _shared(view, [place.site for place, _ in told])
    states: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for place, known in told:
        for one in known:
            states[one.subject][one.mark.word].append(view.site_name(place.site.id))
    for subject, by_state in states.items():
        parts = [f"{word.lower()} {_where(names)}" for word, names in by_state.items()]
        yield f"{subject}: {'; '.join(parts)}."


def _where(names: list[str]) -> str:
    return f"at {listed(names, 2) if len(names) <= 2 else count(len(names), 'site')}"


def _shared(view: View, sites: Sequence[Site]) -> Iterator[str]:
    """Providers on which several sites hang that have no other way out."""
    hanging: Mapping[str, list[str]] = defaultdict(list)
    for site in sites:
        if site.upstream and site.backup_upstream in (None, site.upstream):
            hanging[site.upstream].append(view.site_name(site.id))
    for upstream, names in sorted(hanging.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        if len(names) > 1:
            yield (
                f"{count(len(names), 'site')} leave by {upstream} and by nothing else that the "
                f"register names: {listed(sorted(names), _LISTED_MOST)}."
            )
