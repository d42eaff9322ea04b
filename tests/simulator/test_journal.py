"""What an outside witness can read of the carrier's day."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.rooms.scenario import run
from tests.simulator.stage import sms, stage

from bocau.simulator.journal import Journal, text_digest
from bocau.simulator.rules import Rules
from bocau.wire.gsm.parts import cut
from bocau.wire.smpp.events import Delivered, SubmitAnswered


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _events(path: Path, *names: str) -> list[dict[str, Any]]:
    return [line for line in _read(path) if line["event"] in names]


def test_the_life_of_a_message_is_written_down(tmp_path: Path) -> None:
    """From the bind to the acknowledged receipt, in order, without the text."""

    async def scenario() -> None:
        path = tmp_path / "journal.jsonl"
        path.unlink(missing_ok=True)
        journal = Journal(path)
        async with stage(Rules(0), journal=journal) as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms(text="code 123456"))
            await esme.expect(Delivered)
            await esme.settle()
        journal.close()
        lines = _read(path)
        names = ["listen", "bind", "submit", "answer", "shown", "receipt", "acknowledge", "lost", "stop"]
        assert [line["event"] for line in lines] == names
        assert lines[1] == {
            "at_ms": 1763791200000,
            "event": "bind",
            "link": 1,
            "system_id": "acme",
            "mode": "transceiver",
            "status": 0,
        }
        digest = sha256(b"code 123456").hexdigest()
        assert lines[2] == {
            "at_ms": 1763791200000,
            "event": "submit",
            "link": 1,
            "system_id": "acme",
            "sender": "Bocau",
            "phone": "84901230000",
            "part": 1,
            "parts": 1,
            "reference": "",
            "sha256": digest,
            "digest": digest[:8],
            "act": "answer",
            "status": 0,
            "message_id": answer.message_id,
        }
        about = {"at_ms": 1763791200000, "link": 1, "system_id": "acme", "message_id": answer.message_id}
        phone = {"phone": "84901230000"}
        assert lines[5] == {**about, **phone, "event": "receipt", "state": "DELIVRD", "number": 1}
        assert lines[6] == {**about, **phone, "event": "acknowledge", "status": 0}
        assert "123456" not in path.read_text("utf-8").replace(answer.message_id, "")

    run(scenario)


def test_an_answer_that_was_heard_is_already_in_the_file(tmp_path: Path) -> None:
    """Lines are written before the bytes that they are about, so that a checker never misses one."""

    async def scenario() -> None:
        path = tmp_path / "journal.jsonl"
        path.unlink(missing_ok=True)
        journal = Journal(path)
        async with stage(journal=journal) as scene:
            esme = await scene.bind()
            for number in range(1, 20):
                await esme.answer(sms())
                assert len(_events(path, "answer")) == number
        journal.close()

    run(scenario)


def test_what_is_not_answered_is_told_apart(tmp_path: Path) -> None:
    """Refusals, silence and a closed connection."""

    async def scenario() -> None:
        path = tmp_path / "journal.jsonl"
        path.unlink(missing_ok=True)
        journal = Journal(path)
        async with stage(journal=journal) as scene:
            esme = await scene.bind()
            await esme.answer(sms("0009"))
            esme.submit(sms("0010"))
            esme.submit(sms("0011"))
            await esme.closed.wait()
            assert esme.heard(SubmitAnswered) == 0
        journal.close()
        told = [(line["act"], line["status"], line["message_id"]) for line in _events(path, "submit")]
        assert told == [("answer", 11, ""), ("silence", 0, ""), ("disconnect", 0, "")]
        assert [line["status"] for line in _events(path, "answer")] == [11]

    run(scenario)


def test_repeated_receipts_show_their_number(tmp_path: Path) -> None:
    """After a lost link the same receipt is offered again as number 2."""

    async def scenario() -> None:
        path = tmp_path / "journal.jsonl"
        path.unlink(missing_ok=True)
        journal = Journal(path)
        async with stage(Rules(0), journal=journal) as scene:
            esme = await scene.bind()
            esme.acknowledge_with = None
            await esme.answer(sms())
            await esme.expect(Delivered)
            await scene.lose(esme)
            again = await scene.bind()
            await again.receipt()
            await again.settle()
        journal.close()
        assert [(line["link"], line["number"]) for line in _events(path, "receipt")] == [(1, 1), (2, 2)]
        assert [line["link"] for line in _events(path, "acknowledge")] == [2]

    run(scenario)


def test_full_texts_are_written_on_demand(tmp_path: Path) -> None:
    """Of each part, and of the whole message as shown."""

    async def scenario() -> None:
        path = tmp_path / "journal.jsonl"
        path.unlink(missing_ok=True)
        journal = Journal(path, full_text=True)
        text = "Mã OTP " * 24
        async with stage(journal=journal) as scene:
            esme = await scene.bind()
            for part in cut(text, 5):
                await esme.answer(sms(esm_class=part.esm_class, data_coding=part.data_coding, short_message=part.data))
        journal.close()
        submits = _events(path, "submit")
        assert "".join(line["text"] for line in submits) == text
        assert [(line["part"], line["parts"], line["reference"]) for line in submits] == [
            (number, 3, "8:05") for number in (1, 2, 3)
        ]
        (shown,) = _events(path, "shown")
        assert (shown["text"], shown["sha256"]) == (text, text_digest(text))
        assert shown["message_ids"] == [line["message_id"] for line in submits]

    run(scenario)


def test_a_journal_is_appended_to(tmp_path: Path) -> None:
    """A second life of the carrier continues the file of the first."""
    path = tmp_path / "journal.jsonl"
    for life in (1, 2):
        journal = Journal(path)
        journal.note(life, "listen", port=1)
        journal.close()
    assert [line["at_ms"] for line in _read(path)] == [1, 2]
