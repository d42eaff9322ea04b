"""SIP messages as they are shown: nothing that would call, log in or listen is left in them (promises S1)."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.sip.shown import MAX_SHOWN, shown

MESSAGE = """INVITE sip:+84901234567@trunk.example:5060 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK00112233445566
From: <sip:0281234567@trunk.example>;tag=4821
To: "0901234567" <sip:+84901234567@trunk.example>
Call-ID: 123456789012@192.0.2.1
Authorization: Digest username="shop", realm="trunk", response="0123456789abcdef"
proxy-authorization:Digest response="fedcba"
Content-Type: application/sdp
Content-Length: 120

v=0
o=- 4567890123 1 IN IP4 192.0.2.1
m=audio 40000 RTP/SAVP 8 0 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
a=ptime:20
"""


def test_numbers_log_ins_and_keys_are_hidden_and_all_else_is_shown() -> None:
    """The called number in whatever spelling, the answer to a challenge, the key of the sound."""
    assert (
        shown(MESSAGE.replace("\n", "\r\n").encode())
        == """INVITE sip:+849***567@trunk.example:5060 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK00112233445566
From: <sip:028***567@trunk.example>;tag=4821
To: "090***567" <sip:+849***567@trunk.example>
Call-ID: 123456789012@192.0.2.1
Authorization: Digest ***
proxy-authorization: Digest ***
Content-Type: application/sdp
Content-Length: 120

v=0
o=- 4567890123 1 IN IP4 192.0.2.1
m=audio 40000 RTP/SAVP 8 0 101
a=crypto:***
a=ptime:20"""
    )


def test_a_long_number_is_hidden_wherever_else_it_stands() -> None:
    """In a display name, a Warning, a diversion, or a body that is no SDP."""
    for line in ('Warning: 399 x "no way to 0901234567"', "Diversion: <tel:+84901234567>", "call 84901234567 now"):
        assert "1234" not in shown(b"BYE sip:x SIP/2.0\r\n" + line.encode())


@given(st.binary(max_size=6_000))
def test_whatever_came_can_be_shown(message: bytes) -> None:
    """One printable text of bounded length, never an error."""
    text = shown(message)
    assert len(text) <= 2 * MAX_SHOWN
    assert all(sign.isprintable() or sign == "\n" for sign in text)
