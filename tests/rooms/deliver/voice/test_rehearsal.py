"""A walk over one trunk, in virtual time."""

import io

import pytest
from tests.simulation.world import Network, Weather, play

from bocau.deliver.rehearsal import Step
from bocau.deliver.sip.order import NO_MEDIA, CallLimits, CallResult, CallStatus, MediaCounters, Retry, Side
from bocau.deliver.sip.trunk import Trunk
from bocau.deliver.voice.messages import Speech
from bocau.deliver.voice.rehearsal import Ask, TrunkRehearsal, sound_verdict
from bocau.simulator.phone import Phone, PhoneSettings
from bocau.telemetry import Lines, make_log

US, THEM = "10.0.0.1", "10.0.0.2"
TRUNK = Trunk("north", THEM, user="bocau", password="bocau")
SPEECH = Speech(("builtin",), repeats=1, gap_ms=100)


def walked(trunk: Trunk = TRUNK, ending: str = "", *, phone: bool = True) -> list[Step]:
    """The steps of a walk, with a call if an ending of a number is given."""

    async def run(network: Network) -> list[Step]:
        network.weather = Weather(0.001, 0.002, 0.0)
        us, them = network.machine("us", US), network.machine("them", THEM)

        async def ours() -> list[Step]:
            end = Phone(them.world, PhoneSettings(host=THEM))
            await end.start()
            reached = trunk._replace(port=end.port if phone else 9)
            log = make_log(Lines(io.StringIO()), us.world.now_ms)
            ask = Ask(f"84901{ending:0>6}", "1", SPEECH, CallLimits(listen=0.1)) if ending else None
            try:
                return await TrunkRehearsal(us.world, None, reached, log).play(ask)
            finally:
                await end.stop()

        return await us.run(ours())

    return play(run, 0)


def test_without_a_number_the_walk_ends_with_the_first_answer() -> None:
    """Name, transport, OPTIONS."""
    steps = walked()
    assert [(step.name, step.ok) for step in steps] == [("name", True), ("udp", True), ("OPTIONS", True)]
    assert steps[-1].said == "answered 200 OK"


def test_a_trunk_that_wants_it_is_registered_with() -> None:
    """And the registration is taken back; a wrong password is told."""
    steps = walked(TRUNK._replace(register=True))
    assert (steps[-1].name, steps[-1].ok, steps[-1].said) == ("REGISTER", True, "registered, and taken back")
    wrong = walked(TRUNK._replace(register=True, password="wrong"))
    assert not wrong[-1].ok
    assert "401" in wrong[-1].said


def test_over_a_connection_too() -> None:
    """TCP: the second step connects; where nobody listens it says so."""
    assert [step.ok for step in walked(TRUNK._replace(transport="tcp"))] == [True, True, True]
    refused = walked(TRUNK._replace(transport="tcp"), phone=False)
    assert (refused[-1].name, refused[-1].ok) == ("tcp", False)
    assert "cannot connect" in refused[-1].said


def test_a_silent_trunk_is_told_by_its_silence() -> None:
    """Ten seconds of OPTIONS without an answer; nothing after it is tried."""
    steps = walked(ending="1234", phone=False)
    assert [step.ok for step in steps] == [True, True, False]
    assert steps[-1].said == "nothing came within 10 s"
    assert steps[-1].milliseconds == 10_000


def test_a_call_is_rung_answered_spoken_and_heard_both_ways() -> None:
    """Seven steps, each timed."""
    steps = walked(ending="1234")
    assert [step.name for step in steps] == ["name", "udp", "OPTIONS", "ring", "answer", "prompt", "sound"]
    assert all(step.ok for step in steps)
    assert steps[3].said == "the phone rings"
    assert "said 1 time, we hung up" in steps[5].said
    assert steps[6].said.startswith("both ways: sent ")


@pytest.mark.parametrize(
    ("ending", "step", "said"),
    [
        ("0006", "ring", "BUSY: 486"),
        ("0023", "ring", "FAILED: 404"),
        ("0021", "answer", "NO ANSWER: "),
        ("0039", "sound", "one-way audio: sent "),
    ],
)
def test_a_call_that_does_not_work_says_where(ending: str, step: str, said: str) -> None:
    """The last step is the one that failed, in plain words."""
    last = walked(ending=ending)[-1]
    assert (last.name, last.ok) == (step, False)
    assert last.said.startswith(said)


def test_the_verdict_on_sound_names_packets_from_elsewhere() -> None:
    """A media gateway outside the networks of the trunk is the commonest reason of one-way audio."""
    result = CallResult(CallStatus.ANSWERED, Retry.NONE, 200, 0, "answered", "t", 1, 9, Side.CALLER, "", 1, 0, NO_MEDIA)
    ok, said = sound_verdict(result._replace(media=MediaCounters(sent=412, strangers=400)))
    assert not ok
    assert "sent 412 packets, received 0" in said
    assert "400 came from other addresses" in said
    assert sound_verdict(result._replace(media=MediaCounters(412, 400, 3, 2)))[0]
