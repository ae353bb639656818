"""Streams of RTP whose every fault is written into the packets, and what must be found of it."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nethealth.passive.announced import AnnouncedMedia, Encoding, MediaBook
from nethealth.quality.burst import burst_gap
from nethealth.quality.delay import percentile
from nethealth.quality.jitter import interarrival_jitter
from nethealth.quality.loss import loss_statistics
from tests.passive.rtp_script import START_NS, Sent, analysed, between, speech, stream_of

RUNS = (1_000_000, 7, 1)  # all at once, and cut up: the same must come out


@pytest.mark.parametrize("run", RUNS)
def test_lost_duplicated_and_reordered_packets_are_each_counted_as_such(run: int) -> None:
    sent = speech(200, first=65_500)  # the sequence number wraps on the way
    late = replace(sent[50], at_ms=sent[53].at_ms + 1)
    copy = replace(sent[80], at_ms=sent[80].at_ms + 0.3)
    delivered = sorted(
        [
            *(packet for n, packet in enumerate(sent) if n not in (50, 100, 101, 150)),
            late,
            copy,
        ],
        key=lambda packet: packet.at_ms,
    )
    stream = stream_of(delivered, run=run)
    assert (stream.expected, stream.received) == (200, 198)
    assert (stream.duplicated, stream.reordered, stream.loss.lost) == (1, 1, 3)
    assert (stream.loss.run_count, stream.loss.run_max) == (2, 2)
    assert (stream.restarts, stream.strays) == (0, 0)
    assert stream.ends.source == "198.18.0.1"
    assert stream.codec == "PCMA"
    assert (stream.packet_s, stream.clock_hz) == (0.02, 8000)
    assert stream.dscps == {46: 198}


def test_many_duplicates_hide_no_loss() -> None:
    sent = [packet for n, packet in enumerate(speech(100)) if n not in (20, 21)]
    twice = sorted([*sent, *(replace(p, at_ms=p.at_ms + 0.1) for p in sent)], key=lambda p: p.at_ms)
    stream = stream_of(twice)
    assert (stream.expected, stream.received, stream.duplicated) == (100, 196, 98)
    assert stream.loss.lost == 2


@pytest.mark.parametrize("run", RUNS)
def test_a_packet_from_before_the_first_one_moves_the_beginning(run: int) -> None:
    sent = speech(60)
    stream = stream_of([sent[2], sent[3], replace(sent[0], at_ms=70), *sent[4:]], run=run)
    assert (stream.expected, stream.received, stream.reordered, stream.loss.lost) == (60, 59, 1, 1)


@pytest.mark.parametrize("run", RUNS)
def test_a_sender_that_begins_again_lost_nothing(run: int) -> None:
    first = speech(60)
    again = [
        replace(packet, at_ms=packet.at_ms + 1200, timestamp=packet.timestamp + 90_000_000)
        for packet in speech(60, first=30_000)
    ]
    stream = stream_of([*first, *again], run=run)
    assert (stream.expected, stream.received, stream.restarts, stream.loss.lost) == (120, 120, 1, 0)
    assert stream.jitter_max_s == 0


@pytest.mark.parametrize("run", RUNS)
def test_an_outage_that_the_time_stamps_know_of_is_loss(run: int) -> None:
    sent = speech(5100)
    stream = stream_of([*sent[:60], *sent[5000:]], run=run)
    assert (stream.expected, stream.loss.lost, stream.restarts) == (5100, 4940, 0)
    assert (stream.loss.run_count, stream.loss.run_max) == (1, 4940)
    # More than half of the numbers: 65,536 of them are gone once round.
    long = speech(70_100)
    stream = stream_of([*long[:60], *long[70_000:]], run=run)
    assert (stream.expected, stream.loss.lost) == (70_100, 69_940)


@pytest.mark.parametrize("run", RUNS)
def test_one_stray_number_restarts_nothing(run: int) -> None:
    sent = speech(100)
    sent[40] = replace(sent[40], sequence=20_000)
    stream = stream_of(sent, run=run)
    assert (stream.received, stream.strays, stream.restarts) == (100, 1, 0)
    assert stream.loss.lost == 1


@pytest.mark.parametrize("run", RUNS)
def test_silence_is_no_loss(run: int) -> None:
    spoken = speech(100)
    after = [
        replace(packet, at_ms=packet.at_ms + 1000, timestamp=packet.timestamp + 8000, marker=n == 0)
        for n, packet in enumerate(speech(200)[100:])
    ]
    stream = stream_of([*spoken, *after], run=run)
    assert (stream.loss.lost, stream.silences, stream.silence_s) == (0, 1, 1.0)
    assert stream.jitter_max_s == 0


def test_one_ssrc_between_two_pairs_of_endpoints_is_two_streams() -> None:
    here = speech(100)
    there = between(here, ("198.18.0.2", 20_000), ("198.18.0.1", 16_384))
    elsewhere = between(here, ("198.18.0.9", 4000), ("198.18.0.2", 20_000))
    mixed = sorted([*here, *there, *elsewhere], key=lambda packet: packet.at_ms)
    streams = analysed(mixed)
    assert len(streams) == 3
    reverse = {stream.ends.source: stream.reverse_packets for stream in streams}
    assert reverse == {"198.18.0.1": 100, "198.18.0.2": 100, "198.18.0.9": 0}


def test_a_sender_whose_clock_is_slow_is_found() -> None:
    stream = stream_of(speech(3000, step_ms=20 * (1 + 250e-6)))
    assert stream.clock_error_ppm == pytest.approx(250, abs=0.1)
    assert stream_of(speech(3000)).clock_error_ppm == pytest.approx(0, abs=0.1)


def test_packets_beyond_the_jitter_buffer_are_late() -> None:
    sent = speech(100)
    sent[30] = replace(sent[30], at_ms=sent[30].at_ms + 39)
    assert stream_of(sorted(sent, key=lambda packet: packet.at_ms)).late == 0
    sent[60] = replace(sent[60], at_ms=sent[60].at_ms + 41)  # behind two others by then
    stream = stream_of(sorted(sent, key=lambda packet: packet.at_ms))
    assert (stream.late, stream.reordered, stream.loss.lost) == (1, 2, 0)


@st.composite
def journeys(draw: st.DrawFn) -> tuple[list[Sent], list[bool]]:
    """A stream through a network that loses, delays and doubles; and which were received."""
    generator = Random(draw(st.integers(0, 10**6)))
    count = draw(st.integers(40, 400))
    loss = draw(st.sampled_from((0.0, 0.02, 0.3)))
    spread_ms = draw(st.sampled_from((0.0, 5.0, 60.0)))
    received = [n in (0, count - 1) or generator.random() >= loss for n in range(count)]
    delivered = []
    for packet, got in zip(speech(count, first=generator.randrange(65_536)), received, strict=True):
        if got:
            at_ms = round(packet.at_ms + 100 + generator.random() * spread_ms, 3)
            delivered.append(replace(packet, at_ms=at_ms))
            if generator.random() < 0.02:
                delivered.append(replace(packet, at_ms=at_ms + 0.2))
    return sorted(delivered, key=lambda packet: packet.at_ms), received


@given(journeys(), st.sampled_from(RUNS))
@settings(max_examples=60, deadline=None)
def test_columns_say_what_the_scalar_statistics_say(
    journey: tuple[list[Sent], list[bool]], run: int
) -> None:
    delivered, received = journey
    first = min(delivered, key=lambda packet: packet.timestamp)
    numbers = [(packet.timestamp - first.timestamp) // 160 for packet in delivered]
    book = MediaBook()  # too few may be left to prove a stream
    book.announce(AnnouncedMedia("198.18.0.2", 20_000, 0))
    (stream,) = analysed(delivered, book=book, run=run)
    loss = loss_statistics(received)
    assert (stream.expected, stream.loss.lost) == (loss.sent, loss.lost)
    assert (stream.loss.run_count, stream.loss.run_max) == (loss.run_count, loss.run_max)
    assert stream.duplicated == len(numbers) - len(set(numbers))
    highest, seen, reordered = -1, set[int](), 0
    for number in numbers:
        reordered += number not in seen and number < highest
        seen.add(number)
        highest = max(highest, number)
    assert stream.reordered == reordered
    jitter = interarrival_jitter(
        [packet.timestamp for packet in delivered],
        [packet.at_ms / 1000 for packet in delivered],
        clock_rate_hz=8000,
    )
    assert jitter is not None
    assert stream.jitter_mean_s == pytest.approx(jitter.mean_s, abs=1e-9)
    assert stream.jitter_max_s == pytest.approx(jitter.max_s, abs=1e-9)
    bursts = burst_gap(received)
    assert stream.loss.burst_count == len(bursts.bursts)
    assert stream.loss.burst_density == pytest.approx(bursts.burst_density)
    assert stream.loss.gap_density == pytest.approx(bursts.gap_density)


def test_random_datagrams_make_no_stream() -> None:
    generator = Random(1)
    ends = [(f"198.18.1.{n}", generator.randrange(1024, 65_536)) for n in range(20)]
    noise = [
        replace(
            packet,
            sequence=generator.randrange(65_536),
            timestamp=generator.randrange(1 << 32),
            payload_type=generator.choice((0, 8, 97)),
            source=generator.choice(ends),
            destination=ends[0],
        )
        for packet in speech(5000)
    ]
    assert analysed(noise) == ()


@pytest.mark.parametrize("wrong", ["constant", "no clock", "backwards"])
def test_a_constant_word_alone_proves_nothing(wrong: str) -> None:
    sent = speech(300)
    if wrong == "constant":
        sent = [replace(packet, sequence=9, timestamp=9) for packet in sent]
    elif wrong == "no clock":
        sent = [replace(packet, timestamp=packet.sequence) for packet in sent]
    else:
        sent = [replace(packet, sequence=-packet.sequence) for packet in sent]
    assert analysed(sent) == ()


def test_what_was_announced_needs_no_proof() -> None:
    few = [replace(packet, payload_type=97, payload=bytes(38)) for packet in speech(5)]
    assert analysed(few) == ()
    book = MediaBook()
    book.announce(
        AnnouncedMedia(
            "198.18.0.2", 20_000, START_NS - 5, encodings={97: Encoding("iLBC", 8000)}, call_id="c"
        )
    )
    (stream,) = analysed(few, book=book)
    assert (stream.known_by, stream.codec, stream.received) == ("signalling", "iLBC", 5)


def test_digits_between_speech_are_of_the_same_stream() -> None:
    sent = speech(100)
    for n in range(50, 53):
        sent[n] = replace(sent[n], payload_type=101, timestamp=sent[50].timestamp, payload=bytes(4))
    stream = stream_of(sent)
    assert stream.payload_types == {8: 97, 101: 3}
    assert (stream.codec, stream.loss.lost) == ("PCMA", 0)


def test_a_capture_whose_clock_jumps_about_has_no_jitter() -> None:
    generator = Random(2)
    book = MediaBook()
    book.announce(AnnouncedMedia("198.18.0.2", 20_000, 0))
    mad = [replace(packet, at_ms=generator.randrange(10**12)) for packet in speech(100)]
    (stream,) = analysed(mad, book=book)
    assert stream.clock_broken
    assert stream.jitter_max_s is None


def test_candidates_that_come_to_nothing_are_forgotten() -> None:
    generator = Random(3)
    noise = [
        Sent(n * 1.0, generator.randrange(65_536), 0, ssrc=generator.randrange(1 << 32))
        for n in range(70_000)
    ]
    call = [replace(packet, ssrc=1) for packet in speech(3500)]
    everything = sorted([*noise, *call], key=lambda packet: packet.at_ms)
    stream = stream_of(everything, run=20_000)
    assert (stream.received, stream.loss.lost) == (3500, 0)


@pytest.mark.parametrize("run", RUNS)
def test_delay_variation_is_the_scalar_percentile_to_its_resolution(run: int) -> None:
    generator = Random(9)
    above_ms = [0.0, *(generator.expovariate(1 / 8) for _ in range(999))]
    delivered = [
        replace(packet, at_ms=packet.at_ms + above)
        for packet, above in zip(speech(1000), above_ms, strict=True)
    ]
    stream = stream_of(sorted(delivered, key=lambda packet: packet.at_ms), run=run)
    for found, share in ((stream.pdv_p95_s, 0.95), (stream.pdv_p99_s, 0.99)):
        exact_ms = percentile(above_ms, share)
        assert found is not None
        assert 0.97 * exact_ms <= found * 1000 <= 1.14 * exact_ms
