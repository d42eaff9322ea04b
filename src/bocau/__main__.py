"""`python -m bocau` is the command `bocau`."""

from bocau.cli.main import run

if __name__ == "__main__":
    run()
