"""The settings of a carrier that are more than one value: tables, TLS, pairs."""

from pathlib import Path

import pytest

from bocau.settings import BadSettings, Settings, check_production, read_settings

HEAD = '[[carrier]]\nname = "north"\nhost = "smsc.example.net"\nsystem_id = "us"\npassword = "pw"\n'


def read(folder: Path, lines: str, environment: dict[str, str] | None = None) -> Settings:
    """The settings of a file with one carrier that has these lines too."""
    file = folder / "bocau.toml"
    file.write_text(HEAD + lines)
    return read_settings(file, environment or {})


def test_statuses_and_parameters_are_tables(tmp_path: Path) -> None:
    """In line or as a table of their own; the environment writes them with commas."""
    inline = 'status = { "0x00000058" = "temporary", "0x0400-0x04FF" = "throttle" }\ntlvs = { "0x1401" = "00ff" }\n'
    (carrier,) = read(tmp_path, inline).carrier
    assert dict(carrier.status) == {"0x00000058": "temporary", "0x0400-0x04FF": "throttle"}
    assert dict(carrier.tlvs) == {"0x1401": "00ff"}
    (carrier,) = read(tmp_path, '[carrier.status]\n"0x58" = "permanent"\n').carrier
    assert dict(carrier.status) == {"0x58": "permanent"}
    (carrier,) = read(tmp_path, "", {"BOCAU_CARRIER__NORTH__STATUS": "0x58=taken, 0x400=permanent"}).carrier
    assert dict(carrier.status) == {"0x58": "taken", "0x400": "permanent"}
    assert dict(read(tmp_path, "").carrier[0].status) == {}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('status = { "58" = "throttle" }', "must be pairs such as"),
        ('status = { "0x0500-0x0400" = "throttle" }', "must be pairs such as"),
        ('status = { "0x58" = "slower" }', "must be a table such as"),
        ('status = "throttle"', "must be a table such as"),
        ('tlvs = { "0x1401" = "0" }', "must be pairs such as"),
        ('tlvs = { "1401" = "00" }', "must be pairs such as"),
        ('tls_ca = "ca.pem"', 'has no use without "tls = true"'),
        ('tls = true\ntls_key = "k.pem"', "has no use without tls_certificate"),
        ("receiver_port = 3000", 'has no use without bind_mode = "pair"'),
    ],
)
def test_what_makes_no_sense_is_named_with_its_line(tmp_path: Path, line: str, text: str) -> None:
    """Before anything is dialled."""
    with pytest.raises(BadSettings) as raised:
        read(tmp_path, line + "\n")
    (problem,) = raised.value.problems
    assert text in problem.text
    assert problem.origin.line == 6 + line.count("\n")


def test_tls_files_are_tried_before_a_production_start(tmp_path: Path) -> None:
    """A file beside the settings, and what is wrong with it, with file and line."""
    found = read(tmp_path, 'tls = true\ntls_ca = "ca.pem"\n')
    (problem,) = [one for one in check_production(found) if one.key == "tls_ca"]
    assert problem.fatal
    assert str(problem).endswith("bocau.toml:7: [carrier.north] tls_ca: cannot be read: No such file or directory")
    (tmp_path / "ca.pem").write_text("x")
    (problem,) = [one for one in check_production(found) if one.key == "tls_ca"]
    assert problem.text == "holds no certificate in PEM form"


@pytest.mark.parametrize("url", ["ftp://x/", "https://", "https://user@host/", "/mo"])
def test_an_address_for_messages_from_subscribers_is_checked(tmp_path: Path, url: str) -> None:
    """At the start, not with the first message."""
    with pytest.raises(BadSettings, match="begins with http"):
        read(tmp_path, f'[inbound]\nurl = "{url}"\n')
    assert read(tmp_path, '[inbound]\nurl = "https://ops.example/mo?a=1"\n').inbound.url
