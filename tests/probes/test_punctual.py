"""Threads that wake on time: what they are given for it, and that it is given back."""

import gc
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from probes.punctual import punctual


def in_a_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread of its own, whose scheduling nothing else depends on."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - raised again below
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def policy(thread: int) -> tuple[int, int]:
    """Scheduling policy and priority; what a child would start with is left aside."""
    found = os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK
    return found, os.sched_getparam(thread).sched_priority


def test_both_threads_go_first_and_then_as_usual() -> None:
    helper = threading.get_native_id()
    usual_s = sys.getswitchinterval()

    def work() -> None:
        own = threading.get_native_id()
        with punctual(helper):
            assert policy(own) == (os.SCHED_RR, 3)
            assert policy(helper) == (os.SCHED_RR, 2)
            assert sys.getswitchinterval() < usual_s
            assert not gc.isenabled()
        assert policy(own) == policy(helper) == (os.SCHED_OTHER, 0)

    in_a_thread(work)
    assert sys.getswitchinterval() == usual_s
    assert gc.isenabled()


def test_a_process_that_is_started_meanwhile_starts_as_usual() -> None:
    def work() -> None:
        with punctual(threading.get_native_id()):
            child = os.posix_spawn("/bin/sleep", ["sleep", "30"], {})
            try:
                assert policy(child) == (os.SCHED_OTHER, 0)
            finally:
                os.kill(child, 9)
                os.waitpid(child, 0)

    in_a_thread(work)


def test_without_the_right_to_it_all_goes_on_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    helper = threading.get_native_id()

    def work() -> None:
        with punctual(helper):
            own = threading.get_native_id()
            assert policy(helper) == policy(own) == (os.SCHED_OTHER, 0)
            assert Path(f"/proc/{own}/timerslack_ns").read_text() == "1\n"

    in_a_thread(work)


def test_a_choice_made_by_somebody_else_stands() -> None:
    helper = threading.get_native_id()

    def work() -> None:
        own = threading.get_native_id()
        os.sched_setscheduler(own, os.SCHED_BATCH, os.sched_param(0))
        with punctual(helper):
            assert policy(own) == (os.SCHED_BATCH, 0)
        assert policy(own) == (os.SCHED_BATCH, 0)

    in_a_thread(work)


def test_a_helper_that_has_ended_meanwhile_is_no_matter() -> None:
    done = threading.Event()
    helper = threading.Thread(target=done.wait)
    helper.start()

    def work() -> None:
        assert helper.native_id is not None
        with punctual(helper.native_id):
            done.set()
            helper.join()

    in_a_thread(work)
