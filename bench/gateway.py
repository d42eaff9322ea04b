"""The gateway of a run: `bocau` with its own command line, `python -m bench.gateway PROFILE dev ...`.

It differs from `python -m bocau` in two things. On SIGUSR1 it tells the kernel the names of its threads (Python does
so by itself from 3.14 on), so that their CPU time can be told apart. And if PROFILE is a file and not `-`, SIGUSR1 also
begins to profile the loop's thread, and SIGUSR2 writes the profile into that file.
"""

import cProfile
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from bocau.cli.main import run

__all__ = ["main"]


def main() -> None:
    """Run the command line with the signals in place."""
    into = sys.argv.pop(1)
    profile = None if into == "-" else cProfile.Profile()

    def begin(number: int, frame: FrameType | None) -> None:
        del number, frame
        name_threads()
        if profile is not None:
            profile.enable()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        if profile is not None:
            profile.disable()
            profile.dump_stats(f"{into}.part")
            Path(f"{into}.part").rename(into)

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    run()


def name_threads() -> None:
    """Give each thread's name to the kernel, where it has a place for it."""
    for thread in threading.enumerate():
        place = Path(f"/proc/self/task/{thread.native_id}/comm")
        if thread is not threading.main_thread() and place.exists():
            place.write_text(thread.name[:15])


if __name__ == "__main__":
    main()
