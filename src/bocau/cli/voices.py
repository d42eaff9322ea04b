"""`bocau voice`: who speaks the codes of voice calls, and recordings of your own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Json
from bocau.cli.output import Trouble, document, facts, listing, plain, result, told, warn

if TYPE_CHECKING:
    from bocau.deliver.speech.pack import Finding, Pack
    from bocau.deliver.speech.prompt import Options, Prompt
    from bocau.deliver.speech.speaker import Setup
    from bocau.deliver.speech.voice import Voice
    from bocau.settings import Settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Voices: who speaks the codes of voice calls.")
pack_app = typer.Typer(no_args_is_help=True, help="Recorded packs: a person's voice, from files of your own.")
app.add_typer(pack_app, name="pack")

_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the pack, with its pack.toml.")]


@app.command("voices")
def list_voices(as_json: Json = False, config: Config = None) -> None:
    """List the voices that this machine has, and which one speaks by the settings."""
    with told(as_json):
        from bocau.cli.desk import read_file
        from bocau.deliver.speech.builtin import BuiltinVoice
        from bocau.deliver.speech.espeak import ESPEAK_NAMES, Espeak
        from bocau.deliver.speech.pack import PackVoice, find_packs

        settings = read_file(config)[1]
        speaking = _speaking(settings)
        packs = find_packs(Path(settings.voice.packs_folder))
        found: list[tuple[Voice | None, str, str]] = [(PackVoice(pack), pack.language, pack.region) for pack in packs]
        found += [(Espeak().voice(*place), *place) for place in ESPEAK_NAMES]
        found.append((BuiltinVoice(), "", ""))
        rows = [_row(voice, language, region, speaking) for voice, language, region in found if voice is not None]
        headings = {
            "voice": "Voice",
            "engine": "Engine",
            "language": "Language",
            "region": "Region",
            "says": "Says",
            "speaks": "Speaks",
            "warning": "Note",
        }
        listing(as_json, rows, headings, "")


def _row(voice: "Voice", language: str, region: str, speaking: tuple[str, str]) -> dict[str, object]:
    return {
        "voice": voice.name,
        "engine": voice.engine,
        "language": language or "any",
        "region": region or "any",
        "says": _says(voice.says),
        "speaks": (voice.engine, voice.name) == speaking,
        "warning": voice.warning,
    }


def _says(segments: "frozenset[str]") -> str:
    """What a voice has, short: 10 digits, 26 letters, lead, tail."""
    from bocau.deliver.speech.segments import DIGITS, LETTERS, PHRASES

    counts = ((len(segments.intersection(DIGITS)), "digit"), (len(segments.intersection(LETTERS)), "letter"))
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    return ", ".join([*words, *(phrase for phrase in PHRASES if phrase in segments)])


def _speaking(settings: "Settings") -> tuple[str, str]:
    """Engine and name of the voice that speaks codes of digits; empty if none can."""
    from bocau.deliver.speech.speaker import make_speaker
    from bocau.deliver.speech.voice import SpeechFault

    voice = settings.voice
    try:
        prepared = make_speaker(_setup(settings)).warm(voice.language, voice.region, _options(settings))
    except SpeechFault as fault:
        warn(f"{fault}.")
        return "", ""
    return prepared.voice.engine, prepared.voice.name


def _setup(settings: "Settings") -> "Setup":
    from bocau.deliver.speech.speaker import Setup

    voice = settings.voice
    return Setup(voice.engines, Path(voice.packs_folder), voice.pack, Path(voice.cache_folder))


@pack_app.command("check")
def check(folder: _Folder, as_json: Json = False) -> None:
    """Check a pack: are all recordings there, in a format that can be used, loud, not clipped, not too long?

    Exit code 0: it can be used; warnings do not count.
    """
    with told(as_json):
        pack, findings = _checked(folder)
        fatal = sum(finding.fatal for finding in findings)
        if as_json:
            document(_report(folder, pack, findings))
        else:
            _print(findings)
            print(plain(_verdict(folder, pack, fatal)))
        if fatal:
            raise typer.Exit(1)


@pack_app.command("import")
def import_pack(
    folder: _Folder,
    replace: Annotated[bool, typer.Option("--replace", help="A pack of the same name gives way.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Check a pack and copy its files to the folder of packs, the setting voice.packs_folder."""
    with told(as_json):
        from bocau.cli.desk import read_file
        from bocau.deliver.speech.pack import keep_pack

        settings = read_file(config)[1]
        pack, findings = _checked(folder)
        fatal = sum(finding.fatal for finding in findings)
        if pack is None or fatal:
            lines = "\n".join(str(finding) for finding in findings if finding.fatal)
            raise Trouble(f"Nothing was imported. {_verdict(folder, pack, fatal)}\n{lines}")
        try:
            place = keep_pack(pack, Path(settings.voice.packs_folder), replace)
        except FileExistsError as error:
            raise Trouble(f"There is a pack at {error} already. Give --replace, or the new one another name.") from None
        except OSError as error:
            raise Trouble(f"{error.filename or settings.voice.packs_folder}: {error.strerror}.") from error
        for finding in findings:
            warn(f"{finding}.")
        value = {"pack": pack.name, "language": pack.language, "region": pack.region, "folder": str(place)}
        result(as_json, value, f"Imported {pack.name} to {place}.")


@pack_app.command("preview")
def preview(
    code: Annotated[str, typer.Option("--code", help="The code to say; an example, not a real one.")] = "686868",
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The WAV file to write, as a phone would play it.")
    ] = Path("preview.wav"),
    pack: Annotated[str | None, typer.Option("--pack", metavar="NAME", help="This imported pack.")] = None,
    voice: Annotated[
        str | None,
        typer.Option("--voice", metavar="NAME", help="This other voice: north, central, south, english or builtin."),
    ] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Write to a WAV file what a called person would hear, in the voice of the settings or in another one."""
    with told(as_json):
        from dataclasses import replace

        from bocau.cli.desk import read_file
        from bocau.deliver.speech.speaker import make_speaker
        from bocau.deliver.speech.voice import SpeechFault

        if pack is not None and voice is not None:
            raise Trouble("--pack and --voice both name a voice; give one of them.")
        settings = read_file(config)[1]
        setup, language, region = _chosen(settings, pack, voice)
        speaker, options = make_speaker(setup), _options(settings)
        try:
            said = [speaker.prompt(code, language, region, options)]
            if settings.voice.press_to_hear:
                said.insert(0, speaker.invitation(language, region, replace(options, repeats=1)))
        except SpeechFault as fault:
            raise Trouble(f"{str(fault)[:1].upper()}{str(fault)[1:]}.") from fault
        _write(out, b"".join(prompt.alaw for prompt in said))
        warning = "; ".join(dict.fromkeys(prompt.warning for prompt in said if prompt.warning))
        seconds = sum(prompt.seconds for prompt in said)
        voices = ", ".join(dict.fromkeys(prompt.voice for prompt in said))
        if as_json:
            document({"file": str(out), "voice": voices, "seconds": seconds, "warning": warning, "marks": _marks(said)})
            return
        facts([("File", out), ("Voice", voices), ("Seconds", f"{seconds:.2f}")])
        if warning:
            warn(f"{warning}.")


def _options(settings: "Settings") -> "Options":
    from bocau.deliver.speech.prompt import Options

    voice = settings.voice
    return Options(voice.repeats, voice.gap_ms, press_to_repeat=voice.press_to_repeat)


def _marks(said: "list[Prompt]") -> list[dict[str, object]]:
    """What begins when, through all prompts."""
    found: list[dict[str, object]] = []
    begin = 0.0
    for prompt in said:
        found += [{"seconds": begin + mark.seconds, "what": mark.kind} for mark in prompt.marks]
        begin += prompt.seconds
    return found


def _chosen(settings: "Settings", pack: str | None, voice: str | None) -> tuple["Setup", str, str]:
    """The setup that has only the voice asked for, with its language and region. Raises Trouble."""
    from bocau.core.nearest import did_you_mean
    from bocau.deliver.speech.espeak import ESPEAK_NAMES
    from bocau.deliver.speech.pack import find_packs

    setup = _setup(settings)
    if pack is not None:
        packs = {found.name: found for found in find_packs(Path(settings.voice.packs_folder))}
        if pack not in packs:
            hint = did_you_mean(pack, packs) or "."
            raise Trouble(f'There is no usable pack "{pack}"{hint} `bocau voice voices` shows all voices.')
        return setup._replace(engines=("pack",), pack=pack), packs[pack].language, packs[pack].region
    if voice is None:
        return setup, settings.voice.language, settings.voice.region
    places = {name: ("espeak-ng", *place) for place, name in ESPEAK_NAMES.items()}
    places["builtin"] = ("builtin", settings.voice.language, settings.voice.region)
    if voice not in places:
        hint = did_you_mean(voice, places) or "."
        raise Trouble(f'There is no voice "{voice}"{hint} Name one of {", ".join(places)}, or give --pack NAME.')
    engine, language, region = places[voice]
    return setup._replace(engines=(engine,)), language, region


def _checked(folder: Path) -> tuple["Pack | None", "list[Finding]"]:
    """The pack of a folder and all that is wrong with it. Raises Trouble if there is no such folder."""
    from bocau.deliver.speech.pack import read_pack
    from bocau.deliver.speech.pack_check import check_pack

    if not folder.is_dir():
        raise Trouble(f"There is no folder {folder}.")
    return read_pack(folder)[0], check_pack(folder)


def _report(folder: Path, pack: "Pack | None", findings: "list[Finding]") -> dict[str, object]:
    return {
        "folder": str(folder),
        "ok": not any(finding.fatal for finding in findings),
        "pack": pack.name if pack else None,
        "says": _says(pack.says) if pack else None,
        "findings": [finding._asdict() for finding in findings],
    }


def _print(findings: "list[Finding]") -> None:
    for finding in findings:
        print(plain(f"{finding}" if finding.fatal else f"{finding} (warning)"))


def _verdict(folder: Path, pack: "Pack | None", fatal: int) -> str:
    if fatal or pack is None:
        return f"{folder}: {fatal} problem{'s' if fatal != 1 else ''} to put right before it can be used."
    where = " ".join(filter(None, (pack.language, pack.region)))
    return f"{folder} can be used: {pack.name}, {where}, says {_says(pack.says)}."


def _write(file: Path, alaw: bytes) -> None:
    """The sound of a prompt as a WAV file. Raises Trouble."""
    from bocau.deliver.speech.wav import Sound, samples_of, write_wav
    from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND, alaw_decode

    try:
        file.write_bytes(write_wav(Sound(samples_of(alaw_decode(alaw)), SAMPLES_PER_SECOND)))
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}.") from error
