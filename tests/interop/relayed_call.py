"""Two aioice agents call each other through a TURN server only, and each hears what the other says."""

import asyncio
import sys

import aioice


async def call(port, transport):
    def agent(controlling):
        return aioice.Connection(
            ice_controlling=controlling,
            turn_server=("127.0.0.1", port),
            turn_username="demo",
            turn_password="secret",
            turn_transport=transport,
            transport_policy=aioice.TransportPolicy.RELAY,
        )

    caller, callee = agent(True), agent(False)
    await asyncio.gather(caller.gather_candidates(), callee.gather_candidates())
    for here, there in ((caller, callee), (callee, caller)):
        for candidate in here.local_candidates:
            await there.add_remote_candidate(candidate)
        await there.add_remote_candidate(None)
        there.remote_username, there.remote_password = here.local_username, here.local_password
    await asyncio.gather(caller.connect(), callee.connect())
    print({candidate.type for candidate in caller.local_candidates + callee.local_candidates})
    await caller.send(b"to the callee")
    print(await callee.recv())
    await callee.send(b"to the caller")
    print(await caller.recv())
    await asyncio.gather(caller.close(), callee.close())


asyncio.run(asyncio.wait_for(call(int(sys.argv[1]), sys.argv[2]), 30))
