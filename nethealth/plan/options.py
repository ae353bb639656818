"""Options `key=value` of the command line, put over the tables that a subject has already."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nethealth.inventory.consistency import option_troubles
from nethealth.inventory.faults import listed, nearest, shown
from nethealth.inventory.kinds import field_of
from nethealth.inventory.parsing import SITES
from nethealth.model.check import ProbeKind
from nethealth.model.inventory import (
    CallOptions,
    CoexistenceOptions,
    DnsOptions,
    HttpOptions,
    NatOptions,
    PingOptions,
    RouteOptions,
    SipAlgOptions,
    SipOptions,
    SnmpOptions,
    StampOptions,
    TcpOptions,
)
from nethealth.plan.subject import Subject

_MODELS: Mapping[str, Any] = {
    "ping": PingOptions,
    "tcp": TcpOptions,
    "dns": DnsOptions,
    "http": HttpOptions,
    "sip": SipOptions,
    "call": CallOptions,
    "stamp": StampOptions,
    "route": RouteOptions,
    "coexistence": CoexistenceOptions,
    "snmp": SnmpOptions,
    "sip-alg": SipAlgOptions,
    "nat": NatOptions,
}
_REQUIRED = {"tcp": "ports", "dns": "names", "call": "number", "snmp": "version"}
_LISTS = ("ports", "names", "expect", "codecs", "groups")
TEST_NUMBER = "test-number"  # the user's word that a number is there to be called


def _keys(kind: str) -> tuple[str, ...]:
    """The keys of the inventory's [asset.KIND]; a kind without a table has none."""
    return tuple(field.name for field in fields(_MODELS[kind])) if kind in _MODELS else ()


@cache  # each takes a while to make, and a command seldom has options of more than one kind
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_MODELS[kind])


def check_keys(options: Mapping[str, str], kinds: Sequence[ProbeKind]) -> list[str]:
    """A sentence for each option that no chosen kind of probe has."""
    keys = {key: None for kind in kinds for key in _keys(kind)}
    if "call" in kinds:
        keys[TEST_NUMBER] = None
    return [
        f"option {shown(key)} is no key of {' or '.join(kinds)}{nearest(key, keys)}; "
        f"allowed: {listed(keys)}"
        for key in options
        if key not in keys
    ]


def with_options(
    subject: Subject, kinds: Sequence[ProbeKind], options: Mapping[str, str]
) -> tuple[Subject, list[str]]:
    """The subject with the options in its tables, and a sentence for each value that is wrong."""
    faults: list[str] = []
    if "call" in kinds:
        subject, faults = _called(subject, options)
    for kind in kinds:
        keys = _keys(kind)
        given = {key: _typed(key, value) for key, value in options.items() if key in keys}
        own = getattr(subject, field_of(kind), None)  # some kinds have nothing to set
        merged = {**(asdict(own) if own else {}), **given}
        required = _REQUIRED.get(kind)
        if not given or (required and required not in merged):
            continue
        misfits: set[str] = set()
        try:
            table = _adapter(kind).validate_python(merged)
            merged = asdict(table)
        except ValidationError as error:
            misfits = {str(fault["loc"][0]) for fault in error.errors()}
        # What a text means is looked at even where another key has the wrong type.
        wrong = {
            str(path[0]): f"option {path[0]}: found {found}; allowed: {words}"
            for path, found, words in option_troubles(kind, _as_document(merged))
        }
        wrong.update((key, _fault(key, options[key], kind)) for key in given if key in misfits)
        if wrong or misfits:
            faults += wrong.values()
        else:
            subject = replace(
                subject, **{field_of(kind): table}, detailed=subject.detailed or required in given
            )
    return subject, faults


def _called(subject: Subject, options: Mapping[str, str]) -> tuple[Subject, list[str]]:
    """The subject with the user's word on its number, which another number has to have too."""
    word = options.get(TEST_NUMBER)
    if word not in (None, "true", "false"):
        return subject, [f"option {TEST_NUMBER}: found {shown(word)}; allowed: true or false"]
    listed = subject.may_be_called and "number" not in options
    return replace(subject, may_be_called=listed or word == "true"), []


def _typed(key: str, value: str) -> object:
    if key in _LISTS:
        return [part.strip() for part in value.split(",")]
    if key in ("family", "version") and value.isdecimal():  # a closed list of numbers takes no text
        return int(value)
    return value


def _as_document(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table as TOML would have held it: lists for tuples."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}


def _fault(key: str, value: str, kind: ProbeKind) -> str:
    found = "text that is not shown here" if key.endswith("_env") else shown(value)
    return f"option {key}: found {found}; allowed: {SITES.allowed.words(('asset', 0, kind, key))}"
