"""The carrier of staging: it takes every message, hands it to nobody, and reports it delivered.

So an application meets what it meets in production, answer, receipt and callback, and no phone rings.
"""

import asyncio
from functools import partial
from typing import Final

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind, AttemptKey, ReceiptIn, ReceiptStored
from bocau.core.outcome import match_key
from bocau.deliver.record import Recorder, Sent, TakeReceipt
from bocau.ports import Pulse, Submission, World
from bocau.telemetry import CarrierMeters

__all__ = ["CaptureCarrier"]

_WINDOW: Final = 1_000
_AGAIN_SECONDS: Final = 1.0


class CaptureCarrier:
    """`fleet.Ship` without a link. A message goes in whole."""

    def __init__(
        self,
        name: str,
        world: World,
        receipts: TakeReceipt,
        recorder: Recorder,
        meters: CarrierMeters,
    ) -> None:
        self.name = name
        self.window = _WINDOW
        self.wanted = 1
        self.why = ""
        self.pulse = Pulse()
        self.adapts = True
        self.outstanding = 0
        self._world = world
        self._receipts = receipts
        self._recorder = recorder
        self._meters = meters
        self._up = False

    @property
    def up(self) -> bool:
        """See ports.Carrier."""
        return self._up

    @property
    def bound(self) -> int:
        """See fleet.Ship."""
        return int(self._up)

    @property
    def pace_per_second(self) -> float | None:
        """See fleet.Ship."""
        return None

    @property
    def room(self) -> int:
        """See ports.Carrier."""
        return self.window if self._up else 0

    @property
    def idle(self) -> bool:
        """See ports.Carrier."""
        return self._up

    def summary(self) -> dict[str, object]:
        """See fleet.Ship."""
        return {
            "link": self.name,
            "kind": "capture",
            "address": "nowhere: what it takes is kept here",
            "state": "works" if self._up else "down",
            "binds": "",
            "window": f"0 of {self.window}",
            "why": "",
        }

    def start(self) -> None:
        """See fleet.Ship."""
        self._up = True

    async def stop(self, seconds: float) -> None:
        """See fleet.Ship."""
        del seconds
        self._up = False
        await self._recorder.finish()

    def reserve(self, parts: int) -> None:
        """See ports.Carrier. There is always room."""

    def release(self, parts: int) -> None:
        """See ports.Carrier."""

    def submit(self, submission: Submission) -> None:
        """See ports.Carrier."""
        self._meters.submitted += 1
        self.pulse.beat()
        key = AttemptKey(submission.message_id, 1, submission.number)
        sent = Sent(
            key,
            submission.account_id,
            submission.total,
            submission.route_class,
            submission.phone,
            self._world.monotonic(),
            None,
            submission.recourse,
        )
        carrier_id = f"{self.name}-{submission.message_id:x}-{submission.number}"
        self._recorder.record(sent, AnswerKind.TAKEN, 0, carrier_id, match_key(carrier_id))
        self._meters.receipts += 1
        self._report(
            ReceiptIn(
                self.name,
                carrier_id,
                (match_key(carrier_id),),
                submission.phone,
                AttemptState.DELIVERED,
                "",
                self._world.now_ms(),
                b"",
                key,
                hand_over=False,
            )
        )

    def _report(self, receipt: ReceiptIn) -> None:
        self._receipts(receipt, partial(self._reported, receipt))

    def _reported(self, receipt: ReceiptIn, stored: ReceiptStored | None) -> None:
        """Nobody else will say it again."""
        if stored is None:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._report, receipt)
