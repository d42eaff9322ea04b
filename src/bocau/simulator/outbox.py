"""One account's receipts on their way: kept until the peer acknowledges them, over whichever bind is up."""

from collections import deque
from typing import Final, NamedTuple, Protocol

from bocau.simulator.receipts import News, write_receipt
from bocau.simulator.rules import ReceiptDue, Spoiled
from bocau.simulator.spoiling import NOBODYS_SEQUENCE, Octets, spoil
from bocau.wire.smpp.codec import encode_deliver_sm
from bocau.wire.smpp.pdu import DeliverSm
from bocau.wire.smpp.status import Answer, Status, answer_class

__all__ = ["Outbox", "Parcel", "ReceiverLink", "Verdict"]

_ODD_NUMBERS: Final = 200
_COME_AGAIN: Final = frozenset({Answer.TEMPORARY, Answer.THROTTLE})


class ReceiverLink(Protocol):
    """A bind that receipts can go over."""

    @property
    def free_slots(self) -> int:
        """How many it takes now; 0 if it takes none."""
        ...

    def deliver(self, message: DeliverSm, parcel: "Parcel") -> None:
        """Queue one; it leaves with all others of this turn of the loop."""
        ...

    def write(self, octets: Octets) -> None:
        """Queue octets that no session would write."""
        ...


class Parcel:
    """One receipt, from the moment it is due. It is waiting, out on one link, or done."""

    __slots__ = ("done", "due", "link", "message", "news", "number", "origin", "outbox", "spoiled")

    def __init__(self, outbox: "Outbox", news: News, due: ReceiptDue, origin: ReceiverLink | None = None) -> None:
        """A receipt that is not written yet; `origin` is the bind that its submit came on."""
        self.origin = origin
        self.spoiled = due.spoiled
        self.outbox = outbox
        self.news = news
        self.due = due
        self.message: DeliverSm | None = None
        """As it is handed over, the same at every try."""
        self.number = 0
        """How often it was handed over."""
        self.link: ReceiverLink | None = None
        """Where it was handed over last and may still be acknowledged; None while it waits and when it is done."""
        self.done = False


class Verdict(NamedTuple):
    """What an acknowledgement amounts to."""

    again: bool = False
    """It is to be offered again, later."""
    given_up: bool = False
    """The peer will never take it."""


_NOTHING_NEW: Final = Verdict()
_AGAIN: Final = Verdict(again=True)
_GIVEN_UP: Final = Verdict(given_up=True)


class Outbox:
    """The receipts and the links of one account (system_id)."""

    __slots__ = ("_odd", "_queue", "_turn", "links", "sent", "system_id")

    def __init__(self, system_id: str) -> None:
        """Nothing to send and nowhere to send it."""
        self.system_id = system_id
        self.links: list[ReceiverLink] = []
        self.sent: list[Parcel] = []
        """What `pump` sent since the list was last emptied, for the journal."""
        self._queue: deque[Parcel] = deque()
        self._turn = 0
        self._odd = 0

    def __len__(self) -> int:
        """How many receipts wait to be handed over."""
        return len(self._queue)

    def put(self, parcel: Parcel) -> None:
        """A receipt is due, for the first time or again."""
        if not parcel.done:
            self._queue.append(parcel)

    def pump(self, done_stamp: str) -> int:
        """Hand over as much as the links take, each time beginning at the next one; how many went."""
        queue, links = self._queue, self.links
        if not queue or not links:
            return 0
        count = 0
        self._turn = turn = (self._turn + 1) % len(links)
        for link in links[turn:] + links[:turn]:
            free = link.free_slots
            others: list[Parcel] = []
            while free > 0 and queue:
                parcel = queue.popleft()
                if parcel.done:
                    continue
                if parcel.due.elsewhere and parcel.origin is link and len(links) > 1:
                    others.append(parcel)
                    continue
                if parcel.message is None:
                    parcel.message = write_receipt(parcel.news, parcel.due, done_stamp)
                if parcel.spoiled is not Spoiled.NOTHING:
                    self._spoil(link, parcel, parcel.message)
                    free = link.free_slots
                    continue
                parcel.link = link
                parcel.number += 1
                link.deliver(parcel.message, parcel)
                self.sent.append(parcel)
                free -= 1
                count += 1
            queue.extendleft(reversed(others))
        return count

    def _spoil(self, link: ReceiverLink, parcel: Parcel, message: DeliverSm) -> None:
        """Write it with something wrong, once; then it is the next to be handed over."""
        self._odd += 1
        pdu = encode_deliver_sm(NOBODYS_SEQUENCE + self._odd % _ODD_NUMBERS, message)
        link.write(spoil(pdu, parcel.spoiled))
        parcel.spoiled = Spoiled.NOTHING
        self._queue.appendleft(parcel)

    def acknowledged(self, link: ReceiverLink, parcel: Parcel, status: int) -> Verdict:
        """The peer answered over this link, in time or late."""
        if parcel.done:
            return _NOTHING_NEW
        if status == Status.OK:
            parcel.done = True
        elif parcel.link is not link:
            # It is on its way a second time; that answer counts.
            return _NOTHING_NEW
        elif answer_class(status) in _COME_AGAIN:
            parcel.link = None
            return _AGAIN
        else:
            parcel.done = True
        parcel.link = None
        return _NOTHING_NEW if status == Status.OK else _GIVEN_UP

    def unanswered(self, link: ReceiverLink, parcels: list[Parcel]) -> int:
        """Nothing came back over this link in time, or it is gone: offer them again, first of all; how many."""
        back = [parcel for parcel in parcels if parcel.link is link and not parcel.done]
        for parcel in back:
            parcel.link = None
        self._queue.extendleft(reversed(back))
        return len(back)
