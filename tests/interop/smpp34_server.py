"""A carrier made with smpp34: argument PORT; takes every message and reports it delivered."""

import asyncio
import json
import sys

import smpp34


async def main() -> None:
    """Serve until ended."""
    server = smpp34.Server(host="127.0.0.1", port=int(sys.argv[1]), system_id="rust")
    await server.start()
    print("ready", flush=True)
    esmes = {}
    count = 0
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            esmes[event.session_id] = event
        elif isinstance(event, smpp34.SubmitSmEvent):
            count += 1
            event.accept(message_id=f"r{count}")
            text = bytes(event.short_message).decode("latin-1")
            print(json.dumps({"to": event.destination_addr, "text": text}), flush=True)
            said = f"id:R{count} submit date:2611241300 done date:2611241301 stat:DELIVRD err:000"
            await esmes[event.session_id].deliver_sm(
                source_addr=event.destination_addr,
                destination_addr=event.source_addr,
                esm_class=0x04,
                short_message=said.encode(),
            )


asyncio.run(main())
