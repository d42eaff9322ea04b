"""Every kind of SIP message that we emit, as a person can read it: golden/*.txt, with LF for CRLF.

The order of headers is part of it: trunks log and compare what they get.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.wire.sip.callee import SETUP, THEIRS, THERE, Callee
from tests.wire.sip.test_register import SETUP as REGISTER

from bocau.wire.sip.message import Message, Request, encode
from bocau.wire.sip.register import RegisterSetup, Registration
from bocau.wire.sip.reply import answer_stray
from bocau.wire.sip.sdp import make_offer

GOLDEN = Path(__file__).parent / "golden"
ASKS = ("WWW-Authenticate", 'Digest realm="r", nonce="n1", qop="auth", algorithm=SHA-256, opaque="o"')
CONTACT = ("Contact", "<sip:them@192.0.2.9:5070>")
ROUTES = ("Record-Route", "<sip:b.example;lr>, <sip:a.example;lr>")


def invite() -> Message:
    identity = (("P-Asserted-Identity", "<sip:1900@bocau.example>"),)
    return Callee(SETUP._replace(extra=identity)).request("INVITE")


def invite_with_credentials() -> Message:
    callee = Callee()
    callee.answer(401, ASKS)
    return callee.request("INVITE")


def ack_of_a_refusal() -> Message:
    callee = Callee()
    callee.answer(486)
    return callee.request("ACK")


def answered() -> Callee:
    callee = Callee()
    callee.accept(ROUTES)
    return callee


def ack() -> Message:
    return answered().request("ACK")


def bye() -> Message:
    callee = answered()
    callee.call.hang_up(1.0)
    callee.read()
    return callee.request("BYE")


def cancel() -> Message:
    callee = Callee()
    callee.answer(180)
    callee.call.hang_up(1.0)
    callee.read()
    return callee.request("CANCEL")


def prack() -> Message:
    callee = Callee()
    callee.answer(183, CONTACT, ("Require", "100rel"), ("RSeq", "41"))
    return callee.request("PRACK")


def answer_to_reinvite() -> Message:
    callee = answered()
    callee.ask("INVITE", CONTACT, body=make_offer(THEIRS, 2))
    return callee.sent[-1]


def answer_to_update_with_timer() -> Message:
    callee = answered()
    callee.ask("UPDATE", CONTACT, ("Session-Expires", "1800"))
    return callee.sent[-1]


def answer_to_options() -> Message:
    callee = answered()
    callee.ask("OPTIONS")
    return callee.sent[-1]


def answer_to_bye() -> Message:
    callee = answered()
    callee.ask("BYE")
    return callee.sent[-1]


def answer_to_refer() -> Message:
    callee = answered()
    callee.ask("REFER")
    return callee.sent[-1]


def register(setup: RegisterSetup = REGISTER) -> bytes:
    registration = Registration(setup)
    registration.start(0.0)
    return registration.data_to_send()[0]


def answer_to_stray_invite() -> bytes:
    stray = Callee().request("INVITE")
    assert isinstance(stray, Request)
    return answer_stray(stray, THERE, "strange")


def answer_to_stray_options() -> bytes:
    stray = Callee().request("INVITE")._replace(method="OPTIONS")
    return answer_stray(stray, THERE, "strange")


EMITTED: dict[str, Callable[[], Message | bytes]] = {
    one.__name__: one
    for one in (
        invite,
        invite_with_credentials,
        ack_of_a_refusal,
        ack,
        bye,
        cancel,
        prack,
        answer_to_reinvite,
        answer_to_update_with_timer,
        answer_to_options,
        answer_to_bye,
        answer_to_refer,
        register,
        answer_to_stray_invite,
        answer_to_stray_options,
    )
}


def text_of(message: Message | bytes) -> str:
    """The octets with plain line ends. A message that was read has its Content-Length among its headers."""
    if not isinstance(message, bytes):
        kept = tuple(header for header in message.headers if header[0] != "Content-Length")
        message = encode(message._replace(headers=kept))
    return message.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("name", EMITTED)
def test_what_is_emitted_is_what_was_agreed(name: str) -> None:
    """To change a file here is a decision."""
    assert text_of(EMITTED[name]()) == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_every_golden_file_is_emitted() -> None:
    """None is left over."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(EMITTED)
