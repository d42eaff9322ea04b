"""What a trunk is told of the way back to us: addresses behind a NAT, audio ports of a firewall's range."""

from tests.rooms.deliver.sip.exchange import CALM, THEM, TRUNK, US, opened
from tests.simulation.world import Network, play

from bocau.deliver.sip.engine import EngineSettings
from bocau.deliver.sip.order import CallResult, CallStatus, Retry


def told(result: CallResult) -> list[str]:
    """The lines of our INVITE."""
    return result.ladder[0].text.split("\n")


def test_behind_a_nat_contact_and_sound_name_the_address_outside() -> None:
    """Our own address would lead nowhere; Via keeps it, for answers come back by rport."""

    async def scenario(network: Network) -> None:
        network.weather = CALM
        us, them = network.machine("us", US), network.machine("them", THEM)

        async def ours() -> None:
            trunk = TRUNK._replace(public_host="203.0.113.5", local_port=5088)
            calls = await opened(us.world, them.world, trunk, host=THEM)
            lines = told(await calls.call("0006"))
            assert "Contact: <sip:bocau@203.0.113.5:5088>" in lines
            assert "c=IN IP4 203.0.113.5" in lines
            assert next(line for line in lines if line.startswith("Via: ")).startswith(
                f"Via: SIP/2.0/UDP {US}:5088;rport"
            )
            await calls.engine.stop()
            await calls.phone.stop()

        await us.run(ours())

    play(scenario, 0)


def test_audio_takes_the_ports_that_the_firewall_opens() -> None:
    """A pair for each call, from an even one on; a call that finds none is the trunk's fault and goes elsewhere."""

    async def scenario(network: Network) -> None:
        network.weather = CALM
        us, them = network.machine("us", US), network.machine("them", THEM)

        async def ours() -> None:
            settings = EngineSettings(first_port=20_001, last_port=20_005)
            calls = await opened(us.world, them.world, TRUNK, settings, host=THEM)
            names = [calls.place(ending) for ending in ("0101", "0102", "0103")]
            results = [await calls.end(name) for name in names]
            ports = {line.split()[1] for one in results[:2] for line in told(one) if line.startswith("m=audio")}
            assert ports == {"20002", "20004"}
            assert {line for line in told(results[0]) if line.startswith("a=rtcp")} <= {"a=rtcp:20003", "a=rtcp:20005"}
            assert [one.status for one in results] == [CallStatus.ANSWERED] * 2 + [CallStatus.FAILED]
            assert (results[2].retry, results[2].ladder) == (Retry.NEXT_TRUNK_BACK_OFF, ())
            assert "no free pair of audio ports" in results[2].reason
            again = await calls.call("0104")
            assert again.status is CallStatus.ANSWERED, "the first call's ports are free again"
            await calls.engine.stop()
            await calls.phone.stop()

        await us.run(ours())

    play(scenario, 0)
