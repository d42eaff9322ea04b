"""What must not be left over in production, and what a listener must state."""

import re
from pathlib import Path

import pytest

from bocau.settings import BadSettings, check_listeners, check_production, development, read_settings

GOOD = """\
[callback]
secret = "0123456789abcdef-canary"

[[carrier]]
name = "viettel"
host = "smsc.example.vn"
system_id = "shop"
password = "p4ssword"

[[route]]
name = "all"
carrier = "viettel"

[accept]
type8_channel = "sms"
"""


def found(folder: Path, text: str, environment: dict[str, str] | None = None, mode: int = 0o600) -> list[str]:
    """What check_production says of a file with this text."""
    file = folder / "bocau.toml"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    problems = check_production(read_settings(file, environment))
    sentences = [f"{'refuse' if problem.fatal else 'warn'} {problem}" for problem in problems]
    assert not [sentence for sentence in sentences if "canary" in sentence]
    return [sentence.replace(f"{folder}/", "") for sentence in sentences]


def test_a_plain_production_file_has_nothing_against_it(tmp_path: Path) -> None:
    """Loopback, real keys, a private file."""
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("line", "channel", "then"),
    [
        ("", "voice", "it is answered 118"),
        ('type8_channel = "voice"', "voice", "it is answered 118"),
        ('type8_channel = "voice_then_sms"', "voice_then_sms", "it goes by text alone"),
    ],
)
def test_type_8_by_a_call_without_a_trunk_is_doubtful(tmp_path: Path, line: str, channel: str, then: str) -> None:
    """Told at the start and by the check, with what becomes of it; voice is the default."""
    [said] = found(tmp_path, GOOD.replace('type8_channel = "sms"', line))
    reason = f'is "{channel}", but type 8 has no route with carrier = "voice": {then}; texts are sent by "sms"'
    assert said.endswith(f"[accept] type8_channel: {reason}")


def test_development_settings_are_refused_in_production(tmp_path: Path) -> None:
    """Its keys and its simulated carrier are named; loopback callbacks are only doubtful."""
    problems = check_production(development(tmp_path))
    refused = {f"{problem.table} {problem.key}" for problem in problems if problem.fatal}
    assert refused == {"[carrier.simulator] name", "[carrier.simulator] system_id", "[callback] secret"}
    assert {problem.key for problem in problems if not problem.fatal} == {"allowed_networks"}


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - the very thing that is refused
        ("::", False),
        ("10.0.0.5", False),
        ("gateway.example.vn", False),
    ],
)
@pytest.mark.parametrize("section", ["api", "admin"])
def test_a_listener_beyond_loopback_must_state_its_proxy(
    tmp_path: Path, section: str, host: str, allowed: bool
) -> None:
    """Promises S10: loopback, or an explicit statement; in development too."""
    settings = read_settings(None, None, {f"{section}.host": host})
    problems = check_listeners(settings)
    assert (not problems) == allowed
    assert all(str(problem).startswith(f"flag {section}.host: [{section}] host: ") for problem in problems)
    stated = read_settings(None, None, {f"{section}.host": host, f"{section}.behind_proxy": True})
    assert check_listeners(stated) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            '"0123456789abcdef-canary"',
            '"bocau-dev-0123456"',
            "refuse bocau.toml:2: [callback] secret: is a development key",
        ),
        ('"shop"', '"bocau-dev-1"', "refuse bocau.toml:7: [carrier.viettel] system_id: is a development key"),
        (
            '"viettel"',
            '"simulator"',
            "refuse bocau.toml:5: [carrier.simulator] name: the simulated carrier is still here",
        ),
        (
            '[[route]]\nname = "all"\ncarrier = "viettel"\n',
            "",
            "refuse default: [route]: there is none; add a [[route]]",
        ),
        ('secret = "0123456789abcdef-canary"', "", "warn default: [callback] secret: is empty, so customers cannot"),
        (
            "[callback]",
            '[callback]\nallowed_networks=["127.0.0.0/8"]',
            "warn bocau.toml:2: [callback] allowed_networks:",
        ),
        ("[callback]", '[callback]\nallowed_networks=["0.0.0.0/0"]', "0.0.0.0/0 lets customers' callbacks reach"),
        (
            '"shop"',
            '"shop"\nbind_mode = "transmitter"',
            "warn bocau.toml:8: [carrier.viettel] bind_mode: every carrier",
        ),
        (
            "[[route]]",
            '[[carrier]]\nname="spare"\nhost="x"\nsystem_id="x"\npassword="x"\n[[route]]',
            "warn bocau.toml:11: [carrier.spare] name: no route leads to it",
        ),
    ],
)
def test_unsafe_leftovers_are_found_with_file_and_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    """One change to a good file is named in one sentence."""
    sentences = found(tmp_path, GOOD.replace(before, after))
    assert len([sentence for sentence in sentences if said in sentence]) == 1, sentences


def test_a_gateway_without_a_carrier_is_refused(tmp_path: Path) -> None:
    """No message could leave."""
    assert "refuse default: [carrier]: there is none, so no message can leave; add a [[carrier]]" in found(tmp_path, "")


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)])
def test_a_file_with_a_secret_must_not_be_open_to_every_user(tmp_path: Path, mode: int, refused: bool) -> None:
    """The settings file itself, and a file that a secret was read from."""
    sentences = found(tmp_path, GOOD, mode=mode)
    assert [("chmod o= " in sentence) for sentence in sentences] == [True, True] * refused
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef", "utf-8")
    secret.chmod(mode)
    sentences = found(tmp_path, GOOD, {"BOCAU_CALLBACK__SECRET_FILE": str(secret)})
    assert bool(sentences) == refused
    assert all("[callback] secret: is in secret, which every user" in sentence for sentence in sentences)


def test_a_secret_on_the_command_line_is_refused() -> None:
    """Every user of the machine sees it there."""
    settings = read_settings(None, None, {"callback.secret": "0123456789abcdef"})
    assert any("command line" in problem.text for problem in check_production(settings) if problem.fatal)


def test_trusting_every_proxy_is_doubtful(tmp_path: Path) -> None:
    """Then whoever calls chooses the address he comes from."""
    text = f'[api]\ntrusted_proxies = ["0.0.0.0/0", "10.0.0.0/8"]\n{GOOD}'
    assert found(tmp_path, text) == [
        "warn bocau.toml:2: [api] trusted_proxies: 0.0.0.0/0 lets every caller choose the address he comes from"
    ]


def test_limits_are_on_in_production_and_relaxed_in_development(tmp_path: Path) -> None:
    """What an account may do by default; zero is no limit."""
    production, relaxed = read_settings(None).limits, development(tmp_path).limits
    for name in production.__struct_fields__:
        assert getattr(production, name) > 0
        assert getattr(relaxed, name) == 0
    assert (production.number_per_10_minutes, production.number_per_day) == (5, 10)


def test_a_route_behind_one_that_takes_everything_is_told(tmp_path: Path) -> None:
    """It never gets a message; by priority it would."""
    text = SOUND_ROUTES.format(priority=0)
    file = tmp_path / "bocau.toml"
    file.write_text(text)
    said = [str(problem) for problem in check_production(read_settings(file)) if problem.key == "name"]
    assert len(said) == 1
    assert '[route.otp] name: never gets a message: "all" comes first and takes them all' in said[0]
    file.write_text(SOUND_ROUTES.format(priority=5))
    assert not [problem for problem in check_production(read_settings(file)) if problem.key == "name"]


SOUND_ROUTES = """
[[carrier]]
name = "a"
host = "smsc.example"
system_id = "s"
password = "p"
[[route]]
name = "all"
carrier = "a"
telco = 0
[[route]]
name = "otp"
carrier = "a"
route_class = "otp"
prefixes = ["090"]
priority = {priority}
"""


def test_a_type_that_no_route_takes_whole_is_told(tmp_path: Path) -> None:
    """Its other messages would wait until they expire."""
    file = tmp_path / "bocau.toml"
    file.write_text(SOUND_ROUTES.format(priority=0).replace("telco = 0", "sms_type = 2"))
    said = [problem.text for problem in check_production(read_settings(file)) if "SmsType" in problem.text]
    assert said == ["no route takes every message of SmsType 8; those that fit none wait, and expire"]


TRUNK = GOOD + '\n[[trunk]]\nname = "north"\nhost = "sip.example.vn"\n'


def test_trunks_without_a_route_and_without_recordings_are_doubtful(tmp_path: Path) -> None:
    """Nothing leads there, and what would speak is no person."""
    found_here = found(tmp_path, TRUNK + f'\n[voice]\npacks_folder = "{tmp_path}"\n')
    assert len(found_here) == 2
    assert 'a route needs carrier = "voice"' in found_here[0]
    assert "will speak to customers" in found_here[1]


def test_encrypted_sound_without_tls_is_doubtful(tmp_path: Path) -> None:
    """Its keys go by the SIP: who can read that can hear the call."""
    text = TRUNK.replace('"sip.example.vn"', '"sip.example.vn"\nsrtp = true')
    assert any("srtp: is on, but SIP goes over udp" in each for each in found(tmp_path, text))
    safe = text.replace("srtp", 'transport = "tls"\nsrtp')
    assert not any("srtp" in each for each in found(tmp_path, safe))


def test_a_trunk_that_trusts_everybody_and_a_certificate_that_is_none(tmp_path: Path) -> None:
    """Sound from anywhere is doubtful; a file that cannot be read stops the start."""
    (tmp_path / "ca.pem").write_text("no certificate")
    text = TRUNK.replace('"sip.example.vn"', '"sip.example.vn"\nnetworks = ["0.0.0.0/0"]\ntls_ca = "ca.pem"')
    assert any(each.startswith("refuse") and "has no use without transport" in each for each in found(tmp_path, text))
    text = text.replace("networks", 'transport = "tls"\nnetworks')
    said = found(tmp_path, text)
    assert any(each.startswith("refuse") and "no certificate" in each for each in said)
    assert any(each.startswith("warn") and "lets anybody send sound" in each for each in said)


def test_staging_is_told_and_needs_no_carrier(tmp_path: Path) -> None:
    """It may catch everything; what it names is checked, and its own names are taken while it is on."""
    on = '[callback]\nsecret = "0123456789abcdef-canary"\n[staging]\nenabled = true\n'
    said = "warn bocau.toml:4: [staging] enabled: is on: messages really leave to {}; all others are caught"
    for phones, named in (("", "nobody"), ('phones = ["0901234567", "098"]\n', "0901234567, 098")):
        lines = found(tmp_path, on + phones)
        assert not [line for line in lines if line.startswith("refuse")]
        assert [line for line in lines if line.startswith(said.format(named))]
    for text, why in (
        (f'{on}phones = ["84901234567"]\n', "phones"),
        (f'{on}phones = ["901234567"]\n', "must be digits that begin with 0"),
        (f"{GOOD.replace('viettel', 'capture')}[staging]\nenabled = true\n", "is the carrier of [staging]"),
    ):
        with pytest.raises(BadSettings, match=re.escape(why)):
            found(tmp_path, text)
