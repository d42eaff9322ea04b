"""TLS towards a carrier, on real sockets: what is trusted, what is asked for, what a wrong certificate does."""

import asyncio
import contextlib
import io
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.rooms.deliver.stage import SETTINGS, NotedOwner

from bocau.deliver.link import SmppLink
from bocau.settings import BadTls, read_settings, tls_context
from bocau.telemetry import CarrierMeters, Lines, make_log
from bocau.wire.smpp.events import BindRequested, Role, SessionConfig, UnbindRequested
from bocau.wire.smpp.session import Session
from bocau.world import RealWorld

NAME = "smsc.example.net"


def make(folder: Path, name: str, *, signed_by: str = "") -> None:
    """A key and a certificate for a name, self-made or signed by another one of the folder."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    names = f"-subj /CN={name} -addext subjectAltName=DNS:{name} -keyout {folder}/{name}.key -out {folder}/{name}.pem"
    signing = f"-CA {folder}/{signed_by}.pem -CAkey {folder}/{signed_by}.key" if signed_by else ""
    kind = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subprocess.run(f"{openssl} req {kind} {names} {signing}".split(), check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of an authority, of the carrier, of us, and of a stranger."""
    folder = tmp_path_factory.mktemp("tls")
    make(folder, "authority")
    make(folder, NAME, signed_by="authority")
    make(folder, "us", signed_by="authority")
    make(folder, "stranger")
    return folder


def settings(folder: Path, **keys: str) -> Path:
    """A settings file beside the certificates."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    file = folder / "bocau.toml"
    file.write_text(
        f'[[carrier]]\nname = "north"\nhost = "127.0.0.1"\nsystem_id = "us"\npassword = "pw"\ntls = true\n{lines}'
    )
    return file


def context(folder: Path, **keys: str) -> ssl.SSLContext:
    """The context that a settings file gives."""
    found = read_settings(settings(folder, **keys))
    made = tls_context(found.carrier[0], 0, found)
    assert made is not None
    return made


class Peer(asyncio.Protocol):
    """A carrier that binds everybody."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.session = Session(SessionConfig(system_id="them"), Role.SMSC, 0.0)

    def data_received(self, data: bytes) -> None:
        for event in self.session.receive(data, 0.0):
            if isinstance(event, BindRequested):
                self.session.accept_bind(event.sequence, "them")
            elif isinstance(event, UnbindRequested):
                self.session.answer_unbind(event.sequence, 0.0)
        self.transport.write(self.session.data_to_send())


@contextlib.asynccontextmanager
async def carrier(folder: Path, names: list[str | None], *, asks: bool = False) -> AsyncIterator[int]:
    """A carrier behind TLS; with `asks` it wants a certificate of the authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / f"{NAME}.pem", folder / f"{NAME}.key")
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    if asks:
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(folder / "authority.pem")
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def connect(
    folder: Path, *, asks: bool = False, name: str = NAME, **keys: str
) -> tuple[bool, str, str, list[str | None]]:
    """Bind once: whether it worked, why not, what was logged, and the names that were asked for."""

    async def whole() -> tuple[bool, str, str, list[str | None]]:
        names: list[str | None] = []
        said = io.StringIO()
        world = RealWorld()
        async with carrier(folder, names, asks=asks) as port:
            one = SETTINGS._replace(host="127.0.0.1", port=port, tls=context(folder, **keys), tls_name=name)
            link = SmppLink(world, one, NotedOwner(), CarrierMeters(), make_log(Lines(said), world.now_ms))
            link.start()
            async with asyncio.timeout(10):
                while not link.bound and link.why == "not connected yet":  # noqa: ASYNC110 - a link tells by its state
                    await asyncio.sleep(0.005)
            bound, why = link.bound, link.why
            await link.stop(2.0)
        return bound, why, said.getvalue(), names

    return asyncio.run(whole())


def test_a_private_authority_and_a_name_of_its_own_are_trusted(folder: Path) -> None:
    """The name is asked for (SNI) although the host is an address."""
    bound, why, _, names = connect(folder, tls_ca="authority.pem")
    assert (bound, why, names) == (True, "", [NAME])


@pytest.mark.parametrize(
    ("name", "authority"), [("another.example.net", "authority.pem"), (NAME, "stranger.pem")], ids=["name", "authority"]
)
def test_a_certificate_that_is_not_trusted_is_an_alarm_and_tried_seldom(
    folder: Path, name: str, authority: str
) -> None:
    """F24: it needs a person, like a wrong password. There is no setting that lets it pass."""
    bound, why, said, _ = connect(folder, name=name, tls_ca=authority)
    assert not bound
    assert why.startswith("the carrier's certificate is not trusted: ")
    assert '"level":"error","event":"link.refuse"' in said


def test_our_certificate_is_shown_to_a_carrier_that_asks(folder: Path) -> None:
    """With the key in a file of its own."""
    keys = {"tls_ca": "authority.pem", "tls_certificate": "us.pem", "tls_key": "us.key"}
    assert connect(folder, asks=True, **keys)[0]


@pytest.fixture
def broken(folder: Path) -> Iterator[Path]:
    """A file that is no certificate."""
    file = folder / "broken.pem"
    file.write_text("no certificate")
    yield file
    file.unlink()


@pytest.mark.parametrize(
    ("keys", "key", "text"),
    [
        ({"tls_ca": "missing.pem"}, "tls_ca", "cannot be read: No such file or directory"),
        ({"tls_ca": "broken.pem"}, "tls_ca", "holds no certificate in PEM form"),
        ({"tls_certificate": "us.pem"}, "tls_certificate", "are not a certificate and its key"),
        (
            {"tls_certificate": "us.pem", "tls_key": "stranger.key"},
            "tls_certificate",
            "are not a certificate and its key",
        ),
        ({"tls_certificate": "us.pem", "tls_key": "missing.key"}, "tls_certificate", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named(folder: Path, broken: Path, keys: dict[str, str], key: str, text: str) -> None:
    """At the start, with its setting."""
    with pytest.raises(BadTls) as raised:
        context(folder, **keys)
    assert raised.value.key == key
    assert text in raised.value.text
