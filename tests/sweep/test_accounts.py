"""Turns with an account: one at a time, and none after a refusal."""

import asyncio

import pytest

from nethealth.sweep import RunAccounts


def test_the_second_waits_and_finds_the_account_refused() -> None:
    async def scene() -> list[str]:
        accounts = RunAccounts()
        told: list[str] = []

        async def check(name: str) -> None:
            async with accounts.attempt("probe by PASSWORD", f"probe at {name}") as attempt:
                if attempt is None:
                    told.append(f"{name} spared")
                    return
                told.append(f"{name} tries")
                await asyncio.sleep(0.01)
                attempt.refused = True

        await asyncio.gather(check("a"), check("b"))
        async with accounts.attempt("probe by OTHER", "probe at a") as attempt:
            told.append(f"same user at a: {attempt}")
        async with accounts.attempt("probe by OTHER", "probe at c") as attempt:
            told.append("elsewhere: tries" if attempt is not None else "elsewhere: spared")
        return told

    assert asyncio.run(scene()) == [
        "a tries", "b spared", "same user at a: None", "elsewhere: tries",
    ]  # fmt: skip


def test_one_that_is_cut_short_gives_its_turn_back() -> None:
    async def scene() -> bool:
        accounts = RunAccounts()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), accounts.attempt("a"):
                await asyncio.Event().wait()
        async with asyncio.timeout(1), accounts.attempt("a") as attempt:
            return attempt is not None

    assert asyncio.run(scene())
