"""SIPp calls SIPp over a link that loses, and a capture of it tells what both of them counted."""

import csv
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.sip import SipAnalysis
from probes.capture.reader import Reader

pytestmark = pytest.mark.lab
CALLS = 40
# In a namespace of its own. What is lost is lost behind the capture, at the receiver's door, so
# that the capture has every copy that SIPp sent.
_SCRIPT = f"""
ip link set lo up
tcpdump -i lo --immediate-mode -U -w calls.pcap udp port 5060 2>/dev/null &
capture=$!
for turn in 1 2 3 4 5 6 7 8 9 10; do [ -s calls.pcap ] && break; sleep 0.2; done
iptables -A INPUT -p udp --dport 5060 -m statistic --mode random --probability 0.12 -j DROP
sipp -sn uas -i 127.0.0.1 -p 5060 -nostdin -trace_stat -stf callee.csv -fd 1 >callee.log 2>&1 &
callee=$!
sleep 0.5
sipp -sn uac -i 127.0.0.1 -p 5070 -m {CALLS} -r 20 -d 300 -nostdin -trace_stat -stf caller.csv \\
    -fd 1 127.0.0.1:5060 >caller.log 2>&1
ended=$?
sleep 2
kill "$capture" "$callee"
wait "$capture"
exit "$ended"
"""


def told(path: Path) -> dict[str, str]:
    """The last line of SIPp's statistics."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))[-1]


def test_calls_over_a_lossy_link_as_sipp_counts_them(tmp_path: Path) -> None:
    (tmp_path / "calls.sh").write_text(_SCRIPT)
    done = subprocess.run(
        ["unshare", "--net", "sh", "calls.sh"], cwd=tmp_path, timeout=120, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    caller, callee = told(tmp_path / "caller.csv"), told(tmp_path / "callee.csv")
    assert int(caller["SuccessfulCall(C)"]) == CALLS
    analysis = SipAnalysis(Revealed(), MediaBook())
    for packets in Reader([str(tmp_path / "calls.pcap")]):
        analysis.feed(packets)
    list(analysis.finish())
    calls = analysis.calls.results
    assert Counter(call.outcome for call in calls) == {"answered": CALLS}
    assert {call.ended_by for call in calls} == {"caller"}
    # Where the ACK was lost, SIPp's caller takes the 200 that is sent again for the answer to its
    # BYE, and is content; the capture shows that none came.
    unanswered = [call for call in calls if call.bye_answered_ns is None]
    assert all(dict(call.copies).get("200 to INVITE", 0) > 0 for call in unanswered)
    # Each side's own count of what it sent again; the callee sends nothing again but its 200.
    copies = analysis.calls.copies
    ours, theirs = copies["INVITE"] + copies["BYE"], int(caller["Retransmissions(C)"])
    # SIPp also counts an ACK that it sends again because a slow machine's 200 came again.
    assert 0 < ours <= theirs <= ours + acknowledged_again(tmp_path / "calls.pcap")
    assert copies["200 to INVITE"] == int(callee["Retransmissions(C)"])
    # SIPp's response time runs from the INVITE to its 200, on average, in whole milliseconds.
    delays = [call.answer_delay_s for call in calls if call.answer_delay_s is not None]
    assert len(delays) == CALLS
    mean_s = sum(delays) / len(delays)
    assert mean_s == pytest.approx(seconds(caller["ResponseTime1(C)"]), abs=0.02 + 0.1 * mean_s)


def acknowledged_again(path: Path) -> int:
    """ACKs that a call had before, by tshark."""
    done = subprocess.run(
        ("tshark", "-n", "-r", path, "-Y", 'sip.Method == "ACK"', "-T", "fields",
         "-e", "sip.Call-ID"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    calls = done.stdout.split()
    return len(calls) - len(set(calls))


def seconds(clock: str) -> float:
    """`00:00:00:067000`: hours, minutes, seconds and microseconds."""
    hours, minutes, whole, micro = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + whole + micro / 1e6
