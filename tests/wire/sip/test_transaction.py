"""Transactions in time: what is sent again, and when it ends (RFC 3261 section 17)."""

import pytest

from bocau.wire.sip.message import Request, Response, decode
from bocau.wire.sip.transaction import ClientTransaction, ServerTransaction, Timers, TransactionState, branch_of

HEADERS = (
    ("Via", "SIP/2.0/UDP a.example;branch=z9hG4bK1"),
    ("From", "<sip:a@a.example>;tag=1"),
    ("To", "<sip:b@b.example>"),
    ("Call-ID", "c1"),
)
TIMERS = Timers()


def request(method: str) -> Request:
    return Request(method, "sip:b@b.example", (*HEADERS, ("CSeq", f"1 {method}")))


def response(status: int, method: str) -> Response:
    return Response(
        status, "So", (*HEADERS[:2], ("To", "<sip:b@b.example>;tag=2"), HEADERS[3], ("CSeq", f"1 {method}"))
    )


def sent_times(transaction: ClientTransaction | ServerTransaction, until: float = 100.0) -> list[float]:
    """When messages went out, told at every deadline."""
    times = [0.0] * len(transaction.data_to_send())
    while (due := transaction.next_deadline()) <= until:
        transaction.tick(due)
        times += [due] * len(transaction.data_to_send())
        if isinstance(transaction, ServerTransaction) and due >= TIMERS.whole:
            break
    return times


def test_an_invite_doubles_its_waits() -> None:
    """Timer A; timer B at 32 s."""
    transaction = ClientTransaction(request("INVITE"), False, TIMERS, 0.0)
    assert sent_times(transaction) == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert transaction.done


def test_other_requests_double_up_to_t2() -> None:
    """Timer E; timer F at 32 s."""
    transaction = ClientTransaction(request("BYE"), False, TIMERS, 0.0)
    assert sent_times(transaction) == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_a_provisional_slows_other_requests_down() -> None:
    """To T2 at once (17.1.2.2)."""
    transaction = ClientTransaction(request("BYE"), False, TIMERS, 0.0)
    transaction.data_to_send()
    assert transaction.receive(response(100, "BYE"), 0.1)
    assert transaction.next_deadline() == 4.1


@pytest.mark.parametrize(("reliable", "linger"), [(False, 32.0), (True, 0.0)])
def test_a_refused_invite_is_acknowledged_for_timer_d(reliable: bool, linger: float) -> None:
    """Repeats of the answer get the same ACK; over a stream there are none."""
    transaction = ClientTransaction(request("INVITE"), reliable, TIMERS, 0.0)
    transaction.data_to_send()
    assert transaction.receive(response(486, "INVITE"), 1.0)
    (ack,) = transaction.data_to_send()
    message = decode(ack)
    assert isinstance(message, Request)
    assert (message.method, branch_of(message)) == ("ACK", "z9hG4bK1")
    assert not transaction.receive(response(486, "INVITE"), 1.0)
    assert transaction.data_to_send() == [ack]
    assert transaction.next_deadline() == 1.0 + linger
    assert not transaction.tick(1.0 + linger)
    assert transaction.done


def test_every_2xx_of_an_invite_is_news_until_timer_m() -> None:
    """RFC 6026: forks and repeats belong to the call, not to the transaction."""
    transaction = ClientTransaction(request("INVITE"), False, TIMERS, 0.0)
    assert transaction.receive(response(180, "INVITE"), 1.0)
    assert transaction.next_deadline() == float("inf")
    assert transaction.receive(response(200, "INVITE"), 2.0)
    assert transaction.receive(response(200, "INVITE"), 3.0)
    assert not transaction.receive(response(180, "INVITE"), 3.0)
    assert not transaction.receive(response(486, "INVITE"), 3.0)
    assert transaction.state is TransactionState.ACCEPTED
    assert not transaction.tick(34.0)
    assert transaction.done


def test_a_final_answer_ends_other_requests_after_timer_k() -> None:
    """T4, for repeats on their way."""
    transaction = ClientTransaction(request("BYE"), False, TIMERS, 0.0)
    assert transaction.receive(response(200, "BYE"), 1.0)
    assert not transaction.receive(response(200, "BYE"), 2.0)
    assert transaction.next_deadline() == 6.0


@pytest.mark.parametrize("reliable", [False, True])
def test_the_answer_of_an_invite_is_repeated_until_its_ack(reliable: bool) -> None:
    """Over streams too, for a proxy further on may have lost it (13.3.1.4)."""
    transaction = ServerTransaction(request("INVITE"), response(200, "INVITE"), reliable, TIMERS, 0.0)
    assert sent_times(transaction)[:5] == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert transaction.unacknowledged
    transaction = ServerTransaction(request("INVITE"), response(200, "INVITE"), reliable, TIMERS, 0.0)
    transaction.acknowledge()
    assert sent_times(transaction) == [0.0]
    transaction = ServerTransaction(request("INVITE"), response(488, "INVITE"), True, TIMERS, 0.0)
    assert sent_times(transaction) == [0.0]


def test_other_answers_are_repeated_on_demand_only() -> None:
    """For timer J."""
    transaction = ServerTransaction(request("BYE"), response(200, "BYE"), False, TIMERS, 0.0)
    transaction.repeat()
    assert len(transaction.data_to_send()) == 2
    assert transaction.next_deadline() == 32.0
    assert transaction.tick(32.0)
