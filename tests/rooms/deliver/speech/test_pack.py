"""Recorded packs: what makes a good one, and every way to make a bad one, told with the file's name."""

from pathlib import Path

import pytest
from tests.rooms.deliver.speech.studio import MANIFEST, make_pack, recording, silence, tone, wav

from bocau.deliver.speech.pack import Finding, Packs, find_packs, keep_pack, read_pack
from bocau.deliver.speech.pack_check import check_pack
from bocau.deliver.speech.segments import DIGITS, LETTERS, SEGMENTS
from bocau.deliver.speech.voice import SpeechFault

GOLDEN = Path(__file__).parent / "golden" / "check.txt"


def test_a_good_pack_has_nothing_to_say(tmp_path: Path) -> None:
    """The least there must be, and all there can be; hidden files do not count."""
    assert check_pack(make_pack(tmp_path / "least")) == []
    whole = make_pack(tmp_path / "whole", SEGMENTS, MANIFEST + 'description = "Lan, Hanoi, 2026"\n')
    (whole / ".DS_Store").write_bytes(b"")
    assert check_pack(whole) == []


def test_everything_wrong_with_a_pack_is_found_at_once(tmp_path: Path) -> None:
    """The golden file shows each finding as a person reads it."""
    pack = make_pack(tmp_path / "bad", (*DIGITS, "A", "B"), MANIFEST.replace("north", "nort") + "voice = 1\n")
    digits = pack / "digits"
    (digits / "0.wav").unlink()
    (digits / "1.wav").write_bytes(b"ID3\x04")
    (digits / "2.wav").write_bytes(recording("2")[:-100])
    (digits / "3.wav").write_bytes(wav(silence(0.5, 16_000), 16_000))
    (digits / "4.wav").write_bytes(wav(tone(300, 0.3, 16_000, 1.4), 16_000))
    (digits / "5.wav").write_bytes(wav(tone(300, 2.5, 8_000), 8_000))
    (digits / "6.wav").write_bytes(wav(silence(0.3, 8_000) + tone(300, 0.02, 8_000) + silence(0.3, 8_000), 8_000))
    (digits / "7.wav").write_bytes(recording("7").replace(b"\x01\x00\x01\x00", b"\x06\x00\x01\x00", 1))
    (digits / "nine.wav").write_bytes(recording("9"))
    (pack / "phrases").mkdir()
    (pack / "phrases" / "leed.wav").write_bytes(recording("lead"))
    (pack / "notes.txt").write_text("Lan, take 3")
    said = "".join(f"{finding}{'' if finding.fatal else ' (warning)'}\n" for finding in check_pack(pack))
    assert said == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("name = ", "is not TOML: Invalid value (at end of document)"),
        ('name = "Lan"\nlanguage = "vi"\nregion = "north"', "name must be 1 to 32 small letters"),
        ('name = "lan"\nlanguage = "fr"', 'language must be "vi" or "en"'),
        ('name = "lan"\nlanguage = "vi"', 'region of language "vi" must be "north", "central" or "south"'),
        ('name = "lan"\nlanguage = "en"\nregion = "north"', 'region of language "en" must be left out'),
        (
            'name = "lan"\nlanguage = "vi"\nregion = "north"\nlangage = 1',
            'unknown key langage; did you mean "language"?',
        ),
    ],
)
def test_a_manifest_that_cannot_be_used_is_explained(tmp_path: Path, manifest: str, said: str) -> None:
    """Nothing else is known about the pack then."""
    pack, findings = read_pack(make_pack(tmp_path, manifest=manifest))
    assert pack is None
    assert said in str(findings[0])


def test_a_folder_without_a_manifest_is_no_pack(tmp_path: Path) -> None:
    """Also one that is not there."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert read_pack(folder) == (None, [Finding("pack.toml", "is missing; it says name, language and region")])


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    """A pack may come from anybody."""
    pack = make_pack(tmp_path)
    with (pack / "digits" / "1.wav").open("ab") as file:
        file.truncate(20_000_001)
    assert check_pack(pack) == [Finding("digits/1.wav", "is larger than 20 MB; it should hold one word")]


def test_packs_are_found_by_language_and_region(tmp_path: Path) -> None:
    """The first by name where several fit; one without a digit is passed over."""
    make_pack(tmp_path / "1", manifest=MANIFEST.replace('"lan"', '"minh"'))
    make_pack(tmp_path / "2")
    make_pack(tmp_path / "3", DIGITS, MANIFEST.replace('"lan"', '"an"'))
    make_pack(tmp_path / "4", manifest='name = "jane"\nlanguage = "en"\n')
    assert [pack.name for pack in find_packs(tmp_path)] == ["jane", "lan", "minh"]
    north, english = Packs(tmp_path).voice("vi", "north"), Packs(tmp_path).voice("en", "")
    assert north is not None
    assert english is not None
    assert (north.name, english.name) == ("lan", "jane")
    assert Packs(tmp_path).voice("vi", "south") is None
    assert Packs(tmp_path / "nowhere").voice("vi", "north") is None
    assert Packs(None).voice("vi", "north") is None


def test_a_pack_that_was_named_is_the_only_one(tmp_path: Path) -> None:
    """For its own language and region; a name that is not there is a fault, not a surprise."""
    make_pack(tmp_path / "1", manifest=MANIFEST.replace('"lan"', '"minh"'))
    make_pack(tmp_path / "2")
    named = Packs(tmp_path, "minh").voice("vi", "north")
    assert named is not None
    assert named.name == "minh"
    assert Packs(tmp_path, "minh").voice("en", "") is None
    with pytest.raises(SpeechFault, match=r'there is no usable pack "min" in .*; did you mean "minh"\?'):
        Packs(tmp_path, "min").voice("vi", "north")


def test_another_take_is_another_segment(tmp_path: Path) -> None:
    """The recipe holds the recording's own digest, so the cache cannot serve the old one."""
    pack = make_pack(tmp_path, (*DIGITS, *LETTERS, "lead"))
    one = Packs(tmp_path.parent, "lan").voice("vi", "north")
    assert one is not None
    before = one.recipe("6")
    (pack / "digits" / "6.wav").write_bytes(recording("8"))
    assert one.recipe("6") != before
    (pack / "digits" / "6.wav").unlink()
    with pytest.raises(SpeechFault, match=r"6\.wav cannot be used"):
        one.recipe("6")


def test_a_pack_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """Its own files and nothing else; what was there before gives way only if that is wanted."""
    source = make_pack(tmp_path / "source", (*DIGITS, "lead", "K"))
    (source / "notes.txt").write_text("not ours")
    pack, _ = read_pack(source)
    assert pack is not None
    folder = tmp_path / "packs"
    place = keep_pack(pack, folder, replace=False)
    assert place == folder / "lan"
    files = sorted(str(file.relative_to(place)) for file in place.rglob("*") if file.is_file())
    assert files == [*(f"digits/{digit}.wav" for digit in DIGITS), "letters/K.wav", "pack.toml", "phrases/lead.wav"]
    with pytest.raises(FileExistsError):
        keep_pack(pack, folder, replace=False)
    (source / "letters" / "K.wav").unlink()
    smaller, _ = read_pack(source)
    assert smaller is not None
    assert not (keep_pack(smaller, folder, replace=True) / "letters").exists()
    assert [file.name for file in folder.iterdir()] == ["lan"]
    kept, _ = read_pack(place)
    assert kept is not None
    with pytest.raises(FileExistsError):
        keep_pack(kept, folder, replace=True)
