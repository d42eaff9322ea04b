"""Brings .venv in line with uv.lock, with nothing but python3 and a package registry at hand.

Finds uv on the PATH, or installs it into .tools with whatever this Python offers (venv with pip, or pip
itself), then lets uv build the environment exactly as locked.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
HELP = """bocau needs uv to set itself up, and this Python can neither make a virtual environment with pip nor run pip.
Install one of: uv, or your system's package python3-venv, or python3-pip. Then run the same command again."""


def own_uv() -> Path:
    """Where our own copy of uv is or will be."""
    return TOOLS / "bin" / "uv"


def quiet(*command: str) -> bool:
    """Whether the command could be run and ended well."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def find_uv() -> str:
    """The path of a uv that runs; installs one if there is none. Ends the program with advice if it cannot."""
    on_path = shutil.which("uv")
    if on_path and quiet(on_path, "--version"):
        return on_path
    if own_uv().exists():
        return str(own_uv())
    print("setting up: fetching uv", flush=True)
    if quiet(sys.executable, "-m", "venv", str(TOOLS)) and quiet(
        str(TOOLS / "bin" / "python"), "-m", "pip", "install", "-q", "uv"
    ):
        return str(own_uv())
    shutil.rmtree(TOOLS, ignore_errors=True)
    if quiet(sys.executable, "-m", "pip", "install", "-q", "--target", str(TOOLS), "uv") and own_uv().exists():
        return str(own_uv())
    sys.exit(HELP)


def main() -> None:
    """Build or update the environment; prints one line, and uv's own words when something is wrong."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before anything checked the version
        sys.exit(f"bocau needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    uv = find_uv()
    print("setting up: environment from uv.lock", flush=True)
    environment = {**os.environ, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run([uv, "sync", "--locked", "--quiet"], cwd=ROOT, env=environment, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
