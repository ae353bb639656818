"""Who may be called: a number of the inventory, or one that the user vouches for; never 999."""

from dataclasses import replace

import pytest

from nethealth.inventory import InventoryError, parse
from nethealth.model.check import CallParameters
from nethealth.model.inventory import Asset, CallOptions
from nethealth.plan import TargetError, plan_inventory, plan_targets

SITES = '[[council]]\nid = "c"\nname = "C"\n[[site]]\nid = "hall"\ncouncil = "c"\nname = "Hall"\n'
PBX = SITES + '[[asset]]\nid = "pbx"\nsite = "hall"\nkind = "pbx"\naddress = "198.18.2.10"\n'
CALLED = PBX + 'checks = ["call"]\n[asset.call]\nnumber = "sip:echo@198.18.2.10:5070"\n'
VOUCHED = {"test-number": "true"}


def test_a_number_of_the_inventory() -> None:
    (check,) = plan_inventory(parse(CALLED))
    assert (check.id, check.target) == ("pbx:call", "sip:echo@198.18.2.10:5070")
    assert check.parameters == CallParameters(
        "sip:echo@198.18.2.10:5070", "198.18.2.10", 5070, "udp", 10, 20, ("PCMA", "PCMU"), 46
    )
    assert plan_targets(["pbx"], parse(CALLED), probes=("call",)) == (check,)
    options = {"duration_s": "30", "codecs": "G722, PCMA", "ring_timeout_s": "40"}
    (longer,) = plan_targets(["pbx"], parse(CALLED), probes=("call",), options=options)
    assert isinstance(longer.parameters, CallParameters)
    assert longer.parameters.codecs == ("G722", "PCMA")
    assert longer.deadline_s == 74


@pytest.mark.parametrize("target", ["sip:echo@198.18.2.10", "sips:200@pbx.example;transport=tcp"])
def test_a_number_that_the_user_vouches_for(target: str) -> None:
    (check,) = plan_targets([target], None, probes=("call",), options=VOUCHED)
    assert (check.id, check.target) == (f"{target}:call", target)
    for options in ({}, {"test-number": "false"}):
        with pytest.raises(TargetError, match="is no test number of the inventory; --option test"):
            plan_targets([target], None, probes=("call",), options=options)


def test_another_number_for_an_asset_needs_the_word_too() -> None:
    options = {"number": "sip:200@198.18.2.10"}
    with pytest.raises(TargetError, match="is no test number of the inventory"):
        plan_targets(["pbx"], parse(CALLED), probes=("call",), options=options)
    (check,) = plan_targets(["pbx"], parse(CALLED), probes=("call",), options=options | VOUCHED)
    assert check.target == "sip:200@198.18.2.10"


@pytest.mark.parametrize(
    "number",
    ["sip:112@198.18.2.10", "sip:9999@pbx", "sip:%31%31%32@pbx", "sip:+44-101@pbx;user=phone",
     "sip:0,18000@pbx", "sip:111"],
)  # fmt: skip
def test_no_word_lets_an_emergency_number_through(number: str) -> None:
    for options in (VOUCHED, {}):
        with pytest.raises(TargetError):
            plan_targets([number], None, probes=("call",), options=options)
        with pytest.raises(TargetError, match="never called"):
            plan_targets(
                ["pbx"], parse(CALLED), probes=("call",), options={**options, "number": number}
            )
    with pytest.raises(
        InventoryError, match=r"sites\.toml:15: .*call\.number: found .*never called"
    ):
        parse(CALLED.replace("sip:echo@198.18.2.10:5070", number))
    unread = replace(
        parse(PBX),
        asset=(
            Asset(
                id="pbx", site="hall", kind="pbx", checks=("call",), call=CallOptions(number=number)
            ),
        ),
    )
    with pytest.raises(TargetError, match="never called"):
        plan_targets(["pbx"], unread, probes=("call",))
    with pytest.raises(ValueError, match="never called"):
        plan_inventory(replace(unread, asset=(replace(unread.asset[0], address="198.18.2.10"),)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("test-number=yes", 'option test-number: found "yes"; allowed: true or false'),
        ("duration_s=61", "option duration_s"),
        ("ring_timeout_s=0", "option ring_timeout_s"),
        ("codecs=OPUS", "option codecs"),
        ("test-nunber=true", 'did you mean "test-number"'),
    ],
)  # fmt: skip
def test_options_that_are_wrong(text: str, words: str) -> None:
    key, _, value = text.partition("=")
    with pytest.raises(TargetError, match=words):
        plan_targets(
            ["sip:echo@198.18.2.10"], None, probes=("call",), options={**VOUCHED, key: value}
        )


def test_the_word_means_nothing_to_other_probes() -> None:
    with pytest.raises(TargetError, match=r'"test-number" is no key of sip'):
        plan_targets(["sip:echo@198.18.2.10"], None, options=VOUCHED)


def account(text: str, target: str = "pbx") -> tuple[str | None, str | None]:
    (check,) = plan_targets([target], parse(text), probes=("call",))
    assert isinstance(check.parameters, CallParameters)
    return check.parameters.username, check.parameters.password_env


LOGIN = 'username = "probe"\npassword_env = "SECRET"\n'


def test_whose_credentials_a_call_bears() -> None:
    """Its own; else those of the SIP server, if the call goes to that very host."""
    assert account(CALLED) == (None, None)
    assert account(CALLED + LOGIN) == ("probe", "SECRET")
    assert account(CALLED + "[asset.sip]\n" + LOGIN) == ("probe", "SECRET")
    elsewhere = CALLED.replace("echo@198.18.2.10", "echo@198.18.2.66") + "[asset.sip]\n" + LOGIN
    assert account(elsewhere) == (None, None), "the server that is called is another"
    named = CALLED + '[asset.sip]\nuri = "sip:198.18.2.99"\n' + LOGIN
    assert account(named) == (None, None)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('username = "probe"\n', "call.username: found a user name without a password"),
        ('password_env = "X"\n', "call.password_env: found a password without a user name"),
        ('username = "a\\nb"\npassword_env = "X"\n', "call.username: found"),
        ("every_minutes = 0.5\n", "call.every_minutes"),
    ],
)
def test_half_an_account_is_a_slip(more: str, words: str) -> None:
    with pytest.raises(InventoryError, match=words):
        parse(CALLED + more)


def test_a_call_needs_a_number() -> None:
    with pytest.raises(TargetError, match="call needs a number"):
        plan_targets(["198.18.2.10"], None, probes=("call",), options=VOUCHED)
    with pytest.raises(InventoryError, match=r'"call" without a table \[asset.call\]'):
        parse(PBX + 'checks = ["call"]\n')


def test_a_call_fits_into_the_deadline() -> None:
    with pytest.raises(InventoryError, match=r"20 s to ring \+ 20 s \+ 4 s to hang up = 44 s"):
        parse(CALLED + "duration_s = 20\n")
    parse(CALLED + "duration_s = 20\nring_timeout_s = 11\n")
