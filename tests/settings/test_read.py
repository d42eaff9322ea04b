"""Reading settings: the order of the sources, and how wrong ones are explained."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.settings import (
    BadSettings,
    Problem,
    Secret,
    Settings,
    development,
    effective,
    environment_name,
    find_file,
    read_settings,
)

GOLDEN = Path(__file__).parent / "golden"

CARRIER = """\
[[carrier]]
name = "viettel-1"
host = "smsc.example.vn"
system_id = "shop"
password = "canary-1"
"""


def read(folder: Path, text: str, environment: dict[str, str] | None = None, **flags: object) -> Settings:
    """Settings of a file with this text; a flag's dots are written as two underscores."""
    file = folder / "bocau.toml"
    file.write_text(text, "utf-8")
    return read_settings(file, environment, {name.replace("__", "."): value for name, value in flags.items()})


def problems(folder: Path, text: str, environment: dict[str, str] | None = None, **flags: object) -> list[str]:
    """What is wrong with a file, one sentence each, without the folder's name."""
    with pytest.raises(BadSettings) as caught:
        read(folder, text, environment, **flags)
    assert all(isinstance(problem, Problem) for problem in caught.value.problems)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def outcome(environment: dict[str, str], flags: dict[str, object]) -> tuple[Problem, ...]:
    """The problems of variables and flags alone; none if they are good."""
    try:
        read_settings(None, environment, flags)
    except BadSettings as error:
        return error.problems
    return ()


def test_nothing_given_gives_the_defaults() -> None:
    """No file, no variable, no flag: loopback, the documented limits, no carrier."""
    settings = read_settings()
    assert settings == Settings()
    assert (settings.api.host, settings.api.port, settings.admin.port) == ("127.0.0.1", 8484, 8485)
    assert settings.carrier == ()


def test_flag_goes_before_environment_before_file_before_default(tmp_path: Path) -> None:
    """Each source wins over those after it."""
    text = "[api]\nport = 1\nconnections = 1\nidle_seconds = 1\n"
    environment = {"BOCAU_API__PORT": "2", "BOCAU_API__CONNECTIONS": "2"}
    api = read(tmp_path, text, environment, api__port=3).api
    assert (api.port, api.connections, api.idle_seconds, api.body_seconds) == (3, 2, 1.0, 15.0)


def test_the_environment_is_read_in_the_type_of_the_field(tmp_path: Path) -> None:
    """Numbers, truth, words, lists, and keys of a named carrier."""
    environment = {
        "BOCAU_API__BEHIND_PROXY": "yes",
        "BOCAU_API__HEADER_SECONDS": "2.5",
        "BOCAU_CALLBACK__WAITS_SECONDS": "0, 1,2",
        "BOCAU_CALLBACK__ALLOWED_NETWORKS": "10.2.0.0/16,fd00::/8",
        "BOCAU_CARRIER__VIETTEL_1__WINDOW": "10",
        "BOCAU_CARRIER__VIETTEL_1__REFERENCE_BITS": "16",
        "BOCAU_CONFIG": "other",
        "PATH": "/bin",
    }
    settings = read(tmp_path, CARRIER, environment)
    assert settings.api.behind_proxy
    assert settings.api.header_seconds == 2.5
    assert settings.callback.waits_seconds == (0, 1, 2)
    assert settings.callback.allowed_networks == ("10.2.0.0/16", "fd00::/8")
    assert settings.carrier[0].window == 10
    assert settings.carrier[0].reference_bits == 16


def test_an_unknown_key_is_explained_with_file_line_and_meaning(tmp_path: Path) -> None:
    """The sentence that an operator reads at two in the morning."""
    text = f"# links\n\n{CARRIER}windo = 3\n"
    assert problems(tmp_path, text) == ['bocau.toml:8: [carrier.viettel-1] windo: unknown key; did you mean "window"?']


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One start, one list."""
    text = (GOLDEN / "wrong.toml").read_text("utf-8")
    environment = {"BOCAU_API__PORT": "many", "BOCAU_CARRIER__VIETEL__WINDOW": "1", "BOCAU_CARRIER__WINDOW": "1"}
    sentences = problems(tmp_path, text, environment, log__leve="debug", lag__level="debug")
    assert sentences == (GOLDEN / "wrong.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[api]\nport 3\n", "bocau.toml:2: is not TOML: Expected '=' after a key in a key/value pair"),
        ("[api]\nport = 3\nport = 4\n", "bocau.toml:3: is not TOML: Cannot overwrite a value"),
        ("[api]\nhost = '''x\n\n", "bocau.toml:4: is not TOML: Expected \"'''\""),
        ('[carrier]\nname = "x"\n', "[carrier]: there may be several; write [[carrier]] with double brackets"),
        ("api = 3\n", "bocau.toml:1: api: is a table; write [api] and its keys below"),
        ("port = 3\n", 'bocau.toml:1: [port]: unknown table; "port" is a key of [api]'),
        (
            f"{CARRIER}{CARRIER}",
            'bocau.toml:7: [carrier.viettel-1] name: there already is a carrier called "viettel-1"',
        ),
        ('[[carrier]]\nname = "Viettel 1"\n', "name: must be small letters, digits and hyphens"),
        (
            "[[carrier]]\nwindow = 0\n",
            "bocau.toml:2: [[carrier]] #1 window: must be a whole number from 1 to 1024, not 0",
        ),
        (
            "[[carrier]]\n",
            "bocau.toml:1: [[carrier]] #1 name: is missing: its name in routes, logs and metrics; unique",
        ),
        ("[api]\nport = 2021-01-01\n", "not a date"),
        ("[api]\nhost = ''\n", 'must be an address or a host name, not ""'),
        ("[api]\nhost = '1.2.3'\n", 'must be an address or a host name, not "1.2.3"'),
        ("[api]\nhost = 'ไทย.vn'\n", "must be an address or a host name"),
        ('[api]\nhost = "a\\u0000"\n', "has control characters in it"),
        ("[api]\nport = 8485\n", "bocau.toml: [admin] port: is the port of [api] too"),
        ("[api]\ncors_origins = ['https://Shop.example/']\n", "must be a site such as https://shop.example, without a"),
        ("[callback]\nallowed_networks = ['lan']\n", 'must be a network such as "10.2.0.0/16", not "lan"'),
        (
            f"{CARRIER}reconnect_first_seconds = 99\n",
            "bocau.toml:6: [carrier.viettel-1] reconnect_first_seconds: is longer",
        ),
        ("[log]\nlevel_file = 'x'\n", "bocau.toml:2: [log] level_file: unknown key; level is not a secret"),
        (
            CARRIER.replace("canary-1", "canary-12"),
            "bocau.toml:5: [carrier.viettel-1] password: is longer than the 8 signs",
        ),
        (f"{CARRIER}password_file = 3\n", "password_file: must be the name of a file"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, said: str) -> None:
    """Each kind of mistake names its place and what was probably meant."""
    assert any(said in problem for problem in problems(tmp_path, text)), problems(tmp_path, text)


def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    """Missing, or not UTF-8; entries that only the file could name are not complained about on top."""
    with pytest.raises(BadSettings, match=r"none\.toml: cannot be read: No such file or directory$"):
        read_settings(tmp_path / "none.toml", {"BOCAU_CARRIER__VIETTEL__WINDOW": "1"})
    (tmp_path / "bocau.toml").write_bytes(b"[api]\n# caf\xe9\n")
    with pytest.raises(BadSettings, match=r"bocau\.toml:2: is not UTF-8 text here"):
        read_settings(tmp_path / "bocau.toml")


def test_windows_files_are_read(tmp_path: Path) -> None:
    """A byte order mark and CR LF line ends change nothing, not even the line numbers."""
    (tmp_path / "bocau.toml").write_bytes(b"\xef\xbb\xbf[api]\r\nport = 1\r\n")
    assert read_settings(tmp_path / "bocau.toml").api.port == 1
    (tmp_path / "bocau.toml").write_bytes(b"\xef\xbb\xbf[api]\r\n\r\nprot = 1\r\n")
    with pytest.raises(BadSettings, match=r"bocau\.toml:3: \[api\] prot"):
        read_settings(tmp_path / "bocau.toml")


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    """By key, relative to the settings file; or by variable, which wins."""
    (tmp_path / "one").write_text("first\n", "utf-8")
    (tmp_path / "two").write_text("second\r\n", "utf-8")
    text = CARRIER.replace('password = "canary-1"', 'password_file = "one"')
    assert read(tmp_path, text).carrier[0].password.reveal() == "first"
    variable = {"BOCAU_CARRIER__VIETTEL_1__PASSWORD_FILE": str(tmp_path / "two")}
    settings = read(tmp_path, text, variable)
    assert settings.carrier[0].password.reveal() == "second"
    source = {row.key: row.source for row in effective(settings)}["carrier.viettel-1.password"]
    assert source == f"BOCAU_CARRIER__VIETTEL_1__PASSWORD_FILE ({tmp_path / 'two'})"


def test_a_secret_given_twice_by_one_source_or_from_a_lost_file_is_refused(tmp_path: Path) -> None:
    """Neither is guessed at."""
    (tmp_path / "one").write_text("x", "utf-8")
    both = problems(tmp_path, f'{CARRIER}password_file = "one"\n')
    assert both == [
        "bocau.toml:6 (one): [carrier.viettel-1] password_file: password and password_file are both given; keep one"
    ]
    lost = problems(tmp_path, CARRIER.replace('password = "canary-1"', 'password_file = "lost"'))
    assert lost == ["bocau.toml:5: [carrier.viettel-1] password_file: lost: No such file or directory"]


def test_secrets_never_show_themselves(tmp_path: Path) -> None:
    """Not in repr, str, format, in the effective settings, nor in a problem (promises S1)."""
    text = f'{CARRIER}\n[callback]\nsecret = "signing-canary-123"\n'
    settings = read(tmp_path, text)
    shown = [repr(settings), str(settings), f"{settings.carrier[0].password}", repr(effective(settings))]
    wrong = problems(tmp_path, CARRIER.replace("canary-1", "canary-1\\u0000").replace("host", "hots"))
    wrong += problems(tmp_path, CARRIER.replace("canary-1", "cana\u00e9"))
    assert not [each for each in [*shown, *wrong] if "canary" in each]
    assert settings.carrier[0].password.reveal() == "canary-1"


def test_a_secret_is_a_value(tmp_path: Path) -> None:
    """Equal by text, false when empty, hashable, and not pickled."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret()
    assert repr(Secret()) == "(empty)"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("\udcff") == Secret("\udcff")
    with pytest.raises(TypeError):
        Secret("a").__reduce__()


def test_effective_settings_tell_where_they_come_from(tmp_path: Path) -> None:
    """What `bocau config show` prints."""
    settings = read(tmp_path, f"[api]\nport = 1\n{CARRIER}", {"BOCAU_LOG__LEVEL": "debug"}, api__host="localhost")
    rows = {row.key: (row.value, row.source.replace(f"{tmp_path}/", "")) for row in effective(settings)}
    assert rows["api.port"] == ("1", "bocau.toml:2")
    assert rows["api.host"] == ('"localhost"', "flag api.host")
    assert rows["log.level"] == ('"debug"', "BOCAU_LOG__LEVEL")
    assert rows["log.format"] == ('"auto"', "default")
    assert rows["carrier.viettel-1.password"] == ("********", "bocau.toml:7")
    assert rows["callback.waits_seconds"] == ("[0, 30, 120, 600, 1800]", "default")


def test_the_file_is_looked_for_in_two_places(tmp_path: Path) -> None:
    """The one named, else the first that exists."""
    first, second = tmp_path / "bocau.toml", tmp_path / "etc.toml"
    assert find_file(None, (first, second)) is None
    second.touch()
    assert find_file(None, (first, second)) == second
    first.touch()
    assert find_file(None, (first, second)) == first
    assert find_file(second, (first,)) == second


def test_development_is_a_base_that_variables_may_change(tmp_path: Path) -> None:
    """`bocau dev` needs nothing, and still takes what it is given."""
    base = development(tmp_path, 1, 2, 3)
    settings = read_settings(None, {"BOCAU_ACCEPT__UNICODE_POLICY": "auto"}, {"carrier.simulator.window": 10}, base)
    assert (settings.api.port, settings.admin.port) == (1, 2)
    assert settings.accept.unicode_policy == "auto"
    assert [(carrier.name, carrier.port, carrier.window) for carrier in settings.carrier] == [("simulator", 3, 10)]
    assert settings.store.path == str(tmp_path / "bocau.db")
    sources = {row.key: row.source for row in effective(settings)}
    assert sources["store.path"] == "bocau dev"
    assert sources["carrier.simulator.window"] == "flag carrier.simulator.window"


def test_the_waits_are_as_many_as_the_tries(tmp_path: Path) -> None:
    """The last wait repeats, or the list is cut."""
    assert read_settings().callback.schedule_seconds() == (0, 30, 120, 600, 1800)
    assert read(tmp_path, "[callback]\ntries = 7\n").callback.schedule_seconds() == (0, 30, 120, 600, 1800, 1800, 1800)
    assert read(tmp_path, "[callback]\ntries = 2\n").callback.schedule_seconds() == (0, 30)


def test_variables_are_named_after_keys() -> None:
    """Hyphens of a carrier's name become underscores."""
    assert environment_name(("api", "port")) == "BOCAU_API__PORT"
    assert environment_name(("carrier", 0, "window"), ["viettel-1"]) == "BOCAU_CARRIER__VIETTEL_1__WINDOW"


_KEYS = [
    "api.port",
    "api.host",
    "accept.unicode_policy",
    "callback.waits_seconds",
    "callback.secret",
    "api.nothing",
    "x",
]


@given(st.sampled_from(_KEYS), st.text(max_size=30))
def test_any_text_of_a_variable_is_taken_or_explained(key: str, text: str) -> None:
    """Garbage raises BadSettings and nothing else, full-width digits included."""
    variable = "BOCAU_" + "__".join(key.upper().split("."))
    assert all(problem.text for problem in outcome({variable: text}, {}))
    for digits in ("８４８４", "٣", "1_000", "0x10", "1e3", ""):
        with pytest.raises(BadSettings):
            read_settings(None, {"BOCAU_API__PORT": digits})


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(_KEYS), _VALUES)
def test_any_value_of_a_flag_is_taken_or_explained(key: str, value: object) -> None:
    """Garbage of any type raises BadSettings and nothing else."""
    assert all(problem.text for problem in outcome({}, {key: value}))


# Several files


def test_carriers_and_routes_may_stand_in_files_of_their_own(tmp_path: Path) -> None:
    """In the order of their names, with the origin of each value."""
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (tmp_path / "bocau.toml").write_text('include = "conf.d/*.toml"\n[api]\nport = 9000\n')
    for name in ("b", "a"):
        (folder / f"{name}.toml").write_text(
            f'[[carrier]]\nname = "{name}"\nhost = "h"\nsystem_id = "s"\npassword = "p"\n'
            f'[[route]]\nname = "to-{name}"\ncarrier = "{name}"\n'
        )
    settings = read_settings(tmp_path / "bocau.toml")
    assert [row.name for row in settings.carrier] == ["a", "b"]
    assert [row.carrier for row in settings.route] == ["a", "b"]
    assert str(settings.origins["route", 1, "carrier"]) == f"{folder / 'b.toml'}:8"
    flagged = read_settings(tmp_path / "bocau.toml", {"BOCAU_CARRIER__B__WINDOW": "7"})
    assert flagged.carrier[1].window == 7


def test_what_is_wrong_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    """A missing key by its table, a wrong one by its line; and a key that two files give."""
    (tmp_path / "bocau.toml").write_text('include = ["one.toml", "none.toml"]\n[api]\nport = 1\n')
    (tmp_path / "one.toml").write_text(
        'include = "more.toml"\n[api]\nport = 2\n[[carrier]]\nname = "a"\nwindo = 3\n'
        '[[route]]\nname = "r"\ncarrier = "b"\n'
    )
    with pytest.raises(BadSettings) as caught:
        read_settings(tmp_path / "bocau.toml")
    said = sorted(str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems)
    assert said == [
        f'bocau.toml:1: include: "none.toml" names no file in {tmp_path}',
        f"one.toml:1: include: stands only in {tmp_path}/bocau.toml",
        f"one.toml:3: [api] port: is given in {tmp_path}/bocau.toml:3 too; keep one",
        "one.toml:4: [carrier.a] host: is missing: the carrier's SMSC: address or name",
        "one.toml:4: [carrier.a] password: is missing: password that the carrier gave; at most 8 signs",
        "one.toml:4: [carrier.a] system_id: is missing: log-in name that the carrier gave",
        'one.toml:6: [carrier.a] windo: unknown key; did you mean "window"?',
        'one.toml:9: [route.r] carrier: no carrier is called "b"',
    ]


# Routes

CARRIERS = '[[carrier]]\nname = "a"\nhost = "h"\nsystem_id = "s"\npassword = "p"\n'


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ('carrier = "a"\ncarriers = ["a"]', "carrier: and carriers are both given; keep one"),
        ("", "carrier: is missing: name of the carrier that gets the message"),
        ('carriers = ["a", "a"]', "carriers: names a carrier twice"),
        ('carriers = ["a", "b"]', 'carriers: no carrier is called "b"'),
        ('carrier = "a"\norder = "weight"', "weights: needs one number for each of the carriers"),
        ('carrier = "a"\norder = "weight"\nweights = [0]', "weights: gives no carrier a share"),
        ('carrier = "a"\nweights = [1]', 'weights: counts only with order = "weight", not "listed"'),
        ('carrier = "a"\nuncertain_policy = "fail_over_once"', "uncertain_policy: needs a second carrier to send to"),
        ('carrier = "a"\nprefixes = ["9"]', 'prefixes: must be digits that begin with 0, not "9"'),
    ],
)
def test_a_route_that_cannot_work_is_refused(tmp_path: Path, route: str, said: str) -> None:
    """With the key to change."""
    (tmp_path / "bocau.toml").write_text(f'{CARRIERS}[[route]]\nname = "r"\n{route}\n')
    with pytest.raises(BadSettings) as caught:
        read_settings(tmp_path / "bocau.toml")
    assert [str(problem).partition("[route.r] ")[2] for problem in caught.value.problems] == [said]


@pytest.mark.parametrize(
    ("carrier", "said"),
    [
        ('kind = "relay"', ["url", "api_key", "secret_key"]),
        ('kind = "http"', ["url", "body"]),
        ('kind = "http"\nurl = "https://x.example/"\nbody = "{phon} {{x}}"', ["body"]),
        ('kind = "relay"\nurl = "rest.example"\napi_key = "k"\nsecret_key = "s"', ["url"]),
    ],
)
def test_a_carrier_over_http_needs_its_own_keys(tmp_path: Path, carrier: str, said: list[str]) -> None:
    """Others than SMPP does."""
    (tmp_path / "bocau.toml").write_text(f'[[carrier]]\nname = "a"\n{carrier}\n')
    with pytest.raises(BadSettings) as caught:
        read_settings(tmp_path / "bocau.toml")
    assert [problem.key for problem in caught.value.problems] == said
