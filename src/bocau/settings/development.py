"""The settings of `bocau dev`: everything on this machine, nothing to fill in."""

import pathlib
from types import MappingProxyType

from bocau.settings.rules import entries
from bocau.settings.sections import (
    DEVELOPMENT_KEY,
    SIMULATOR,
    VOICE,
    Accept,
    Admin,
    Api,
    Callback,
    Carrier,
    Limits,
    Log,
    Route,
    Settings,
    Store,
    Trunk,
    Voice,
)
from bocau.settings.values import Origin, Secret

__all__ = ["development"]


def development(
    data_dir: pathlib.Path,
    api_port: int = 8484,
    admin_port: int = 8485,
    smsc_port: int = 2775,
    phone_port: int | None = None,
) -> Settings:
    """Settings of a gateway that talks to the simulated carrier on this machine and may call back to it. With a port of
    the simulated phone, SmsType 8 is called.

    Give it to read_settings as `base` if variables and flags shall count on top.
    """
    carrier = Carrier(
        name=SIMULATOR,
        host="127.0.0.1",
        port=smsc_port,
        system_id=DEVELOPMENT_KEY,
        password=Secret("dev"),
        window=64,
    )
    settings = Settings(
        api=Api(port=api_port),
        admin=Admin(port=admin_port),
        limits=Limits(
            requests_per_second=0,
            number_per_10_minutes=0,
            number_per_day=0,
            range_per_10_minutes=0,
            account_vnd_per_day=0,
            key_vnd_per_day=0,
            call_number_per_10_minutes=0,
            call_number_per_day=0,
            calls_per_minute=0,
            calls_at_once=0,
        ),
        store=Store(path=str(data_dir / "bocau.db"), reserve_mib=0),
        # Without the simulated phone nobody can be called.
        accept=Accept(auto_approve=True, type8_channel="sms" if phone_port is None else "voice"),
        carrier=(carrier,),
        route=(*_call_route(phone_port), Route(name="all", carrier=SIMULATOR)),
        trunk=_trunk(phone_port),
        voice=Voice(packs_folder=str(data_dir / "packs"), cache_folder=str(data_dir / "speech"), repeats=1),
        callback=Callback(
            allowed_networks=("127.0.0.0/8", "::1/128"), secret=Secret(f"{DEVELOPMENT_KEY}-callback-signing-key")
        ),
        log=Log(format="auto"),
    )
    return Settings(
        **{name: getattr(settings, name) for name in settings.__struct_fields__ if name != "origins"},
        origins=MappingProxyType(_differing(settings)),
    )


def _call_route(phone_port: int | None) -> tuple[Route, ...]:
    return () if phone_port is None else (Route(name="calls", carriers=(VOICE, SIMULATOR), sms_type=8),)


def _trunk(phone_port: int | None) -> tuple[Trunk, ...]:
    if phone_port is None:
        return ()
    password = Secret(f"{DEVELOPMENT_KEY}-phone")
    return (Trunk(name=SIMULATOR, host="127.0.0.1", port=phone_port, user=DEVELOPMENT_KEY, password=password),)


def _differing(settings: Settings) -> dict[tuple[str | int, ...], Origin]:
    """An origin for each value that is not the default."""
    plain = dict(entries(Settings()))
    origin = Origin("default", "bocau dev")
    return {
        (*path, name): origin
        for path, section in entries(settings)
        for name in section.__struct_fields__
        if path not in plain or getattr(plain[path], name) != getattr(section, name)
    }
