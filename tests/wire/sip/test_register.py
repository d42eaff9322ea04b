"""A registration against a registrar in the test's hands."""

import pytest

from bocau.wire.sip.digest import Credentials
from bocau.wire.sip.message import Header, Request, Response, cseq_of, decode, encode, every, first
from bocau.wire.sip.register import Registered, RegisterEvent, RegisterFailed, RegisterSetup, Registration, Unregistered

SETUP = RegisterSetup(
    call_id="r1@192.0.2.1",
    unique="0a1b2c3d",
    registrar="sip:trunk.example",
    address="<sip:us@trunk.example>",
    contact="<sip:us@192.0.2.1:5060>",
    via="UDP 192.0.2.1:5060",
    credentials=Credentials("us", "secret"),
)
ASKS: Header = ("WWW-Authenticate", 'Digest realm="r", nonce="n1", qop="auth"')


class Registrar:
    """The other end."""

    def __init__(self, setup: RegisterSetup = SETUP) -> None:
        self.registration = Registration(setup)
        self.sent: list[Request] = []

    def read(self) -> list[Request]:
        fresh = [decode(data) for data in self.registration.data_to_send()]
        self.sent += [one for one in fresh if isinstance(one, Request)]
        return self.sent

    def start(self, now: float = 0.0) -> None:
        self.registration.start(now)
        self.read()

    def answer(self, status: int, *extra: Header, now: float = 0.0) -> list[RegisterEvent]:
        request = self.sent[-1]
        kept = [(name, first(request, name)) for name in ("From", "To", "Call-ID", "CSeq")]
        response = Response(status, "So", (("Via", every(request, "Via")[0]), *kept, *extra))
        got = decode(encode(response))
        assert isinstance(got, Response)
        events = self.registration.receive(got, now)
        self.read()
        return events

    def tick(self, now: float) -> list[RegisterEvent]:
        events = self.registration.tick(now)
        self.read()
        return events


def test_a_registration_is_refreshed_in_time() -> None:
    """After 80 % of what was granted: our own Contact's expires counts before the header (10.3)."""
    registrar = Registrar()
    registrar.start()
    assert registrar.answer(401, ASKS) == []
    contacts = ("Contact", "<sip:other@h>;expires=9, <sip:us@192.0.2.1:5060>;expires=100")
    assert registrar.answer(200, contacts, ("Expires", "7"), now=1.0) == [Registered(100)]
    assert registrar.registration.next_deadline() == 81.0
    assert registrar.tick(80.9) == []
    assert len(registrar.sent) == 2
    registrar.tick(81.0)
    assert cseq_of(registrar.sent[-1]).number == 3
    assert "nc=00000002" in first(registrar.sent[-1], "Authorization")
    assert len({first(one, "Call-ID") for one in registrar.sent}) == 1
    assert registrar.answer(200, now=81.0) == [Registered(600)]


def test_a_refusal_is_told_and_tried_again_on_demand() -> None:
    """When is the shell's business."""
    registrar = Registrar()
    registrar.start()
    assert registrar.answer(403) == [RegisterFailed(403, "So")]
    registrar.start(5.0)
    assert registrar.answer(401, ASKS) == []
    assert registrar.answer(401, ASKS) == [RegisterFailed(401, "So")]


def test_a_longer_time_is_asked_for_once() -> None:
    """423 with Min-Expires (10.3, step 7)."""
    registrar = Registrar()
    registrar.start()
    assert registrar.answer(423, ("Min-Expires", "3600")) == []
    assert first(registrar.sent[-1], "Expires") == "3600"
    assert registrar.answer(423, ("Min-Expires", "3600")) == [RegisterFailed(423, "So")]


def test_silence_is_told_after_its_time() -> None:
    """64 T1."""
    registrar = Registrar()
    registrar.start()
    at = 0.0
    events: list[RegisterEvent] = []
    while not events:
        at = registrar.registration.next_deadline()
        events = registrar.tick(at)
    assert events == [RegisterFailed(0, "no answer to REGISTER")]
    assert at == 32.0
    assert len(registrar.sent) == 11


def test_the_end_is_asked_for_with_zero() -> None:
    """And a challenge there is answered too."""
    registrar = Registrar()
    registrar.start()
    registrar.answer(200)
    registrar.registration.stop(2.0)
    registrar.read()
    assert first(registrar.sent[-1], "Expires") == "0"
    assert registrar.answer(401, ASKS) == []
    assert first(registrar.sent[-1], "Expires") == "0"
    assert registrar.answer(200) == [Unregistered()]


def test_a_registration_for_no_time_is_none() -> None:
    """The trunk dropped us."""
    registrar = Registrar()
    registrar.start()
    assert registrar.answer(200, ("Expires", "0")) == [RegisterFailed(200, "registered for no time")]


@pytest.mark.parametrize("contact", ["*", "<sip:us@192.0.2.1:5060", "junk"])
def test_an_unreadable_answer_is_passed_over(contact: str) -> None:
    """Nothing is raised."""
    registrar = Registrar()
    registrar.start()
    assert registrar.answer(200, ("Contact", contact)) in ([], [Registered(600)])


def test_a_lost_connection_is_told() -> None:
    """The next one begins anew."""
    registrar = Registrar()
    registrar.start()
    assert registrar.registration.connection_lost() == [RegisterFailed(0, "the connection is gone")]
    registrar.registration.stop(1.0)
    assert registrar.registration.connection_lost() == [Unregistered()]
