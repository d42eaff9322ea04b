"""Ready-made accounts can send at once, and a start that was cut off is finished by the next."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.accept.shop import NOW, PEPPER, POLICY, VND
from tests.store.engines import SqliteEngine
from tests.store.sweep import sweep

from bocau.accept.checks import Draft, check
from bocau.core.directory import build
from bocau.provision import DEVELOPMENT, PROFILES, Profile, provision
from bocau.store.sqlite import SqliteStore
from bocau.wire.esms.send import SendRequest


class CutOff(Exception):  # noqa: N818 - what happens to the start
    """The process ended here."""


def now_ms() -> int:
    return NOW


def cut_off_after(store: SqliteStore, steps: int) -> Any:  # noqa: ANN401 - a store that stops
    """The store, until so many calls were made of it."""

    class Stopping:
        left = steps

        def __getattr__(self, name: str) -> object:
            if self.left <= 0:
                raise CutOff
            self.left -= 1
            return getattr(store, name)

    return Stopping()


async def draft_of(store: SqliteStore, profile: Profile, text: str, brandname: str, sms_type: str = "2") -> Draft:
    """What the door makes of a send with the profile's keys."""
    request = SendRequest(profile.api_key, profile.secret_key, text, "0981234567", brandname, sms_type)
    found = check(request, build(await store.read_directory(), PEPPER), POLICY, NOW)
    assert isinstance(found, Draft)
    assert found.rejected is None
    return found


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_template_of_a_profile_can_be_sent(tmp_path: Path, name: str) -> None:
    """With its brandname, on its prices and money; a second start changes nothing."""
    profile = PROFILES[name]

    async def scenario() -> None:
        store = await SqliteEngine(tmp_path, threaded=False).open(NOW)
        assert await provision(store, profile, PEPPER, now_ms)
        for brandname, template in profile.templates:
            text = template.replace("{P1,20}", "4821").replace("{P2,50}", "ban")
            draft = await draft_of(store, profile, text, brandname)
            assert draft.receivers[0].price == dict(profile.prices)[2] * VND
            assert draft.receivers[0].route_class == ("otp" if "{P1" in template else "other")
        assert (await draft_of(store, profile, "4821", "", "8")).receivers[0].price == dict(profile.prices)[8] * VND
        assert await store.balance(1) == (profile.balance * VND, 0)
        version = await store.directory_version()
        assert not await provision(store, profile, PEPPER, now_ms)
        assert await store.directory_version() == version
        await store.close(NOW)

    asyncio.run(scenario())


def test_a_start_that_was_cut_off_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    """Until its key is there nobody can send on a half-made account; the money comes once."""

    async def scenario() -> None:
        whole = 2 + 1 + 2 + 2 + 3 * 7 + 1 + 1
        for steps in range(2, whole, 3):
            engine = SqliteEngine(tmp_path / str(steps), threaded=False)
            Path(engine.path).parent.mkdir()
            store = await engine.open(NOW)
            with pytest.raises(CutOff):
                await provision(cut_off_after(store, steps), DEVELOPMENT, PEPPER, now_ms)
            assert not (await store.read_directory()).keys
            assert await provision(store, DEVELOPMENT, PEPPER, now_ms)
            assert await store.balance(1) == (DEVELOPMENT.balance * VND, 0)
            assert len((await store.read_directory()).templates) == 3 * 7
            await draft_of(store, DEVELOPMENT, "4821 la ma dang nhap Bocau cua ban", "Bocau")
            await store.close(NOW)
            sweep(engine.inspect())

    asyncio.run(scenario())


def test_the_known_secret_is_stored_only_as_a_keyed_hash(tmp_path: Path) -> None:
    """S1: not even that of the development account."""

    engine = SqliteEngine(tmp_path, threaded=False)

    async def scenario() -> None:
        store = await engine.open(NOW)
        await provision(store, DEVELOPMENT, PEPPER, now_ms)
        await store.close(NOW)

    asyncio.run(scenario())
    assert DEVELOPMENT.secret_key.encode() not in Path(engine.path).read_bytes()
