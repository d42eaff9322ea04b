"""The settings of `bocau dev`: everything on this machine, nothing to fill in."""

import pathlib
from types import MappingProxyType

from bocau.settings.rules import entries
from bocau.settings.sections import (
    DEVELOPMENT_KEY,
    SIMULATOR,
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
)
from bocau.settings.values import Origin, Secret

__all__ = ["development"]


def development(
    data_dir: pathlib.Path, api_port: int = 8484, admin_port: int = 8485, smsc_port: int = 2775
) -> Settings:
    """Settings of a gateway that talks to the simulated carrier on this machine and may call back to it.

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
        ),
        store=Store(path=str(data_dir / "bocau.db")),
        accept=Accept(auto_approve=True),
        carrier=(carrier,),
        route=(Route(name="all", carrier=SIMULATOR),),
        callback=Callback(
            allowed_networks=("127.0.0.0/8", "::1/128"), secret=Secret(f"{DEVELOPMENT_KEY}-callback-signing-key")
        ),
        log=Log(format="auto"),
    )
    return Settings(
        **{name: getattr(settings, name) for name in settings.__struct_fields__ if name != "origins"},
        origins=MappingProxyType(_differing(settings)),
    )


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
