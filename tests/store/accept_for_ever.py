"""A gateway to be killed: accepts lots of requests on `<folder>/life0.db` and prints each id once it is acknowledged.

Run as `python -m tests.store.accept_for_ever FOLDER NOW_MS`.
"""

import asyncio
import sys
from pathlib import Path

from tests.store.engines import SqliteEngine
from tests.store.house import PRICE, House

from bocau.core.message import Admitted
from bocau.store.contract import AdmitResult, StoreFault


def main(folder: str, now_ms: int) -> None:
    """Until killed."""
    house = House(SqliteEngine(Path(folder), threaded=True), now=now_ms)
    asyncio.set_event_loop(None)
    house.run(house.store.top_up(house.account, 10**9 * PRICE, "endless", now_ms))

    def told(result: AdmitResult | StoreFault) -> None:
        if isinstance(result, Admitted):
            print(result.admission.messages[0].id, flush=True)

    async def accept() -> None:
        count = 0
        while True:
            for _ in range(count % 7):
                house.store.admit(house.draft(request_id=f"{now_ms}-{count}", receivers=1 + count % 3), told)
                count += 1
            count += 1
            await asyncio.sleep(0)

    house.run(accept())  # for as long as the house has patience, which is longer than the test


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
