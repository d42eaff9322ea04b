"""One outgoing call against a callee in the test's hands."""

import pytest
from tests.wire.sip.callee import OURS, SDP, SETUP, THEIRS, Callee

from bocau.wire.sip.call import CallPhase
from bocau.wire.sip.dialog import Hop
from bocau.wire.sip.events import (
    Answered,
    HungUp,
    MediaChanged,
    Over,
    Progress,
    Refused,
    Unanswered,
    Unusable,
)
from bocau.wire.sip.message import Request, Response, every, first
from bocau.wire.sip.sdp import Codec, RemoteMedia, make_offer, read_answer

ASKS = ("WWW-Authenticate", 'Digest realm="r", nonce="n1", qop="auth", algorithm=MD5')
MEDIA = RemoteMedia("192.0.2.9", 30_000, 30_001, Codec.PCMA, 8, 101, True, True)


def test_an_answered_call_is_acknowledged_and_ends_with_bye() -> None:
    """The plain walk: INVITE, 100, 180, 200, ACK, BYE, 200."""
    callee = Callee()
    assert callee.answer(100, tag="") == [Progress(100, "So", early_media=False)]
    assert callee.answer(180) == [Progress(180, "So", early_media=False)]
    assert callee.accept() == [Answered(MEDIA)]
    assert callee.request("ACK").uri == "sip:them@192.0.2.9:5070"
    assert callee.number("ACK") == callee.number("INVITE") == 1
    callee.call.hang_up(5.0)
    callee.read()
    assert callee.number("BYE") == 2
    assert callee.answer(200, to="BYE") == [Over("200 to BYE")]
    assert callee.call.phase is CallPhase.OVER
    assert not callee.call.idle
    callee.wait(40.0)
    assert callee.call.idle


def test_an_unanswered_invite_is_repeated_and_given_up() -> None:
    """Timer A doubles from T1, timer B ends it after 64 T1 (17.1.1.2)."""
    callee = Callee()
    assert callee.wait(31.9) == []
    assert callee.methods() == ["INVITE"] * 7
    assert callee.wait(32.0) == [Unanswered("no answer to INVITE")]
    assert callee.call.idle


def test_a_reliable_transport_repeats_nothing() -> None:
    """TCP does that itself; the deadline stays."""
    callee = Callee(SETUP._replace(reliable=True, via="TCP 192.0.2.1:5060"))
    assert callee.wait(32.0) == [Unanswered("no answer to INVITE")]
    assert callee.methods() == ["INVITE"]


def test_a_provisional_answer_stops_the_repeats() -> None:
    """How long it rings is the caller's business."""
    callee = Callee()
    callee.answer(180)
    assert callee.wait(1_000.0) == []
    assert callee.methods() == ["INVITE"]


@pytest.mark.parametrize("status", [302, 403, 404, 480, 486, 488, 500, 503, 600, 603])
def test_a_refusal_is_acknowledged_and_told(status: int) -> None:
    """A redirect is one of them: following it is a way to fraud."""
    callee = Callee()
    events = callee.answer(
        status, ("Reason", 'Q.850;cause=17;text="busy"'), ("Retry-After", "30 (soon);duration=5"),
        ("Contact", "<sip:evil@198.51.100.1>"), reason="No",
    )  # fmt: skip
    assert events == [Refused(status, "No", 17, 30)]
    ack = callee.request("ACK")
    assert every(ack, "Via") == every(callee.request("INVITE"), "Via")
    assert first(ack, "To").endswith(";tag=them")
    assert callee.answer(status) == []
    assert callee.methods() == ["INVITE", "ACK", "ACK"]
    callee.wait(33.0)
    assert callee.call.idle


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")],
)
def test_a_challenge_is_answered_once(status: int, asks: str, answers: str) -> None:
    """The second INVITE has the next CSeq, a new branch and the same Call-ID and tag; a second challenge refuses us."""
    callee = Callee()
    before = callee.request("INVITE")
    assert callee.answer(status, (asks, ASKS[1]), tag="proxy") == []
    after = callee.request("INVITE")
    assert callee.methods() == ["INVITE", "ACK", "INVITE"]
    assert callee.number("INVITE") == 2
    assert "nc=00000001" in first(after, answers)
    assert (first(after, "Call-ID"), first(after, "From")) == (first(before, "Call-ID"), first(before, "From"))
    assert first(after, "To") == SETUP.callee
    assert every(after, "Via") != every(before, "Via")
    assert callee.answer(status, (asks, ASKS[1]), tag="proxy", reason="No") == [Refused(status, "No", 0, 0)]


def test_an_old_nonce_is_replaced() -> None:
    """stale=true says that the password was right (RFC 7616 3.3)."""
    callee = Callee()
    callee.answer(401, ASKS)
    assert callee.answer(401, (ASKS[0], ASKS[1].replace("n1", "n2") + ", stale=true")) == []
    assert 'nonce="n2"' in first(callee.request("INVITE"), "Authorization")
    assert callee.accept() == [Answered(MEDIA)]
    assert 'nonce="n2"' in first(callee.request("ACK"), "Authorization")


def test_without_credentials_a_challenge_is_a_refusal() -> None:
    """There is nothing to answer with."""
    callee = Callee(SETUP._replace(credentials=None))
    assert callee.answer(401, ASKS, reason="No") == [Refused(401, "No", 0, 0)]


def test_bye_brings_credentials_and_answers_a_challenge() -> None:
    """Trunks challenge BYE too; a call that cannot be ended costs money."""
    callee = Callee()
    callee.answer(401, ASKS)
    callee.accept()
    callee.call.hang_up(1.0)
    callee.read()
    assert "nc=00000002" in first(callee.request("BYE"), "Authorization")
    assert callee.answer(407, ("Proxy-Authenticate", ASKS[1].replace("n1", "n9")), to="BYE") == []
    bye = callee.request("BYE")
    assert callee.number("BYE") == 4
    assert 'nonce="n9"' in first(bye, "Proxy-Authorization")
    assert "nc=00000003" in first(bye, "Authorization")
    assert callee.answer(200, to="BYE") == [Over("200 to BYE")]


def test_cancel_waits_for_a_provisional_answer() -> None:
    """CANCEL before one may overtake the INVITE (9.1); it carries the INVITE's Via and no To tag."""
    callee = Callee()
    callee.call.hang_up(1.0)
    assert callee.wait(3.0) == []
    assert callee.methods() == ["INVITE"]
    assert callee.answer(100, tag="") == []
    cancel = callee.request("CANCEL")
    assert every(cancel, "Via") == every(callee.request("INVITE"), "Via")
    assert first(cancel, "To") == SETUP.callee
    assert callee.answer(200, to="CANCEL") == []
    assert callee.answer(487, reason="Request Terminated") == [Refused(487, "Request Terminated", 0, 0)]
    assert callee.methods() == ["INVITE", "CANCEL", "ACK"]


def test_a_second_progress_does_not_cancel_twice() -> None:
    """180 and 183 may both follow the CANCEL."""
    callee = Callee()
    callee.answer(180)
    callee.call.hang_up(1.0)
    callee.read()
    callee.answer(183)
    callee.answer(180)
    assert callee.methods() == ["INVITE", "CANCEL"]


def test_an_answer_that_crosses_our_cancel_is_ended() -> None:
    """A 200 while CANCEL travels: ACK, then BYE (9.1); the money stops there."""
    callee = Callee()
    callee.answer(180)
    callee.call.hang_up(1.0)
    callee.read()
    assert callee.accept() == []
    assert callee.methods() == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert callee.answer(200, to="BYE") == [Over("200 to BYE")]


def test_a_late_answer_of_a_given_up_invite_is_ended_too() -> None:
    """Nothing came, we gave up without CANCEL; the phone answers after all."""
    callee = Callee()
    callee.call.hang_up(5.0)
    assert callee.accept() == []
    assert callee.methods()[-2:] == ["ACK", "BYE"]


def test_a_cancelled_call_that_never_ends_is_dropped() -> None:
    """After CANCEL a final answer must come within 64 T1 (9.1)."""
    callee = Callee()
    callee.answer(180)
    callee.call.hang_up(0.0)
    assert callee.wait(31.0) == []
    assert callee.wait(33.0) == [Unanswered("given up, and never heard of again")]
    callee.wait(70.0)
    assert callee.call.idle


def test_a_repeated_answer_gets_its_ack_again() -> None:
    """The ACK was lost: the 200 comes again (13.2.2.4)."""
    callee = Callee()
    callee.accept()
    ack = callee.request("ACK")
    assert callee.accept() == []
    assert callee.methods() == ["INVITE", "ACK", "ACK"]
    assert callee.request("ACK") == ack


def test_a_fork_that_answers_second_is_ended() -> None:
    """Two phones pick up: the first has the call, the other gets ACK and BYE."""
    callee = Callee()
    callee.answer(180, tag="one")
    callee.answer(180, tag="two")
    assert callee.accept(tag="two") == [Answered(MEDIA)]
    assert callee.accept(tag="one") == []
    assert callee.methods() == ["INVITE", "ACK", "ACK", "BYE"]
    assert callee.request("BYE").uri == "sip:one@192.0.2.9:5070"
    assert callee.answer(200, to="BYE") == []
    assert callee.call.phase is CallPhase.ESTABLISHED
    assert callee.ask("BYE", tag="two") == [HungUp(0)]


def test_requests_follow_the_recorded_route() -> None:
    """ACK and BYE go to the Contact by way of the Record-Routes, the last one first (12.1.2)."""
    callee = Callee()
    callee.accept(
        ("Record-Route", "<sip:b.example;lr>, <sip:a.example:5099;lr>"), ("Record-Route", "<sip:z.example;lr>")
    )
    ack = callee.request("ACK")
    assert every(ack, "Route") == ["<sip:z.example;lr>", "<sip:a.example:5099;lr>", "<sip:b.example;lr>"]
    assert ack.uri == "sip:them@192.0.2.9:5070"
    assert callee.hops[-1] == Hop("z.example", 5060)
    callee.call.hang_up(1.0)
    callee.read()
    assert every(callee.request("BYE"), "Route") == every(ack, "Route")


def test_a_strict_router_becomes_the_request_uri() -> None:
    """Without lr the first route is the Request-URI and the target comes last (12.2.1.1)."""
    callee = Callee()
    callee.accept(("Record-Route", "<sip:b.example>, <sip:a.example>"))
    ack = callee.request("ACK")
    assert ack.uri == "sip:a.example"
    assert every(ack, "Route") == ["<sip:b.example>", "<sip:them@192.0.2.9:5070>"]


def test_the_callee_hangs_up() -> None:
    """200 goes back where the request came from, again for a repeat, and the cause is told."""
    callee = Callee()
    callee.accept()
    assert callee.ask("BYE", ("Reason", "SIP;cause=200, Q.850;cause=16"), branch="z9hG4bKx") == [HungUp(16)]
    callee.numbers -= 1
    assert callee.ask("BYE", branch="z9hG4bKx") == []
    assert callee.answers() == [200, 200]
    assert callee.hops[-1] == Hop("192.0.2.9", 5060)


def test_both_hang_up() -> None:
    """Two BYEs cross; the call is over at the first that is understood."""
    callee = Callee()
    callee.accept()
    callee.call.hang_up(1.0)
    callee.read()
    assert callee.ask("BYE") == [Over("both hung up")]
    assert callee.answer(481, to="BYE") == []


def test_a_bye_without_answer_ends_all_the_same() -> None:
    """Timer F."""
    callee = Callee()
    callee.accept()
    callee.call.hang_up(0.0)
    callee.read()
    assert callee.wait(32.0) == [Over("no answer to BYE")]
    assert callee.methods().count("BYE") == 11


def test_a_reinvite_moves_the_audio() -> None:
    """The answer is repeated until its ACK comes (13.3.1.4)."""
    callee = Callee()
    callee.accept()
    moved = make_offer(THEIRS._replace(port=31_000, codecs=(Codec.PCMU,)), 2)
    events = callee.ask("INVITE", ("Contact", "<sip:new@192.0.2.9:5071>"), body=moved)
    assert events == [MediaChanged(MEDIA._replace(port=31_000, codec=Codec.PCMU, payload_type=0))]
    answer = callee.sent[-1]
    assert isinstance(answer, Response)
    assert read_answer(answer.body, THEIRS).port == OURS.port
    callee.wait(callee.now + 0.6)
    assert callee.answers() == [200, 200]
    callee.ask("ACK")
    callee.wait(callee.now + 20.0)
    assert callee.answers() == [200, 200]
    callee.call.hang_up(callee.now)
    callee.read()
    assert callee.request("BYE").uri == "sip:new@192.0.2.9:5071"


def test_a_reinvite_without_ack_ends_the_call() -> None:
    """64 T1 without ACK: BYE (13.3.1.4)."""
    callee = Callee()
    callee.accept()
    callee.ask("INVITE", body=make_offer(THEIRS, 2))
    assert callee.wait(32.0) == [Unusable("a re-INVITE was never acknowledged")]
    assert callee.methods()[-1] == "BYE"


def test_a_reinvite_without_offer_gets_ours() -> None:
    """And its answer comes with the ACK (RFC 3264, 13.2.1)."""
    callee = Callee()
    callee.accept()
    assert callee.ask("INVITE") == []
    answer = callee.sent[-1]
    assert isinstance(answer, Response)
    assert SDP in answer.headers
    assert read_answer(answer.body, THEIRS).port == OURS.port
    moved = make_offer(THEIRS._replace(port=31_000))
    assert callee.ask("ACK", body=moved) == [MediaChanged(MEDIA._replace(port=31_000))]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_audio_is_not_moved_out_of_the_trunks_networks(method: str) -> None:
    """An offer to send it elsewhere is 488; the call goes on as it was."""
    callee = Callee()
    callee.accept()
    assert callee.ask(method, body=make_offer(THEIRS._replace(host="198.51.100.7"))) == []
    assert callee.answers() == [488]
    assert callee.ask(method, body=b"v=0\r\nm=video 9 RTP/AVP 31\r\n") == []
    assert callee.answers() == [488, 488]


def test_a_hold_is_taken() -> None:
    """The old way, with address 0.0.0.0, and the new one."""
    callee = Callee()
    callee.accept()
    held = make_offer(THEIRS).replace(b"IN IP4 192.0.2.9", b"IN IP4 0.0.0.0")
    assert [event.media.hears for event in callee.ask("UPDATE", body=held) if isinstance(event, MediaChanged)] == [
        False
    ]
    held = make_offer(THEIRS).replace(b"sendrecv", b"inactive")
    assert [event.media.hears for event in callee.ask("UPDATE", body=held) if isinstance(event, MediaChanged)] == [
        False
    ]
    answer = callee.sent[-1]
    assert isinstance(answer, Response)
    assert b"a=inactive" in answer.body


def test_a_session_timer_is_answered() -> None:
    """The peer refreshes (RFC 4028, section 9)."""
    callee = Callee()
    callee.accept(("Session-Expires", "1800;refresher=uas"), ("Require", "timer"))
    assert callee.ask("UPDATE", ("Session-Expires", "1800"), ("Supported", "timer"), ("Require", "timer")) == []
    answer = callee.sent[-1]
    assert first(answer, "Session-Expires") == "1800;refresher=uac"
    assert first(answer, "Require") == "timer"


@pytest.mark.parametrize(
    ("method", "status"), [("OPTIONS", 200), ("REFER", 403), ("INFO", 405), ("MESSAGE", 405), ("CANCEL", 481)]
)
def test_other_requests_in_the_call_are_answered(method: str, status: int) -> None:
    """A transfer is refused by rule; the call goes on."""
    callee = Callee()
    callee.accept()
    assert callee.ask(method, ("Refer-To", "<sip:evil@198.51.100.1>")) == []
    assert callee.answers() == [status]
    assert callee.call.phase is CallPhase.ESTABLISHED


def test_a_fork_cannot_move_the_audio_of_the_call() -> None:
    """The other phone's dialog is being ended."""
    callee = Callee()
    callee.accept(tag="one")
    callee.accept(tag="two")
    assert callee.ask("INVITE", ("Contact", "<sip:x@192.0.2.9>"), body=make_offer(THEIRS), tag="two") == []
    assert callee.answers() == [481]
    callee.call.hang_up(1.0)
    callee.read()
    assert callee.request("BYE").uri == "sip:one@192.0.2.9:5070"


def test_requests_outside_their_order_are_refused() -> None:
    """A CSeq that goes back is 500 (12.2.2), an unknown Require 420, a strange tag 481."""
    callee = Callee()
    callee.accept()
    callee.ask("OPTIONS")
    callee.numbers -= 2
    callee.ask("OPTIONS", branch="z9hG4bKback")
    callee.numbers += 1
    callee.ask("OPTIONS", ("Require", "timer, teleport"), branch="z9hG4bKunknown")
    assert first(callee.sent[-1], "Unsupported") == "teleport"
    assert callee.ask("BYE", tag="stranger", branch="z9hG4bKstranger") == []
    assert callee.answers() == [200, 500, 420, 481]


def test_reliable_progress_is_acknowledged_in_order() -> None:
    """PRACK once for each, in the order of RSeq (RFC 3262); its answer to our offer may come with it."""
    callee = Callee()
    reliable = ("Require", "100rel")
    contact = ("Contact", "<sip:them@192.0.2.9:5070>")
    events = callee.answer(183, reliable, ("RSeq", "41"), contact, body=make_offer(THEIRS))
    assert events == [Progress(183, "So", early_media=True)]
    assert first(callee.request("PRACK"), "RAck") == "41 1 INVITE"
    assert callee.request("PRACK").uri == "sip:them@192.0.2.9:5070"
    callee.answer(183, reliable, ("RSeq", "41"), contact)
    callee.answer(183, reliable, ("RSeq", "43"), contact)
    assert callee.methods() == ["INVITE", "PRACK"]
    callee.answer(200, to="PRACK")
    callee.answer(180, reliable, ("RSeq", "42"), contact)
    assert first(callee.request("PRACK"), "RAck") == "42 1 INVITE"
    assert callee.accept(body=b"") == [Answered(MEDIA)]
    callee.call.hang_up(1.0)
    callee.read()
    assert callee.number("BYE") == 4


def test_a_challenged_prack_is_sent_again_with_what_it_acknowledges() -> None:
    """Its RAck stays (RFC 3262), its CSeq goes on."""
    callee = Callee()
    callee.answer(183, ("Require", "100rel"), ("RSeq", "41"), ("Contact", "<sip:them@192.0.2.9:5070>"))
    assert callee.answer(401, ASKS, to="PRACK") == []
    prack = callee.request("PRACK")
    assert (callee.number("PRACK"), first(prack, "RAck")) == (3, "41 1 INVITE")
    assert "nc=00000001" in first(prack, "Authorization")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no audio stream that we speak"),
        (make_offer(THEIRS).replace(b"RTP/AVP 8 0", b"RTP/AVP 18 4"), "no audio stream that we speak"),
        (make_offer(THEIRS._replace(host="198.51.100.1")), "the audio is outside the trunk's networks"),
    ],
)
def test_an_answer_without_usable_audio_is_ended(body: bytes, why: str) -> None:
    """ACK and BYE: the call stands, so it must be ended in order."""
    callee = Callee()
    assert callee.accept(body=body) == [Unusable(why)]
    assert callee.methods() == ["INVITE", "ACK", "BYE"]


@pytest.mark.parametrize(
    "header",
    [
        ("Contact", "<junk"),
        ("Contact", "tel:84901234567"),
        ("Record-Route", "<junk>"),
        ("Record-Route", "<sip:a;lr>," * 20),
    ],
)
def test_an_answer_that_leads_nowhere_is_ended_by_way_of_the_trunk(header: tuple[str, str]) -> None:
    """Somebody picked up: without ACK and BYE the line stays open and is paid for."""
    callee = Callee()
    callee.answer(180)
    assert callee.answer(200, header, body=make_offer(THEIRS)) == [
        Unusable("an answer without a readable Contact or route")
    ]
    assert callee.methods() == ["INVITE", "ACK", "BYE"]
    assert callee.request("BYE").uri == SETUP.uri
    assert callee.answer(200, to="BYE") == [Over("200 to BYE")]


def test_a_lost_connection_ends_the_call() -> None:
    """Before the answer nobody knows; after it the call is over."""
    callee = Callee()
    assert callee.call.connection_lost("gone") == [Unanswered("gone")]
    assert callee.call.connection_lost("gone") == []
    callee = Callee()
    callee.accept()
    assert callee.call.connection_lost("gone") == [Over("gone")]
    assert callee.call.idle


def test_a_stray_answer_changes_nothing() -> None:
    """Another branch, another method: not ours."""
    callee = Callee()
    invite = callee.request("INVITE")
    other = invite._replace(headers=(("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother"), *invite.headers[1:]))
    assert callee.give(callee.response(other, 200)) == []
    bye = Request("BYE", invite.uri, invite.headers)
    assert callee.give(callee.response(bye._replace(headers=invite.headers), 180)) == [Progress(180, "So", False)]
    assert callee.call.strays == 1
    assert callee.methods() == ["INVITE"]
