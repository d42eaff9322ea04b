"""TLS towards a carrier: a context from its settings, and what is wrong with the files they name."""

import pathlib
import ssl
from collections.abc import Callable

from bocau.settings.sections import Carrier, Settings, Trunk
from bocau.settings.values import Origin, Path

__all__ = ["BadTls", "tls_context", "trunk_authority"]


class BadTls(Exception):  # noqa: N818 - named for what is bad
    """The files of a carrier's TLS settings cannot be used. `key` is the setting, `text` what is wrong with it."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key} {text}")
        self.key = key
        self.text = text


def tls_context(carrier: Carrier, number: int, settings: Settings) -> ssl.SSLContext | None:
    """How to speak TLS to a carrier; None if it is not wanted. `number` is its place among the carriers.

    TLS 1.2 at least; the carrier's certificate and its name are always checked. Files named in bocau.toml are relative
    to it. Raises BadTls.
    """
    if not carrier.tls:
        return None

    def file(key: str) -> str | None:
        return _place(settings, ("carrier", number, key), getattr(carrier, key))

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if carrier.tls_ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load(lambda: context.load_verify_locations(file("tls_ca")), "tls_ca", "holds no certificate in PEM form")
    if carrier.tls_certificate:
        _load(
            lambda: context.load_cert_chain(file("tls_certificate") or "", file("tls_key"), password=""),
            "tls_certificate",
            "and tls_key are not a certificate and its key in PEM form, the key without a pass phrase",
        )
    return context


def trunk_authority(trunk: Trunk, number: int, settings: Settings) -> str:
    """The file with the certificates that sign a trunk's; empty: the system's. Relative as for carriers. Raises BadTls
    if it cannot be used."""
    name = _place(settings, ("trunk", number, "tls_ca"), trunk.tls_ca)
    if name is None:
        return ""
    if trunk.transport != "tls":
        raise BadTls("tls_ca", 'has no use without transport = "tls"')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(lambda: context.load_verify_locations(name), "tls_ca", "holds no certificate in PEM form")
    return name


def _place(settings: Settings, path: Path, name: str) -> str | None:
    if not name:
        return None
    origin = settings.origins.get(path, Origin("default"))
    folder = pathlib.Path(origin.name).parent if origin.kind == "file" else pathlib.Path()
    return str(folder / name)


def _load(read: Callable[[], None], key: str, otherwise: str) -> None:
    try:
        read()
    except ssl.SSLError as error:
        raise BadTls(key, otherwise) from error
    except OSError as error:
        raise BadTls(key, f"cannot be read: {error.strerror}") from error
