"""A message that staging caught is let go to a phone: a copy of it, accepted as a request of its own."""

import asyncio
from collections.abc import Callable, Mapping, MutableSet
from typing import Any, Protocol

from bocau.core.ids import Ids, smsid_of
from bocau.core.lifecycle import State
from bocau.core.message import Admission, Admitted, Message
from bocau.core.phone import normalise
from bocau.ports import Act, ActRefused
from bocau.store.contract import AcceptStore, StoreFault, StoryLine, StoryStore

__all__ = ["ReleaseDesk", "copy_of"]


def copy_of(line: StoryLine, phone: str, telco: int, ids: Ids, token: bytes, now_ms: int, ttl_ms: int) -> Admission:
    """The rows of the copy, for anybody to dispatch. It costs what the message cost, has no RequestId and calls nobody
    back: the application has heard of the message already."""
    number = ids.next(now_ms)
    message = Message(
        id=number,
        head=number,
        account_id=line.account_id,
        smsid=smsid_of(number, token, ids.node),
        receivers=1,
        dropped=0,
        request_id="",
        campaign_id="",
        sms_type=line.sms_type,
        route_class=line.route_class,
        brandname=line.brandname,
        phone=phone,
        telco=telco,
        content=line.content,
        parts=line.parts,
        price=line.price,
        callback_url="",
        state=State.QUEUED.value,
        reason="",
        owner=0,
        tries=0,
        carrier="",
        reference=0,
        created_ms=now_ms,
        release_ms=now_ms,
        due_ms=now_ms,
        expires_ms=now_ms + ttl_ms,
        wake_ms=now_ms + ttl_ms,
        final_ms=None,
    )
    return Admission((message,), line.price, consumes_request_id=True)


class ReleaseStore(AcceptStore, StoryStore, Protocol):
    """What is read and written through."""


class ReleaseDesk:
    """The act of `bocau staging release`."""

    def __init__(
        self,
        capture: str,
        store: ReleaseStore,
        copy: Callable[[StoryLine, str], Admission],
        released: MutableSet[int],
        wake: Callable[[], None],
    ) -> None:
        """`capture` is the carrier that catches; `released` tells dispatch what goes by the routes all the same."""
        self.acts: dict[str, Act] = {"staging/release": Act(self._release, changes=True)}
        self._capture = capture
        self._store = store
        self._copy = copy
        self._released = released
        self._wake = wake

    async def _release(self, asked: Mapping[str, Any]) -> object:
        """A copy of each caught message of a request for its phone, or of its first one for the phone that is named."""
        smsid, phone = str(asked.get("smsid", "")), str(asked.get("phone", ""))
        to = normalise(phone) if phone else ""
        if to is None:
            raise ActRefused(f"{phone} is no Vietnamese mobile number.")
        story = await self._store.story(smsid)
        caught = [line for line in (story.messages if story else ()) if line.carrier == self._capture]
        if not caught:
            raise ActRefused(f"There is no request {smsid} that staging caught.")
        return [await self._let_go(line, to or line.phone) for line in caught[: 1 if to else None]]

    async def _let_go(self, line: StoryLine, phone: str) -> dict[str, object]:
        told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        copy = self._copy(line, phone)
        [message] = copy.messages
        self._released.add(message.id)
        self._store.admit(copy, told.set_result)
        result = await told
        if not isinstance(result, Admitted):
            self._released.discard(message.id)
            broken = isinstance(result, StoreFault)
            raise ActRefused("The store cannot be written." if broken else "The account's balance is not enough.")
        self._wake()
        return {"smsid": message.smsid, "phone": phone, "of": line.smsid}
