"""A customer of a carrier made with smpp34: argument PORT; one submit, its receipt, unbind."""

import asyncio
import json
import sys

import smpp34


async def main() -> None:
    """Bind, submit, hear, unbind."""
    client = smpp34.Client(
        host="127.0.0.1", port=int(sys.argv[1]), system_id="acme", password="secret", bind_type="TRX"
    )
    smsc = await client.connect()
    answer = await smsc.submit_sm(
        source_addr="ACME", destination_addr="84901230000", short_message=b"hello", registered_delivery=1
    )
    event = await asyncio.wait_for(smsc.next(), 20)
    print(json.dumps({"id": answer.message_id, "receipt": bytes(event.short_message).decode()}), flush=True)
    await smsc.unbind()


asyncio.run(main())
