"""`bocau call-recording`: what calls by recording play."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.deliver.speech.wav import Sound

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Recordings: what calls by recording play.")

_LONGEST_SECONDS: Final = 45
"""A call may last a minute, the edges and the time to pick up the ear included."""
_LARGEST: Final = 40_000_000
"""Bytes of a file: more than 45 s of any sound that is taken."""
_LONGEST_NAME: Final = 64


@app.command("list")
def list_recordings(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the recordings of an account."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.recordings((await desk.account(account)).id)
            return [{"id": number, "name": name, "seconds": length / 1000} for number, name, length in rows]

        headings = {"id": "Id", "name": "Name", "seconds": "Seconds"}
        empty = f"Account {account} has no recording yet. Add one: bocau call-recording add {account} NAME FILE.wav"
        listing(as_json, at_desk(data, config, act), headings, empty)


@app.command("add")
def add(
    account: Named,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it; the account's own.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="WAV, PCM, at most 45 seconds.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Store a sound. Its id is the TemplateId of MakeCallRecord_V2; the same name again replaces the sound."""
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.core.directory import RecordingRow
        from bocau.core.text import nfc
        from bocau.deliver.speech.wav import little

        called = nfc(name.strip())
        if not called.isprintable() or not 1 <= len(called) <= _LONGEST_NAME:
            raise Trouble(f"A recording's name has 1 to {_LONGEST_NAME} printable signs.")
        sound = _read(file)

        async def act(desk: "Desk") -> int:
            row = RecordingRow(0, (await desk.account(account)).id, called)
            return await desk.store.put_recording(row, (sound.rate, little(sound.samples)), desk.world.now_ms())

        number = at_desk(data, config, act)
        value = {"account": account, "id": number, "name": called, "seconds": len(sound.samples) / sound.rate}
        result(as_json, value, f"Stored as recording {number} of {account}.")


def _read(file: Path) -> "Sound":
    """The sound of a file, as the telephone has it: what it cannot carry is not stored. Raises Trouble."""
    from bocau.deliver.speech.shaping import resample
    from bocau.deliver.speech.wav import Sound, WavError, read_wav
    from bocau.wire.rtp.g711 import SAMPLES_PER_SECOND

    try:
        if file.stat().st_size > _LARGEST:
            raise Trouble(f"{file} is larger than any such sound; at most {_LONGEST_SECONDS} s can be played.")
        sound = read_wav(file.read_bytes())
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}.") from error
    except WavError as error:
        raise Trouble(f"{file} {error}.") from error
    if not 0 < len(sound.samples) <= _LONGEST_SECONDS * sound.rate:
        raise Trouble(
            f"{file} lasts {len(sound.samples) / sound.rate:.1f} s; a recording has at most {_LONGEST_SECONDS} s."
        )
    return Sound(resample(sound, SAMPLES_PER_SECOND), SAMPLES_PER_SECOND)


@app.command("remove")
def remove(
    account: Named,
    number: Annotated[int, typer.Argument(metavar="ID", help="As `bocau call-recording list` shows it.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Remove a recording."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            owner = await desk.account(account)
            if not await desk.store.delete_recording(owner.id, number):
                listed = f"`bocau call-recording list {account}` shows them all."
                raise Trouble(f"Account {account} has no recording {number}. {listed}")

        at_desk(data, config, act)
        result(as_json, {"account": account, "removed": number}, f"Removed from {account}: recording {number}.")
