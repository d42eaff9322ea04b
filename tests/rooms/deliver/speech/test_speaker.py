"""Codes become prompts: in the right order and length, from the right voice, rendered once, and nothing leaks."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.deliver.speech.studio import make_pack, silence, wav
from tests.rooms.deliver.speech.test_engines import Program

from bocau.deliver.speech.builtin import Builtin, BuiltinVoice
from bocau.deliver.speech.cache import Cache
from bocau.deliver.speech.espeak import Espeak
from bocau.deliver.speech.pack import FILES, Packs
from bocau.deliver.speech.prompt import FRAME_SAMPLES, Options, Prompt, invitation_pieces, prompt_pieces
from bocau.deliver.speech.segments import DIGITS, LETTERS, SEGMENTS
from bocau.deliver.speech.speaker import Setup, Speaker
from bocau.deliver.speech.speaker import make_speaker as speaker_of
from bocau.deliver.speech.voice import SYNTHETIC, TONES, SpeechFault, Voice
from bocau.deliver.speech.wav import Sound
from bocau.wire.esms.calls import VOICES

codes = st.text(DIGITS + LETTERS, min_size=4, max_size=8)
options = st.builds(
    Options,
    repeats=st.integers(1, 3),
    gap_ms=st.integers(100, 1_000),
    pause_ms=st.integers(100, 2_000),
    press_to_repeat=st.booleans(),
)


class Counting:
    """An engine whose voice is the built-in one, and counts what it renders."""

    name = "counting"

    def __init__(self) -> None:
        self.rendered: list[str] = []

    def voice(self, language: str, region: str) -> Voice | None:
        engine = self

        class CountingVoice(BuiltinVoice):
            def render(self, segment: str) -> Sound:
                engine.rendered.append(segment)
                return super().render(segment)

        return CountingVoice()


BUILTIN = Speaker([Builtin()], Cache(None))


def test_the_pieces_stand_in_order() -> None:
    """The silences are those of the specification: 300 around, 250 between signs, 700 after each time."""
    said = [piece.segment or piece.silence_ms for piece in prompt_pieces("68", Options(repeats=2), tail=True)]
    once = ["lead", 250, "6", 250, "8", 0, 700]
    assert [piece for piece in said if piece] == [
        300,
        *[piece for piece in once * 2 if piece],
        "tail",
        300,
    ]
    asking = prompt_pieces("6", Options(repeats=1, press_to_repeat=True), tail=False)
    assert [piece.kind for piece in asking if piece.kind] == [
        "start",
        "lead",
        "code",
        "pause",
        "press_to_repeat",
        "end",
    ]
    inviting = [piece.kind for piece in invitation_pieces(Options(repeats=2))]
    assert inviting == ["start", "press_to_hear", "pause", "press_to_hear", "pause", "end"]


@given(codes, options)
def test_a_prompt_is_as_long_as_its_pieces_in_whole_frames(code: str, chosen: Options) -> None:
    """By both laws, so that a call may use either; marks stand where their pieces begin."""
    prompt = BUILTIN.prompt(code, "vi", "north", chosen)
    clips = BUILTIN.warm("vi", "north", chosen).clips
    said = sum(mark.kind == "code" for mark in prompt.marks)
    pieces = list(prompt_pieces(code, replace(chosen, repeats=said), tail=True))
    samples = sum(len(clips[p.segment].alaw) if p.segment else p.silence_ms * 8 for p in pieces)
    assert len(prompt.alaw) == len(prompt.ulaw) == samples + -samples % FRAME_SAMPLES
    assert [mark.kind for mark in prompt.marks] == [p.kind for p in pieces if p.kind]
    assert all(a.offset < b.offset for a, b in pairwise(prompt.marks))
    lead = clips["lead"].alaw
    assert all(prompt.alaw.startswith(lead, mark.offset) for mark in prompt.marks if mark.kind == "lead")


def test_a_code_is_said_less_often_where_the_call_would_be_too_long() -> None:
    """A call ends after a minute; a prompt that were cut off there might end within the code."""
    slow = Options(gap_ms=1_000, pause_ms=3_000)
    said = [BUILTIN.prompt(code, "vi", "north", slow) for code in ("1234", "1234567890", "1234567890123456")]
    assert [sum(mark.kind == "code" for mark in prompt.marks) for prompt in said] == [3, 2, 1]
    assert all(prompt.seconds <= 45 for prompt in said)


def test_a_prompt_begins_and_ends_in_silence() -> None:
    """Phones swallow about 100 ms of either end."""
    prompt = BUILTIN.prompt("686868", "vi", "north", Options())
    for sound, octet in ((prompt.alaw, b"\xd5"), (prompt.ulaw, b"\xff")):
        assert sound.startswith(octet * 2_400)
        assert sound.endswith(octet * 2_400)


@pytest.mark.parametrize("code", ["", "12 34", "12a4", "1" * 17, "một", "٣"])
def test_what_is_no_code_is_refused_without_naming_it(code: str) -> None:
    """The fault may end in a log."""
    with pytest.raises(SpeechFault, match=r"^a code is 1 to 16 of the signs 0 to 9 and A to Z$"):
        BUILTIN.prompt(code, "vi", "north", Options())


@pytest.mark.parametrize("repeats", [0, 4])
def test_a_code_is_said_one_to_three_times(repeats: int) -> None:
    """More would be a call that never ends."""
    with pytest.raises(SpeechFault, match="1 to 3 times"):
        BUILTIN.prompt("6868", "vi", "north", Options(repeats=repeats))


def test_a_prompt_does_not_show_its_sound() -> None:
    """Whoever logs one by mistake logs no code."""
    prompt = BUILTIN.prompt("686868", "vi", "north", Options())
    assert "alaw" not in repr(prompt)
    assert "6868" not in repr(prompt)
    assert len(repr(prompt)) < 1_000


def test_a_segment_is_rendered_once(tmp_path: Path) -> None:
    """Prompts after the first touch no engine; a restart finds all of it on disk."""
    engine = Counting()
    speaker = Speaker([engine], Cache(tmp_path))
    speaker.warm("vi", "north", Options())
    assert sorted(engine.rendered) == sorted(SEGMENTS)
    first = speaker.prompt("K7Q2", "vi", "north", Options())
    again = Counting()
    second = Speaker([again], Cache(tmp_path)).prompt("K7Q2", "vi", "north", Options())
    assert (len(engine.rendered), again.rendered) == (len(SEGMENTS), [])
    assert (first.alaw, first.ulaw) == (second.alaw, second.ulaw)


def test_a_spoilt_cache_is_made_again(tmp_path: Path) -> None:
    """A torn file or a foreign one is as if it were not there."""
    Speaker([Builtin()], Cache(tmp_path)).warm("vi", "north", Options())
    good = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(good) == len(SEGMENTS)
    for number, file in enumerate(sorted(tmp_path.iterdir())):
        file.write_bytes((b"", file.read_bytes()[:-7], wav(silence(0.1, 16_000), 16_000))[number % 3])
    engine = Counting()
    Speaker([engine], Cache(tmp_path)).warm("vi", "north", Options())
    assert len(engine.rendered) == len(SEGMENTS)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == good


def test_a_folder_that_cannot_be_written_stops_no_call(tmp_path: Path) -> None:
    """It costs the rendering at every start, no more."""
    (tmp_path / "file").write_text("in the way")
    speaker = Speaker([Builtin()], Cache(tmp_path / "file" / "cache"))
    assert speaker.prompt("6868", "vi", "north", Options()).seconds > 1


@given(st.lists(codes, min_size=1, max_size=3))
@settings(max_examples=5)
def test_nothing_on_disk_or_in_a_list_of_processes_tells_a_code(said: list[str]) -> None:
    """Files and runs are the same whatever was said: those of the whole voice, one segment each."""
    program, kept = Program(), Remembering()
    speaker = Speaker([Espeak(program)], kept)
    for code in said:
        speaker.prompt(code, "vi", "north", Options())
    other, others = Program(), Remembering()
    Speaker([Espeak(other)], others).prompt("1111", "vi", "north", Options())
    assert (program.runs, kept.texts) == (other.runs, others.texts)
    assert not any(code in text or code in repr(program.runs) for code in said for text in kept.texts)


class Remembering(Cache):
    """A cache that keeps what it is asked for instead of files."""

    def __init__(self) -> None:
        super().__init__(None)
        self.texts: list[str] = []

    def put(self, recipe: object, samples: object) -> None:
        self.texts.append(repr(recipe))


def test_files_are_named_by_digest_and_are_private(tmp_path: Path) -> None:
    """A name tells nothing, and other users of the machine do not get in."""
    Speaker([Builtin()], Cache(tmp_path / "speech")).prompt("K7Q2M9", "vi", "north", Options())
    assert all(re.fullmatch(r"[0-9a-f]{64}\.wav", file.name) for file in (tmp_path / "speech").iterdir())
    assert (tmp_path / "speech").stat().st_mode & 0o077 == 0


def make_speaker(folder: Path) -> Speaker:
    return Speaker([Packs(folder), Espeak(Program()), Builtin()], Cache(None))


def test_a_recorded_voice_goes_before_a_synthetic_one(tmp_path: Path) -> None:
    """In the order of the engines; what is not a person carries a warning that the operator sees."""
    make_pack(tmp_path / "lan")
    speaker = make_speaker(tmp_path)
    told = {
        (language, region): (prompt.voice, prompt.warning)
        for language, region in (("vi", "north"), ("vi", "south"), ("en", "north"))
        for prompt in (speaker.prompt("6868", language, region, Options()),)
    }
    assert told == {
        ("vi", "north"): ("lan", ""),
        ("vi", "south"): ("south", SYNTHETIC),
        ("en", "north"): ("english", SYNTHETIC),
    }
    assert Speaker([Builtin()], Cache(None)).warm("vi", "south", Options()).warning == TONES


def test_one_voice_speaks_all_of_a_prompt(tmp_path: Path) -> None:
    """A pack without letters, or without the phrase that is asked for, leaves the whole prompt to the next engine."""
    make_pack(tmp_path / "lan")
    speaker = make_speaker(tmp_path)
    assert speaker.prompt("6868", "vi", "north", Options()).voice == "lan"
    assert speaker.prompt("686K", "vi", "north", Options()).voice == "north"
    assert speaker.prompt("6868", "vi", "north", Options(press_to_repeat=True)).voice == "north"
    assert speaker.invitation("vi", "north", Options()).voice == "north"


def test_a_pack_that_cannot_be_read_is_passed_over_and_told(tmp_path: Path) -> None:
    """Calls go on with the next voice; the warning says what is wrong with the first."""
    pack = make_pack(tmp_path / "lan")
    (pack / FILES["6"]).write_bytes(b"no sound")
    found = make_speaker(tmp_path).warm("vi", "north", Options())
    assert found.voice.name == "north"
    assert found.warning == f"{SYNTHETIC}; {pack / FILES['6']} is not a WAV file"
    (pack / FILES["6"]).write_bytes(wav(silence(0.3, 8_000), 8_000))
    silent = make_speaker(tmp_path).prompt("6868", "vi", "north", Options())
    assert silent.warning == f"{SYNTHETIC}; voice lan of pack has no sound for 6"


def test_no_voice_at_all_is_a_fault_with_its_reasons(tmp_path: Path) -> None:
    """An operator who allows recordings only wants no tones."""
    with pytest.raises(SpeechFault, match=r'^there is no usable pack "lan" in .*; no voice for vi north has all'):
        Speaker([Packs(tmp_path, "lan")], Cache(None)).prompt("6868", "vi", "north", Options())
    with pytest.raises(SpeechFault, match=r"^no voice for vi south has all that is needed$"):
        Speaker([Packs(tmp_path)], Cache(None)).warm("vi", "south", Options())


def test_a_program_that_fails_is_not_run_for_every_call() -> None:
    """One look at a broken engine, not one per call."""
    runs = []

    def failing(words: Sequence[str], given: bytes) -> bytes:
        runs.append(words)
        if "--version" in words:
            return b"1.51"
        raise OSError("gone")

    speaker = Speaker([Espeak(failing), Builtin()], Cache(None))
    prompts: list[Prompt] = [speaker.prompt("6868", "vi", "north", Options()) for _ in range(3)]
    assert len(runs) == 2
    assert {prompt.warning for prompt in prompts} == {f"{TONES}; espeak-ng could not speak as north: gone"}


# What a call may ask for


@pytest.mark.parametrize(("speed", "gap_ms"), [(-3, 844), (-1, 375), (0, 250), (1, 167), (3, 74)])
def test_speed_is_silence_between_the_signs(speed: int, gap_ms: int) -> None:
    """Words said faster are understood worse; what an ear needs is time between them."""
    asked = Options().at(speed)
    assert asked.gap_ms == gap_ms
    assert asked.pause_ms == round(700 * 1.5**-speed)
    assert asked.repeats == Options().repeats


def test_a_pack_of_the_name_that_a_call_asks_for_speaks(tmp_path: Path) -> None:
    """Whatever its region, and prepared before a call needs it; nobody of that name: as if nothing was asked."""
    make_pack(tmp_path / "lan")
    make_pack(tmp_path / "mai", manifest='name = "hatieumai"\nlanguage = "vi"\nregion = "south"\n')
    setup = Setup(("pack", "builtin"), tmp_path)
    speaker = speaker_of(setup)
    assert speaker.warm("vi", "north", Options()).voice.name == "lan"
    for file in (tmp_path / "mai").rglob("*.wav"):
        file.unlink()
    said = {name: speaker.prompt("4821", "vi", "north", Options(), name).voice for name in ("", *VOICES)}
    assert said == {"": "lan", "male": "lan", "female": "lan", "ngoclam": "lan", "hatieumai": "hatieumai"}


def test_a_person_who_has_no_letters_does_not_say_half_a_code(tmp_path: Path) -> None:
    """The first voice that has all of it says all of it."""
    make_pack(tmp_path / "male", manifest='name = "male"\nlanguage = "vi"\nregion = "north"\n')
    speaker = speaker_of(Setup(("pack", "builtin"), tmp_path))
    assert speaker.prompt("482193", "vi", "south", Options(), "male").voice == "male"
    assert speaker.prompt("4A2193", "vi", "south", Options(), "male").voice == "builtin"
    assert speaker.invitation("vi", "south", Options(), "male").voice == "builtin"
