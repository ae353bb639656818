"""Syslog by the examples of RFC 5424 section 6.5 and RFC 3164 section 5.4, and as files have it."""

import io
import itertools
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from nethealth.wire.errors import WireError
from nethealth.wire.syslog import MESSAGE_MAX, Message, Years, frames, parse, yearless

BOM = b"\xef\xbb\xbf"


def read(text: bytes, year: int = 1987) -> Message:
    return parse(text, Years(year))


def local(*parts: int) -> datetime:
    """A time without a zone."""
    year, month, day, hour, minute, second, microsecond = (*parts, 0, 0, 0)[:7]
    whole = datetime(year, month, day, hour, minute, second, microsecond, UTC)
    return whole.replace(tzinfo=None)


def test_5424_example_1_without_structured_data() -> None:
    one = read(
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
        + BOM
        + b"'su root' failed for lonvick on /dev/pts/8"
    )
    assert (one.form, one.facility, one.severity) == ("rfc5424", 4, 2)
    assert one.time == datetime(2003, 10, 11, 22, 14, 15, 3000, UTC)
    assert (one.host, one.program, one.process, one.message_id) == (
        "mymachine.example.com", "su", None, "ID47",
    )  # fmt: skip
    assert one.text == "'su root' failed for lonvick on /dev/pts/8"
    assert one.structured == {}


def test_5424_example_2_with_a_zone() -> None:
    one = read(
        b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - "
        b"%% It's time to make the do-nuts."
    )
    assert (one.facility, one.severity, one.process, one.message_id) == (20, 5, "8710", None)
    assert one.time == datetime(2003, 8, 24, 5, 14, 15, 3, timezone(timedelta(hours=-7)))
    assert one.text == "%% It's time to make the do-nuts."


def test_5424_example_3_with_structured_data() -> None:
    one = read(
        b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
        b'[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] '
        + BOM
        + b"An application event log entry..."
    )
    assert one.structured == {
        "exampleSDID@32473": {"iut": "3", "eventSource": "Application", "eventID": "1011"}
    }
    assert one.text == "An application event log entry..."


def test_5424_example_4_with_structured_data_only() -> None:
    one = read(
        b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
        b'[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]'
        b'[examplePriority@32473 class="high"]'
    )
    assert one.structured["examplePriority@32473"] == {"class": "high"}
    assert one.text == ""


@pytest.mark.parametrize(
    ("time", "moment"),
    [  # section 6.2.3.1
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520000, UTC)),
        ("1985-04-12T19:20:50.52-04:00", datetime(1985, 4, 12, 23, 20, 50, 520000, UTC)),
        ("2003-08-24T05:14:15.000000003-07:00", None),
    ],
)
def test_5424_times(time: str, moment: datetime | None) -> None:
    line = f"<34>1 {time} host app - - -".encode()
    if moment is None:
        with pytest.raises(WireError, match="no time of RFC 5424"):
            read(line)
    else:
        assert read(line).time == moment


def test_5424_escapes_in_structured_data() -> None:
    one = read(rb'<13>1 2003-10-11T22:14:15Z h a - - [x@1 a="q\"b\\c\]d\n"] text')
    assert one.structured == {"x@1": {"a": 'q"b\\c]d\\n'}}  # section 6.3.3: \n stays as it is
    assert one.text == "text"


def test_5424_says_how_far_the_clock_may_be_off() -> None:
    """Section 7.1.4: microseconds, and only of a clock that is synchronised."""
    line = b'<13>1 2003-10-11T22:14:15Z h a - - [timeQuality tzKnown="1" isSynced="%d" syncAccuracy="60000000"]'  # noqa: E501
    assert read(line % 1).accuracy_s == 60.0
    assert read(line % 0).accuracy_s is None


def test_3164_example_1() -> None:
    one = read(b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8")
    assert (one.form, one.facility, one.severity) == ("rfc3164", 4, 2)
    assert one.time == local(1987, 10, 11, 22, 14, 15)
    assert (one.host, one.program) == ("mymachine", "su")
    assert one.text == "'su root' failed for lonvick on /dev/pts/8"


def test_3164_example_2_before_and_after_the_relay() -> None:
    with pytest.raises(WireError, match="no time"):
        read(b"Use the BFG!")
    one = read(b"<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!")
    assert (one.facility, one.severity) == (1, 5)
    assert (one.host, one.program, one.text) == ("10.0.0.99", None, "Use the BFG!")
    assert one.time == local(1987, 2, 5, 17, 32, 18)


def test_3164_example_3_whose_host_would_be_construed_to_be_cst() -> None:
    one = read(b"<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time")
    assert one.host == "CST"
    assert one.text == "1987 mymachine myproc[10]: %% It's time"


def test_3164_example_4_has_no_time_of_its_form() -> None:
    with pytest.raises(WireError, match="no time"):
        read(b"<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's")


def test_files_leave_the_priority_out_and_write_full_times() -> None:
    one = read(b"2026-11-25T09:00:00.250000+00:00 hall-dhcp dnsmasq-dhcp[812]: no address")
    assert (one.host, one.program, one.process) == ("hall-dhcp", "dnsmasq-dhcp", "812")
    assert one.time == datetime(2026, 11, 25, 9, 0, 0, 250000, UTC)
    assert one.facility is None


def test_two_spaces_before_the_host() -> None:
    one = read(b"Apr  9 12:41:18  hall-r1 mib2d[4086]: SNMP_TRAP_LINK_DOWN: ifIndex 550")
    assert (one.host, one.program) == ("hall-r1", "mib2d")


def test_the_time_of_the_device_behind_that_of_the_server() -> None:
    line = (
        b"Nov 25 09:00:01 sw1 123: *Nov 25 09:00:00.500%s: %%LINK-3-UPDOWN: Interface Gi0/1, down"
    )
    own = read(line % b" UTC", 2026)
    assert own.sent == datetime(2026, 11, 25, 9, 0, 0, 500000, UTC)
    assert own.program == "%LINK-3-UPDOWN"
    assert own.text == "Interface Gi0/1, down"
    assert read(line % b"", 2026).sent == local(2026, 11, 25, 9, 0, 0, 500000)
    assert read((line % b" UTC").replace(b": %", b":  %"), 2026).sent == own.sent
    assert read(line % b" CEST", 2026).sent is None  # an offset that the name alone does not tell


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"<192>Oct 11 22:14:15 h a: b", "priority 192"),
        (b"<34>1 - host app - - -", "without a time"),
        (b"<34>1 2003-13-11T22:14:15Z host app - - -", "no moment"),
        (b"<34>1 2003-10-11T22:14:15Z host app - - ", "neither structured data nor -"),
        (b'<34>1 2003-10-11T22:14:15Z host app - - [a b="c" text', "does not end"),
        (b"<34>1 2003-10-11T22:14:15Z host", "no whole header"),
        (b"Feb 30 09:00:00 host a: b", "no moment"),
        (b"Feb 20 09:00:00", "no host"),
    ],
)
def test_what_is_no_syslog_is_named(line: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        read(line)


def test_a_year_ends_and_a_late_message_belongs_to_the_year_before() -> None:
    years = Years(2025)
    assert [years.of(month) for month in (11, 12, 1, 12, 1, 2)] == [
        2025, 2025, 2026, 2025, 2026, 2026,
    ]  # fmt: skip
    assert yearless(b"<34>Feb 29 09:00:00 h a: b", 2024) == local(2024, 2, 29, 9)
    assert yearless(b"<34>Feb 29 09:00:00 h a: b", 2025) is None
    assert yearless(b"2026-11-25T09:00:00Z h a: b", 2024) is None


def test_lines_and_lengths_part_messages() -> None:
    first, second = b"<34>1 a\nb", b"<35>1 second"
    counted = b"%d %b%d %b" % (len(first), first, len(second), second)  # RFC 6587 section 3.4.1
    assert [one.octets for one in frames(io.BytesIO(counted))] == [first, second]
    assert [one.octets for one in frames(io.BytesIO(counted + b"\n" + counted))] == [
        first, second, first, second,
    ]  # fmt: skip
    lined = list(frames(io.BytesIO(b"one\r\n\ntwo\nthree")))
    assert [(one.number, one.octets) for one in lined] == [(1, b"one"), (3, b"two"), (4, b"three")]
    wrong = list(frames(io.BytesIO(b"99999 <34>1 cut short")))
    assert [one.octets for one in wrong] == [b"<34>1 cut short"]


def test_a_long_line_is_cut_and_the_next_one_is_whole() -> None:
    long = b"x" * (5 * MESSAGE_MAX)
    found = list(frames(io.BytesIO(long + b"\nnext\n" + long)))
    assert [(len(one.octets), one.cut) for one in found] == [
        (MESSAGE_MAX, True), (4, False), (MESSAGE_MAX, True),
    ]  # fmt: skip


def test_any_octets_are_a_message_or_a_wire_error() -> None:
    dice = random.Random(5424)
    seeds = (
        b'<165>1 2003-10-11T22:14:15.003Z h a - ID [x@1 a="b"] text',
        b"Nov 25 09:00:01 sw1 123: *Nov 25 09:00:00.5 UTC: %LINK-3-UPDOWN: x",
        b"12 <34>1 a\n<13>Feb 29 17:32:18 h b",
    )
    read_count = 0
    for seed, _ in itertools.product(seeds, range(300)):
        octets = bytearray(seed)
        for _ in range(dice.randrange(1, 4)):
            octets[dice.randrange(len(octets))] = dice.choice(b'\x00\xff\n"[]<> 019Z')
        for frame in frames(io.BytesIO(bytes(octets))):
            try:
                read_count += parse(frame.octets, Years(2026)).time is not None
            except WireError:
                continue
    assert read_count > 100
