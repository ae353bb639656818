"""nat against our own reflector on loopback, and against witnesses that lie."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from nethealth.model.check import NatParameters
from nethealth.model.failure import Failure
from nethealth.protocol.witness import Listening, Say
from nethealth.wire.witness import Bound, Spoken, Told, Welcome, Word
from tests.peers import reflector
from tests.peers.ports import free_row
from tests.probes import lying_witness
from tests.probes.driver import Seen, drive, observe
from tests.probes.lying_witness import HERE, Twist, lying, plainly, truly


def asked(
    twist: Twist = truly,
    speak: lying_witness.Spoken = plainly,
    *,
    most_s: float = 1.5,
    listening: Callable[[Listening], Listening] = lambda it: it,
) -> Seen:
    async def run() -> Seen:
        async with lying(twist, speak, listening=listening) as ports:
            parameters = NatParameters(
                HERE, ports.control, least_s=1, most_s=most_s, bindings=1, timeout_s=0.6
            )
            return await observe("nat", parameters)

    return asyncio.run(run())


def test_loopback_translates_filters_and_forgets_nothing(tmp_path: Path) -> None:
    control = free_row(3)
    more = ("--control-port", str(control), "--bind", "127.0.0.2")
    with reflector.serving(tmp_path, HERE, control + 2, "127.0.0.0/8", more=more) as process:
        process.wait_bound("tcp", control)
        seen = drive("nat", NatParameters(HERE, control, least_s=1, most_s=1.5))
    assert seen.completed()
    assert seen.value("nat_translated") is False
    assert seen.value("nat_mapping") == "none"
    assert seen.value("nat_filtering") == "endpoint-independent"
    assert seen.value("nat_port_preserved_ratio") == 1
    lived = seen.only("nat_binding_lifetime_s")
    assert (lived.value, lived.interval, lived.method["lost_after_s"]) == (1.5, None, None)


def test_with_one_address_it_says_what_it_cannot_tell() -> None:
    seen = asked()
    assert seen.value("nat_filtering") == "not port-dependent"
    assert "--bind twice" in str(seen.only("nat_filtering").method["missing"])


def test_nothing_is_sent_to_an_address_that_is_not_near() -> None:
    far = asked(lambda told: (replace(told, other_address="127.9.9.9"),)
                if isinstance(told, Welcome) else (told,))  # fmt: skip
    assert far.completed()
    assert not any("127.9.9.9" in str(each.method) for each in far.observations)


def dies_after(lifetime_s: float) -> lying_witness.Spoken:
    """A path that lets no word through that comes so long after the binding's opening."""
    opened: dict[tuple[str, int], float] = {}

    def speak(say: Say) -> Iterable[tuple[bytes, str]]:
        now_s = asyncio.get_running_loop().time()
        peer = (say.address, say.port)
        if Word.parse(say.data).serial == 0:
            opened[peer] = now_s
        return ((say.data, HERE),) if now_s - opened[peer] < lifetime_s else ()

    return speak


def test_the_lifetime_of_a_binding_is_between_its_bounds() -> None:
    seen = asked(speak=dies_after(2.2), most_s=6)
    assert seen.completed()
    lived = seen.only("nat_binding_lifetime_s")
    assert isinstance(lived.value, float)
    assert lived.interval is not None
    # three words are spoken within 0.2 s, so that the first of them decides
    assert lived.value < 2.3
    assert lived.interval[1] > 1.6  # where this machine is busy, words are spoken late
    assert lived.interval[1] - lived.interval[0] <= 1.0
    assert lived.method["lost_count"] == lived.method["lost_of"]
    assert lived.method["reopened_count"] == lived.method["reopened_of"] == lived.method["lost_of"]


def test_words_from_a_third_address_are_not_believed() -> None:
    seen = asked(speak=lambda say: ((say.data, "127.0.0.2"),))
    assert seen.failed(Failure.WRONG_SOURCE), seen.end
    assert seen.value("nat_binding_lifetime_s") is None
    assert seen.value("witness_rejected_count", reason="from another address") >= 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:4] + bytes(16) + data[20:], "for a binding that is none of ours"),
        (lambda data: data + b"x", "no word of a witness"),
        (lambda data: data[:22] + b"\xff\xff", "that was not asked for"),
    ],
    ids=["nonce", "long", "serial"],
)  # fmt: skip
def test_words_that_are_none_of_ours_are_told_and_not_believed(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    seen = asked(speak=lambda say: ((change(say.data), HERE),))
    assert seen.failed(Failure.PROTOCOL), seen.end
    assert seen.value("witness_rejected_count", reason=reason) >= 1
    assert not any(
        each.value for each in seen.observations if each.name == "nat_binding_alive_ratio"
    )


def test_words_that_turn_to_a_third_address_later_end_no_binding() -> None:
    """Each opening is answered as it should be, and every later word comes from elsewhere."""
    seen = asked(
        speak=lambda say: (
            plainly(say) if Word.parse(say.data).serial == 0 else ((say.data, "127.0.0.2"),)
        )
    )
    assert "nat_binding_alive_ratio" not in seen.names()
    assert seen.failed(Failure.WRONG_SOURCE), seen.end


def test_a_word_of_before_keeps_no_binding_alive() -> None:
    first: dict[int, bytes] = {}

    def speak(say: Say) -> Iterable[tuple[bytes, str]]:
        word = first.setdefault(say.port, say.data)
        return ((word, HERE),)

    seen = asked(speak=speak)
    assert not any(
        each.value for each in seen.observations if each.name == "nat_binding_alive_ratio"
    )


def test_a_witness_that_says_too_early_that_it_spoke_is_not_believed() -> None:
    def tell(told: Told) -> Iterable[Told | bytes]:
        if isinstance(told, Bound):
            return (told, *(Spoken(told.binding, serial) for serial in range(1, 4)))
        return () if isinstance(told, Spoken) else (told,)

    seen = asked(tell, lambda say: plainly(say) if Word.parse(say.data).serial == 0 else ())
    assert "nat_binding_alive_ratio" not in seen.names()
    assert seen.end.failure in (Failure.PROTOCOL, Failure.TIMEOUT)
    assert "witness_rejected_count" in seen.names()


def test_a_witness_that_never_speaks_leaves_nothing_known() -> None:
    seen = asked(lambda told: () if isinstance(told, Spoken) else (told,), lambda say: ())
    assert seen.end.failure is Failure.TIMEOUT
    assert all(
        each.value is None for each in seen.observations if each.name == "nat_binding_lifetime_s"
    )


def test_no_witness_is_said_with_the_cure() -> None:
    seen = drive("nat", NatParameters(HERE, free_row(1)))
    assert seen.failed(Failure.REFUSED)
    assert "nethealth reflect" in str(seen.end.reason)
