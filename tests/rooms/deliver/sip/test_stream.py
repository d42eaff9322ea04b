"""The audio of one call as packets."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.deliver.sip.order import Utterance
from bocau.deliver.sip.stream import Stream
from bocau.wire.rtp import packet, rtcp
from bocau.wire.rtp.keys import KeyEvent, encode
from bocau.wire.rtp.reception import Report
from bocau.wire.sip.reply import Source
from bocau.wire.sip.sdp import Codec, RemoteMedia

REMOTE = RemoteMedia("192.0.2.9", 30_000, 30_001, Codec.PCMA, 8, 101, True, True)
THERE = Source("192.0.2.9", 30_000)
PROMPT = Utterance(bytes(range(200)), bytes(range(200, 0, -1)))


def connected(remote: RemoteMedia = REMOTE) -> Stream:
    stream = Stream(b"\0\0\0\7\xff\xff\xff\xff\xff\xff", "cname")
    stream.connect(remote)
    return stream


def packets(stream: Stream, count: int) -> list[packet.RtpPacket]:
    return [packet.decode(data) for data in (stream.next_packet() for _ in range(count)) if data is not None]


def test_a_prompt_is_cut_into_frames_and_padded_with_silence() -> None:
    """160 octets each; sequence and timestamp wrap, the marker stands on the first packet only."""
    stream = connected()
    stream.say(PROMPT)
    first, second, third = packets(stream, 3)
    assert first.payload == PROMPT.alaw[:160]
    assert second.payload == PROMPT.alaw[160:] + b"\xd5" * 120
    assert third.payload == b"\xd5" * 160
    assert [one.marker for one in (first, second, third)] == [True, False, False]
    assert [one.sequence for one in (first, second, third)] == [0xFFFF, 0, 1]
    assert [one.timestamp for one in (first, second, third)] == [0xFFFFFFFF, 159, 319]
    assert not stream.saying


def test_another_codec_goes_on_where_the_first_one_stopped() -> None:
    """A re-INVITE changes to mu-law in the middle."""
    stream = connected()
    stream.say(PROMPT)
    packets(stream, 1)
    stream.connect(REMOTE._replace(codec=Codec.PCMU, payload_type=0))
    (rest,) = packets(stream, 1)
    assert (rest.payload_type, rest.payload) == (0, PROMPT.ulaw[160:] + b"\xff" * 120)


def test_on_hold_speech_waits_and_the_clock_runs() -> None:
    """Nothing is lost of the prompt."""
    stream = connected()
    stream.say(PROMPT)
    stream.connect(REMOTE._replace(hears=False, host="0.0.0.0"))  # noqa: S104 - the old way of holding
    assert packets(stream, 3) == []
    assert stream.target == THERE
    stream.connect(REMOTE)
    (first,) = packets(stream, 1)
    assert (first.payload, first.timestamp) == (PROMPT.alaw[:160], 479)


def test_before_the_answer_nothing_is_sent_or_heard() -> None:
    """Whatever comes."""
    stream = Stream(bytes(10), "cname")
    stream.say(PROMPT)
    assert stream.next_packet() is None
    assert stream.report_target is None
    assert stream.take(packet.header(8, 1, 1, 1) + b"x", THERE, 0.0) == ""
    assert not any(stream.counters()[:6])


def test_sound_comes_from_the_negotiated_host_only() -> None:
    """On whatever port; the first good packet shows where ours must go (symmetric RTP)."""
    stream = connected()
    key = packet.header(101, 1, 1, 1) + encode(KeyEvent("1", False, 10, 160))
    assert stream.take(key, Source("198.51.100.1", 30_000), 0.0) == ""
    assert stream.take(b"junk", Source("192.0.2.9", 5), 0.0) == ""
    assert stream.target == THERE
    assert stream.take(key, Source("192.0.2.9", 40_000), 0.0) == "1"
    assert stream.target == ("192.0.2.9", 40_000)
    assert stream.take(packet.header(8, 2, 1, 1), Source("192.0.2.9", 50_000), 0.0) == ""
    assert stream.target == ("192.0.2.9", 40_000)
    assert stream.counters()[1:6] == (2, 0, 0, 1, 1)


def test_reports_go_both_ways() -> None:
    """Ours says what was sent and heard; the peer's says what it lost."""
    stream = connected()
    packets(stream, 3)
    stream.take(packet.header(8, 9, 1, 0xBEEF), THERE, 0.0)
    ours = rtcp.decode(stream.report(1_000_500, bye=True))
    assert ours.sender is not None
    assert (ours.ssrc, ours.sender.packets, ours.sender.octets, ours.cname, ours.bye) == (7, 3, 480, "cname", True)
    assert ours.sender.ntp == (2_208_988_800 + 1_000) << 32 | 1 << 31
    assert [report.ssrc for report in ours.reports] == [0xBEEF]
    theirs = rtcp.encode(rtcp.Compound(1, reports=(Report(8, 255, 0, 0, 0), Report(7, 64, 9, 0, 0))))
    stream.take_report(theirs, Source("198.51.100.1", 1))
    assert stream.counters().far_lost_percent is None
    stream.take_report(theirs, Source("192.0.2.9", 30_001))
    assert stream.counters().far_lost_percent == 25
    assert stream.report_target == ("192.0.2.9", 30_001)


def test_one_way_audio_is_told_by_the_counters() -> None:
    """We spoke, nothing came."""
    stream = connected()
    assert not stream.counters().one_way
    packets(stream, 1)
    assert stream.counters().one_way


@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=20))
def test_garbage_is_counted_and_raises_nothing(datagrams: list[tuple[bytes, bool]]) -> None:
    """On both ports."""
    stream = connected()
    for data, control in datagrams:
        if control:
            stream.take_report(data, THERE)
        else:
            stream.take(data, THERE, 1.0)
    counters = stream.counters()
    assert counters.received + counters.unreadable <= len(datagrams) * 2
