"""What a worker makes of the manner that a call asks for (esms-api 4.1)."""

from pathlib import Path

from tests.rooms.deliver.speech.studio import make_pack

from bocau.core.call import Manner, Playing, Press
from bocau.deliver.sip.order import CallLimits, Utterance
from bocau.deliver.voice.messages import Place, Speech
from bocau.deliver.voice.worker import Talker

PACK = 'name = "ngoclam"\nlanguage = "vi"\nregion = "south"\n'


def said(talker: Talker, manner: Manner) -> Utterance:
    """What a call that asks for this plays."""
    return talker.order(Place("1", "84901234567", "482193", manner), CallLimits()).prompt


def test_voice_and_speed_are_heard(tmp_path: Path) -> None:
    """Another person, and more or less silence; a recording plays as it is."""
    make_pack(tmp_path / "ngoclam", manifest=PACK)
    talker = Talker(Speech(("pack", "builtin"), str(tmp_path)))
    assert talker.voice == "builtin", "the pack is of another region: it speaks where it is asked for"
    plain, asked = said(talker, Manner()), said(talker, Manner(voice="ngoclam"))
    assert plain.alaw != asked.alaw
    lengths = [len(said(talker, Manner(voice="ngoclam", speed=speed)).alaw) for speed in range(-3, 4)]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 7
    playing = Playing(8_000, bytes(16_000))
    assert said(talker, Manner(playing)) == said(talker, Manner(playing, "ngoclam", 3))


def test_a_route_says_which_keys_a_call_offers() -> None:
    """It goes before the settings of the voice, both ways; a route that says nothing leaves them."""
    wordy = Talker(Speech(("builtin",), press_to_hear=True, press_to_repeat=True, repeats=1))
    plain = Talker(Speech(("builtin",), repeats=1))

    def offered(talker: Talker, press: Press) -> tuple[bool, int]:
        order = talker.order(Place("1", "84901234567", "482193", press=press), CallLimits())
        return order.greeting is not None, len(order.prompt.alaw)

    (asks, longer), (silent, shorter) = offered(wordy, Press()), offered(plain, Press())
    assert asks
    assert not silent
    assert longer > shorter
    assert offered(plain, Press(True, True)) == (True, longer)
    assert offered(wordy, Press(False, False)) == (False, shorter)
    assert offered(plain, Press(to_hear=True)) == (True, shorter)
