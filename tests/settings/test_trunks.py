"""Trunks and workers: rules between their settings, and what workers are told."""

from pathlib import Path

import pytest
from tests.settings.test_read import problems, read

from bocau.settings import VOICE
from bocau.trunks import configures_of

TRUNK = '[[trunk]]\nname = "north"\nhost = "sip.example.vn"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TRUNK + TRUNK, 'there already is a trunk called "north"'),
        (TRUNK + "register = true\n", "needs a user to register"),
        (TRUNK + "max_calls = 3\n[voice]\nworkers = 4\n", "each of them needs a line"),
        (TRUNK + "local_port = 5060\n[voice]\nworkers = 2\n", "can be held by one process only"),
        (TRUNK + 'user = "a b"\n', "can have letters, digits"),
        (TRUNK + 'asserted = "anonymous"\n', "must be a number in digits"),
        (TRUNK + 'public_host = "gateway.example.vn"\n', "must be an address such as 192.0.2.7"),
        ("[voice]\nfirst_port = 20000\n", "and first_port are both given"),
        ("[voice]\nfirst_port = 20000\nlast_port = 20002\n", "leaves too few ports"),
        (
            TRUNK + f'[[carrier]]\nname = "{VOICE}"\nhost = "a.vn"\nsystem_id = "s"\npassword = "p"\n',
            "is the carrier of the trunks; it needs another name",
        ),
        (f'[[route]]\nname = "codes"\ncarrier = "{VOICE}"\n', "and there is no [[trunk]]"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, text: str, said: str) -> None:
    """Each rule in a sentence, with its place."""
    found = problems(tmp_path, text)
    assert any(said in each for each in found), found


def test_a_route_may_lead_to_the_trunks(tmp_path: Path) -> None:
    """The carrier of the trunks needs no table of its own."""
    settings = read(tmp_path, TRUNK + f'[[route]]\nname = "codes"\ncarrier = "{VOICE}"\nsms_type = 8\n')
    assert settings.route[0].carrier == VOICE


def test_lines_pace_and_ports_are_shared_out_among_workers(tmp_path: Path) -> None:
    """All workers together never exceed the contract, and no two of them want the same port."""
    text = (
        TRUNK + "max_calls = 7\ncalls_per_second = 6.0\n[voice]\nworkers = 3\nfirst_port = 20001\nlast_port = 20030\n"
    )
    told = configures_of(read(tmp_path, text), "json")
    assert [each.trunks[0].max_calls for each in told] == [3, 2, 2]
    assert sum(each.trunks[0].calls_per_second for each in told) == pytest.approx(6.0)
    ranges = [(each.caps.first_port, each.caps.last_port) for each in told]
    assert ranges == [(20002, 20011), (20012, 20021), (20022, 20030)]


def test_passwords_reach_the_worker_and_no_text(tmp_path: Path) -> None:
    """They cross the stream, and stand in no repr."""
    told = configures_of(read(tmp_path, TRUNK + 'user = "us"\npassword = "canary-1"\n'), "json")[0]
    assert told.trunks[0].password == "canary-1"
    assert "canary" not in repr(told)
