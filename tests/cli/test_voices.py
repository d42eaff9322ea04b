"""`bocau voice`: voices are listed, packs are checked and imported, and what a phone would play becomes a file."""

import json
from pathlib import Path

import pytest
from tests.cli.shell import Shell
from tests.rooms.deliver.speech.studio import MANIFEST, make_pack, silence, wav

from bocau.deliver.speech.pack import FILES
from bocau.deliver.speech.segments import DIGITS, SEGMENTS
from bocau.deliver.speech.wav import read_wav

TONES = "no speech but test tones; install espeak-ng, or record your own: docs/how-to/voice-prompts"


@pytest.fixture
def quiet(shell: Shell, tmp_path: Path) -> Shell:
    """Commands where only recordings and the built-in signs speak, so that every machine says the same."""
    (tmp_path / "bocau.toml").write_text('[voice]\nengines = ["pack", "builtin"]\nrepeats = 1\n', "utf-8")
    return shell


def test_a_good_pack_is_checked_imported_and_spoken(quiet: Shell, tmp_path: Path) -> None:
    """The way of a person who has just recorded one."""
    make_pack(tmp_path / "mine", (*DIGITS, "A", "lead", "tail"))
    checked = quiet.run("voice", "pack", "check", "mine")
    assert checked.exit_code == 0
    assert checked.stdout.splitlines()[-1] == "mine can be used: lan, vi north, says 10 digits, 1 letter, lead, tail."
    assert quiet.ok("voice", "pack", "import", "mine") == "Imported lan to .bocau/packs/lan.\n"
    told = quiet.json("voice", "pack", "preview", "--code", "6868", "--out", "heard.wav")
    assert (told["voice"], told["warning"]) == ("lan", "")
    assert [mark["what"] for mark in told["marks"]] == ["start", "lead", "code", "pause", "tail", "end"]
    heard = read_wav((tmp_path / "heard.wav").read_bytes())
    assert (heard.rate, len(heard.samples) / 8_000) == (8_000, told["seconds"])
    rows = {row["voice"]: row for row in quiet.json("voice", "voices")}
    assert rows["lan"] == {
        "voice": "lan",
        "engine": "pack",
        "language": "vi",
        "region": "north",
        "says": "10 digits, 1 letter, lead, tail",
        "speaks": True,
        "warning": "",
    }
    assert (rows["builtin"]["speaks"], rows["builtin"]["warning"]) == (False, TONES)


def test_a_bad_pack_is_told_file_by_file_and_not_imported(quiet: Shell, tmp_path: Path) -> None:
    """The exit code says so, too."""
    pack = make_pack(tmp_path / "mine")
    (pack / FILES["6"]).write_bytes(wav(silence(0.5, 8_000), 8_000))
    (pack / FILES["lead"]).rename(pack / "phrases" / "leed.wav")
    checked = quiet.run("voice", "pack", "check", "mine")
    assert checked.exit_code == 1
    assert checked.stdout.splitlines() == [
        "phrases/lead.wav: is missing",
        "digits/6.wav: is silent; record it louder",
        'phrases/leed.wav: is not used; did you mean "phrases/lead.wav"? (warning)',
        "mine: 2 problems to put right before it can be used.",
    ]
    report = json.loads(quiet.run("voice", "pack", "check", "mine", "--json").stdout)
    assert (report["ok"], report["pack"], len(report["findings"])) == (False, "lan", 3)
    assert quiet.fails("voice", "pack", "import", "mine").startswith("Nothing was imported. mine: 2 problems")
    assert not (tmp_path / ".bocau").exists()


def test_a_pack_of_the_same_name_gives_way_only_if_told(quiet: Shell, tmp_path: Path) -> None:
    """Nobody loses a recording by a mistyped name."""
    make_pack(tmp_path / "mine")
    quiet.ok("voice", "pack", "import", "mine")
    said = quiet.fails("voice", "pack", "import", "mine")
    assert said == "There is a pack at .bocau/packs/lan already. Give --replace, or the new one another name.\n"
    assert quiet.json("voice", "pack", "import", "mine", "--replace")["pack"] == "lan"


def test_the_built_in_signs_warn(quiet: Shell, tmp_path: Path) -> None:
    """On standard error, where it is seen; the default file is preview.wav."""
    done = quiet.run("voice", "pack", "preview", "--voice", "builtin")
    assert done.exit_code == 0
    assert done.stderr == f"Warning: {TONES}.\n"
    assert "Voice    builtin" in done.stdout
    assert (tmp_path / "preview.wav").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "nowhere"), "There is no folder nowhere.\n"),
        (("preview", "--voice", "soth"), 'There is no voice "soth"; did you mean "south"? Name one of north, '),
        (("preview", "--pack", "la"), 'There is no usable pack "la"; did you mean "lan"? `bocau voice voices`'),
        (("preview", "--pack", "lan", "--voice", "north"), "--pack and --voice both name a voice; give one of them.\n"),
        (("preview", "--code", "12 34"), "A code is 1 to 16 of the signs 0 to 9 and A to Z.\n"),
        (("preview", "--out", "no/where.wav"), "no/where.wav cannot be written: No such file or directory.\n"),
        (("preview", "--pack", "lan", "--code", "K7Q2"), "Voice lan of pack has no letters; no voice for vi north has"),
    ],
)
def test_mistakes_are_met_with_what_to_do(quiet: Shell, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """One sentence, exit code 1."""
    make_pack(tmp_path / ".bocau" / "packs" / "lan", manifest=MANIFEST)
    assert quiet.fails("voice", "pack", *words).startswith(said)


def test_settings_choose_the_voice(shell: Shell, tmp_path: Path) -> None:
    """Pack, engines, language, repeats and the words around, as in the file."""
    make_pack(tmp_path / "packs" / "1", SEGMENTS, 'name = "jane"\nlanguage = "en"\n')
    make_pack(tmp_path / "packs" / "2", SEGMENTS, 'name = "anna"\nlanguage = "en"\n')
    settings = """
[voice]
language = "en"
engines = ["pack"]
pack = "jane"
packs_folder = "packs"
cache_folder = "cache"
repeats = 2
gap_ms = 100
press_to_repeat = true
"""
    (tmp_path / "bocau.toml").write_text(settings, "utf-8")
    told = shell.json("voice", "pack", "preview")
    assert told["voice"] == "jane"
    once = ["lead", "code", "pause"]
    assert [mark["what"] for mark in told["marks"]] == ["start", *once, *once, "press_to_repeat", "tail", "end"]
    assert len(list((tmp_path / "cache").iterdir())) == len(SEGMENTS)
    (tmp_path / "bocau.toml").write_text(f"{settings}press_to_hear = true\n", "utf-8")
    asked = shell.json("voice", "pack", "preview")
    assert [mark["what"] for mark in asked["marks"]][:6] == ["start", "press_to_hear", "pause", "end", "start", "lead"]
    assert asked["marks"][4]["seconds"] == pytest.approx(asked["seconds"] - told["seconds"])
    (tmp_path / "bocau.toml").write_text(settings.replace('"jane"', '"jame"'), "utf-8")
    assert 'there is no usable pack "jame" in packs; did you mean "jane"?' in shell.run("voice", "voices").stderr
