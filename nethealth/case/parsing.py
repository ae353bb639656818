"""`case.toml` to its figures, or to every error that it holds."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from nethealth.inventory import hours
from nethealth.inventory.faults import Fault, InventoryError, listed, shown
from nethealth.inventory.lines import Lines, Path
from nethealth.inventory.toml import TomlFile, Trouble
from nethealth.model.case import CaseFile, Matrix
from nethealth.model.inventory import Inventory

Table = Mapping[str, Any]

# Figures that are shares of a whole, by the last key of their path and by the table around it.
_SHARES = frozenset({"rate", "later_rate", "impairment", "mitigated", "disruption_avoided"})


def parse_case(text: str, inventory: Inventory, *, name: str = "case.toml") -> CaseFile:
    """Read a case for this inventory; raises InventoryError with every fault and its line."""
    case = CASE.parse(text, name=name)
    lines = Lines(text)
    faults = [
        Fault(name, lines.of(path), ".".join(map(str, path)), found, allowed)
        for path, found, allowed in _references(case, inventory)
    ]
    if faults:
        raise InventoryError(faults)
    return case


def _inconsistencies(document: Table) -> Iterator[Trouble]:
    """What one key alone cannot show."""
    yield from _figures((), document)
    yield from _options(document)
    yield from _matrix(document)
    for table in ("option", "risk"):
        yield from _repeated(document, table)
    disruption = document.get("disruption")
    if isinstance(disruption, dict) and isinstance(disruption.get("working_days"), str):
        yield from _days(disruption["working_days"])
    for index, recharge in _rows(document, "recharge"):
        if recharge.get("key") == "use" and not recharge.get("use"):
            yield ("recharge", index, "use"), "nothing", "each council's share, as the key is use"


def _figures(path: Path, value: object) -> Iterator[Trouble]:
    """Every table with a `central` is a figure: its range must hold it, and a share ends at 1."""
    if isinstance(value, dict):
        if "central" in value:
            yield from _figure(path, value)
        for key, inside in value.items():
            yield from _figures((*path, key), inside)
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from _figures((*path, index), inside)


def _figure(path: Path, figure: Table) -> Iterator[Trouble]:
    central, low, high = (figure.get(key) for key in ("central", "low", "high"))
    if _number(low) and _number(central) and low > central:
        yield (*path, "low"), shown(low), f"at most the central {central:g}"
    if _number(high) and _number(central) and high < central:
        yield (*path, "high"), shown(high), f"at least the central {central:g}"
    of_share = path and (path[-1] in _SHARES or (len(path) > 1 and path[-2] == "impairment_of"))
    if of_share:
        for key in ("central", "low", "high"):
            if _number(figure.get(key)) and figure[key] > 1:
                yield (*path, key), shown(figure[key]), "a share from 0 to 1"


def _options(document: Table) -> Iterator[Trouble]:
    kinds = [option.get("kind", "option") for _, option in _rows(document, "option")]
    if kinds:
        for kind, most in (("business-as-usual", 1), ("do-minimum", None)):
            count = kinds.count(kind)
            if count == 0 or (most is not None and count > most):
                wanted = "exactly one" if most else "at least one"
                yield ("option",), f"{count} of kind {shown(kind)}", wanted
    biases = document.get("optimism")
    known = biases if isinstance(biases, dict) else {}
    for index, option in _rows(document, "option"):
        for table in ("cost", "benefit"):
            names: set[str] = set()
            for number, flow in _rows(option, table):
                path: Path = ("option", index, table, number)
                first, last = flow.get("first_year"), flow.get("last_year")
                if _number(first) and _number(last) and last < first:
                    yield (*path, "last_year"), shown(last), f"at least the first year {first}"
                if flow.get("name") in names:
                    yield (*path, "name"), shown(flow["name"]), "a name that no other has"
                names.add(str(flow.get("name")))
                bias = flow.get("bias", "none")
                if bias != "none" and isinstance(bias, str) and bias not in known:
                    yield (
                        (*path, "bias"), shown(bias),
                        f"a class that [optimism.{bias}] gives; given: {listed(known) or 'none'}",
                    )  # fmt: skip


def _matrix(document: Table) -> Iterator[Trouble]:
    given = document.get("matrix")
    matrix = given if isinstance(given, dict) else {}
    size = matrix.get("size", Matrix().size)
    bands = matrix.get("bands", list(Matrix().bands))
    names = matrix.get("names", list(Matrix().names))
    if not (_number(size) and isinstance(bands, list) and isinstance(names, list)):
        return
    if len(bands) != len(names):
        yield ("matrix", "names"), f"{len(names)} names", f"one for each of {len(bands)} bands"
    if all(map(_number, bands)) and (sorted(set(bands)) != bands or bands[-1:] != [size**2]):
        yield ("matrix", "bands"), shown(bands), f"rising scores of which the last is {size**2}"
    for index, risk in _rows(document, "risk"):
        for level in ("inherent", "residual", "target"):
            place = risk.get(level)
            for key in ("likelihood", "impact"):
                if isinstance(place, dict) and _number(place.get(key)) and place[key] > size:
                    yield ("risk", index, level, key), shown(place[key]), f"1 to {size}"


def _repeated(document: Table, table: str) -> Iterator[Trouble]:
    seen = set()
    for index, row in _rows(document, table):
        if isinstance(row.get("id"), str):
            if row["id"] in seen:
                yield (table, index, "id"), shown(row["id"]), "an id that no other has"
            seen.add(row["id"])


def _days(days: str) -> Iterator[Trouble]:
    try:
        hours.weekdays(days)
    except ValueError:
        yield ("disruption", "working_days"), shown(days), hours.DAYS_WORDS


def _references(case: CaseFile, inventory: Inventory) -> Iterator[Trouble]:
    """Councils and sites that the inventory does not know."""
    councils = [council.id for council in inventory.council]
    sites = [site.id for site in inventory.site]
    assets = [asset.id for asset in inventory.asset]

    def unknown(path: Path, id_: str, known: list[str]) -> Iterator[Trouble]:
        if id_ not in known:
            yield path, shown(id_), f"an id of the inventory: {listed(known) or 'it has none'}"

    yield from unknown(("case", "council"), case.case.council, councils)
    for site in case.disruption.staff if case.disruption else ():
        yield from unknown(("disruption", "staff", site), site, [*sites, *assets])
    for index, centre in enumerate(case.contact_centre):
        yield from unknown(("contact_centre", index, "site"), centre.site, sites)
    for index, recharge in enumerate(case.recharge):
        for council in recharge.use:
            yield from unknown(("recharge", index, "use", council), council, councils)
        for number, own in enumerate(recharge.own):
            path: Path = ("recharge", index, "own", number, "council")
            yield from unknown(path, own.council, councils)


def _rows(table: Table, key: str) -> Iterator[tuple[int, Table]]:
    rows = table.get(key)
    if isinstance(rows, list):
        yield from ((index, row) for index, row in enumerate(rows) if isinstance(row, dict))


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


CASE = TomlFile(CaseFile, _inconsistencies)
