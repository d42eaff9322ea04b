"""The numbers that moved, read from the store a stretch at a time, so that a million of them hold nobody up."""

from array import array
from typing import Final

from bocau.core.numbering import Ported
from bocau.ports import World
from bocau.store.contract import AcceptStore

__all__ = ["read_ported"]

_STRETCH: Final = 5_000
"""Rows of one read: some 3 ms on the loop."""


async def read_ported(store: AcceptStore, world: World) -> Ported:
    """All of them. Between two stretches the loop does other work; a change meanwhile has a version of its own."""
    phones, telcos = array("I"), bytearray()
    while rows := await store.ported(phones[-1] if phones else 0, _STRETCH):
        phones.extend(phone for phone, _ in rows)
        telcos.extend(telco for _, telco in rows)
        if len(rows) < _STRETCH:
            break
        await world.sleep(0)
    return Ported(phones, telcos)
