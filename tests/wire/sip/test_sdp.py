"""Session descriptions: offers, answers, what is declined."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.sip.callee import OURS, THEIRS

from bocau.wire.sip.message import FieldError
from bocau.wire.sip.sdp import BadSdp, Codec, RemoteMedia, make_answer, make_offer, read_answer

MEDIA = RemoteMedia("192.0.2.9", 30_000, 30_001, Codec.PCMA, 8, 101, True, True)


def described(*lines: str) -> bytes:
    """A description with these lines after the usual head."""
    return "\r\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "t=0 0", *lines, ""]).encode()


def test_an_offer_reads_back() -> None:
    """Both ends speak the same."""
    assert read_answer(make_offer(THEIRS), OURS) == MEDIA


def test_the_peers_order_of_codecs_counts() -> None:
    """RFC 3264 6.1: what it names first is what it will send."""
    assert read_answer(described("c=IN IP4 192.0.2.9", "m=audio 4 RTP/AVP 18 0 8"), OURS).codec is Codec.PCMU
    dynamic = described("c=IN IP4 192.0.2.9", "m=audio 4 RTP/AVP 98", "a=rtpmap:98 pcma/8000/1")
    assert read_answer(dynamic, OURS)[3:6] == (Codec.PCMA, 98, None)


def test_addresses_and_ports_are_found() -> None:
    """The stream's own connection line counts before the session's; RTCP may have a port of its own (RFC 3605)."""
    body = described("c=IN IP4 192.0.2.9", "m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::9", "a=rtcp:4444 IN IP6 ::1")
    assert read_answer(body, OURS)[:3] == ("2001:db8::9", 4000, 4444)
    assert read_answer(described("c=IN IP4 192.0.2.9/127", "m=audio 4000 RTP/AVP 8"), OURS)[:3] == (
        "192.0.2.9",
        4000,
        4001,
    )


@pytest.mark.parametrize(
    ("word", "hears", "speaks", "ours"),
    [
        ("sendrecv", True, True, "sendrecv"),
        ("sendonly", False, True, "recvonly"),
        ("recvonly", True, False, "sendonly"),
        ("inactive", False, False, "inactive"),
    ],
)
def test_directions_are_answered(word: str, hears: bool, speaks: bool, ours: str) -> None:
    """RFC 3264 6.1."""
    remote, body = make_answer(OURS, make_offer(THEIRS).replace(b"sendrecv", word.encode()), 2)
    assert (remote.hears, remote.speaks) == (hears, speaks)
    assert f"a={ours}\r\n".encode() in body


def test_other_streams_are_refused_by_port_zero() -> None:
    """As many m lines as were offered, in their order (RFC 3264 6)."""
    streams = ["m=video 9 RTP/AVP 31", "m=audio 9 RTP/SAVP 8", "m=audio 10 RTP/AVP 8", "m=audio 11 RTP/AVP 8"]
    offered = described("c=IN IP4 192.0.2.9", *streams)
    remote, body = make_answer(OURS, offered, 2)
    assert remote.port == 10
    lines = [line for line in body.decode().split("\r\n") if line.startswith("m=")]
    assert lines == ["m=video 0 RTP/AVP 31", "m=audio 0 RTP/SAVP 8", "m=audio 20000 RTP/AVP 8", "m=audio 0 RTP/AVP 8"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        described("m=audio 4 RTP/AVP 8"),
        described("c=IN IP4 192.0.2.9", "m=audio 0 RTP/AVP 8"),
        described("c=IN IP4 192.0.2.9", "m=audio 4 RTP/SAVP 8"),
        described("c=IN IP4 192.0.2.9", "m=audio 4 RTP/AVP 18"),
        described("c=IN IP4 192.0.2.9", "m=audio 70000 RTP/AVP 8"),
        described("c=IN IP4 192.0.2.9", "m=audio 4 RTP/AVP"),
        described("c=IN IP4 a b", "m=audio 4 RTP/AVP 8"),
        described("c=IN IP4 192.0.2.9", *["m=audio 4 RTP/AVP 18"] * 9),
        b"x" * 9_000,
    ],
)
def test_what_we_cannot_speak_under_is_refused(body: bytes) -> None:
    """No stream, no address, other codecs, encryption, too long."""
    with pytest.raises(BadSdp):
        read_answer(body, OURS)


PIECES = (
    "m=audio 4 RTP/AVP 8 0 101",
    "m=audio 4 RTP/AVP 8 é",
    "c=IN IP4 1.2.3.4",
    "a=rtcp:x",
    "a=rtpmap:8 X/8000",
    "a=rtpmap:999 PCMA/8000",
    "a=rtpmap:101 telephone-event/8000",
    "m=",
    "a=",
    "c=",
)


@given(
    st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=12).map("\r\n".join).map(str.encode))
)
def test_garbage_raises_only_the_one_exception(body: bytes) -> None:
    """Whatever a peer describes, as answer and as offer."""
    try:
        remote = read_answer(body, OURS)
    except BadSdp:
        with pytest.raises(BadSdp):
            make_answer(OURS, body, 2)
        return
    assert make_answer(OURS, body, 2)[0] == remote


def test_our_own_address_must_be_one() -> None:
    """A name would make the peer look it up."""
    with pytest.raises(FieldError):
        make_offer(OURS._replace(host="bocau.example"))


KEY, THEIR_KEY = bytes(range(30)), bytes(range(30, 60))


def test_keys_are_told_and_read_where_sound_is_enciphered() -> None:
    """RFC 4568: our offer and the peer's answer, the peer's offer and our answer under the peer's number."""
    ours, theirs = OURS._replace(key=KEY), THEIRS._replace(key=THEIR_KEY)
    offer = make_offer(ours)
    assert b"RTP/SAVP 8 0 101" in offer
    assert b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n" in offer
    remote, answer = make_answer(theirs, offer.replace(b"crypto:1 ", b"crypto:7 "), 1)
    assert (remote.key, remote.key_tag) == (KEY, 7)
    assert b"RTP/SAVP" in answer
    assert b"a=crypto:7 " in answer
    assert read_answer(answer, ours).key == THEIR_KEY


@pytest.mark.parametrize(
    ("crypto", "key"),
    [
        (b"1 AES_CM_128_HMAC_SHA1_80 inline:%b|2^31", KEY),
        (b"3 aes_cm_128_hmac_sha1_80 inline:%b", KEY),
        (b"1 AES_CM_128_HMAC_SHA1_32 inline:%b", None),
        (b"1 AES_CM_128_HMAC_SHA1_80 inline:%b|2^20|1:4", None),
        (b"1 AES_CM_128_HMAC_SHA1_80 inline:%b UNENCRYPTED_SRTP", None),
        (b"1 AES_CM_128_HMAC_SHA1_80 inline:AAAA%b", None),
        (b"1 AES_CM_128_HMAC_SHA1_80 inline:", None),
    ],
)
def test_only_a_key_of_our_suite_is_taken(crypto: bytes, key: bytes | None) -> None:
    """Whatever else a peer wishes for is no agreement: it is not called in the clear instead."""
    text = base64.b64encode(KEY)
    body = make_offer(THEIRS._replace(key=KEY))
    line = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + text
    body = body.replace(line, b"a=crypto:" + (crypto % text if b"%b" in crypto else crypto))
    if key is None:
        with pytest.raises(BadSdp):
            read_answer(body, OURS._replace(key=THEIR_KEY))
    else:
        assert read_answer(body, OURS._replace(key=THEIR_KEY)).key == key


def test_nothing_is_agreed_between_enciphered_and_clear() -> None:
    """Neither side talks the other down, or up."""
    for offered, ours in ((make_offer(THEIRS), OURS._replace(key=KEY)), (make_offer(THEIRS._replace(key=KEY)), OURS)):
        with pytest.raises(BadSdp):
            read_answer(offered, ours)
        with pytest.raises(BadSdp):
            make_answer(ours, offered, 1)


def test_a_key_is_not_shown() -> None:
    """Neither ours nor the peer's, in whatever is printed (promises S1)."""
    ours = OURS._replace(key=KEY)
    remote = read_answer(make_offer(THEIRS._replace(key=THEIR_KEY)), ours)
    for shown in (repr(ours), repr(remote)):
        assert "enciphered" in shown
        assert "key" not in shown
