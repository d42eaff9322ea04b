"""Messages in the console: as they come, what is looked for, and one of them whole."""

from pathlib import Path

import pytest
from tests.console.stand import Stand, stand
from tests.rooms.accept.shop import PHONES, TEXT

from bocau.core.lifecycle import AttemptState


def ids(body: bytes) -> list[int]:
    """The rows of a page or of an event, in order."""
    return [int(piece.partition(b'"')[0]) for piece in body.split(b'<tr id="m')[1:]]


def test_the_newest_come_first_with_their_code_marked(tmp_path: Path) -> None:
    """What a developer looks for is what stands out."""

    async def scenario(one: Stand) -> None:
        empty = await one.visitor().get("/console/")
        assert b'id="empty">' in empty.body
        await one.place.send(Phone=PHONES[1])
        await one.place.send(Phone=PHONES[2])
        page = await one.visitor().get("/console/")
        assert ids(page.body) == [message.id for message in reversed(one.place.rows())]
        assert b'<b class="code">4821</b> la ma dang nhap BOCAU cua ban' in page.body
        assert b'id="empty" hidden>' in page.body

    stand(tmp_path, scenario)


def test_texts_are_inert(tmp_path: Path) -> None:
    """Whatever a customer sends is text to an operator (promises, values)."""

    async def scenario(one: Stand) -> None:
        text = "BOCAU cam on <script>alert(1)</script>"
        reply = await one.place.send(Content=text)
        visitor = one.visitor()
        for path in ("/console/", f"/console/messages/{reply.smsid}", "/console/live"):
            page = await visitor.get(path)
            assert b"&lt;script&gt;alert(1)" in page.body, path
            assert b"<script>alert" not in page.body, path

    stand(tmp_path, scenario)


def test_what_comes_and_changes_is_told_live(tmp_path: Path) -> None:
    """Each message when it comes, and again when its state is another; nothing twice."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()

        async def listen(mark: str) -> tuple[str, list[int], bytes]:
            reply = await visitor.get("/console/live", f"Last-Event-ID: {mark}\r\n" if mark else "")
            assert reply.headers["content-type"].startswith("text/event-stream")
            return reply.body.partition(b"id: ")[2].partition(b"\n")[0].decode(), ids(reply.body), reply.body

        await one.place.send()
        (first,) = one.place.rows()
        mark, told, _ = await listen("")
        assert told == [first.id]
        again, told, body = await listen(mark)
        assert (again, told) == (mark, [])
        assert b"event: quiet" in body
        await one.place.send(Phone=PHONES[1])
        second = one.place.rows()[1]
        mark, told, _ = await listen(mark)
        assert told == [second.id]
        await one.place.submit(first)
        mark, told, body = await listen(mark)
        assert told == [first.id]
        assert b">sent<" in body
        _, told, _ = await listen("of another start-3")
        assert told == [second.id, first.id]

    stand(tmp_path, scenario)


def test_a_message_is_shown_whole(tmp_path: Path) -> None:
    """As on a phone, with its code, its cost in parts, and everything that happened in words."""

    async def scenario(one: Stand) -> None:
        sent = await one.place.send(RequestId="order-7", CallbackUrl="http://shop.example/hook?token=secret")
        (message,) = one.place.rows()
        await one.place.submit(message)
        await one.place.report(message, AttemptState.DELIVERED)
        page = (await one.visitor().get(f"/console/messages/{sent.smsid}")).body.decode()
        for expected in (
            '<output id="code" class="huge">4821</output>',
            "GSM 7-bit, 34 septets",
            "RequestId order-7",
            f"taken as c{message.id}",
            "due, to http://shop.example/hook",
            'class="badge delivered"',
        ):
            assert expected in page, expected
        assert "token=secret" not in page

    stand(tmp_path, scenario)


def test_an_open_message_looks_again_and_a_finished_one_does_not(tmp_path: Path) -> None:
    """A page that is left open costs nothing once there is nothing to come."""

    async def scenario(one: Stand) -> None:
        sent = await one.place.send()
        (message,) = one.place.rows()
        path = f"/console/messages/{sent.smsid}/story"
        assert b"hx-trigger" in (await one.visitor().get(path)).body
        await one.place.submit(message)
        await one.place.report(message, AttemptState.UNDELIVERED)
        piece = (await one.visitor().get(path)).body
        assert b"hx-trigger" not in piece
        assert piece.startswith(b'<div id="story"')
        assert b"not asked for" in piece

    stand(tmp_path, scenario)


def test_a_request_with_several_receivers_shows_each(tmp_path: Path) -> None:
    """One page for the request, one phone at a time."""

    async def scenario(one: Stand) -> None:
        sent = await one.place.send(Phone=f"{PHONES[1]},{PHONES[3]}")
        second = one.place.rows()[1]
        page = (await one.visitor().get(f"/console/messages/{sent.smsid}?of={second.id}")).body.decode()
        assert f"<h1>Message to {PHONES[3]}</h1>" in page
        assert page.count("/console/messages/") >= 2

    stand(tmp_path, scenario)


def test_an_id_that_is_nobodys_is_said_so(tmp_path: Path) -> None:
    """Not an error of ours."""

    async def scenario(one: Stand) -> None:
        reply = await one.visitor().get("/console/messages/0000")
        assert reply.status == 404
        assert b"There is no request 0000" in reply.body

    stand(tmp_path, scenario)


def test_a_search_finds_by_whatever_is_at_hand(tmp_path: Path) -> None:
    """Phone, RequestId, the carrier's id, brandname, text, state; an SMSID leads to its message at once."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        sent = await one.place.send(Phone=PHONES[1], RequestId="order-7")
        await one.place.send(Phone=PHONES[2])
        first, second = one.place.rows()
        await one.place.submit(first)
        for query, expected in (
            (f"q={PHONES[1]}", [first.id]),
            ("q=order-7", [first.id]),
            (f"q=c{first.id}", [first.id]),
            ("q=bocau", [second.id, first.id]),
            (f"q={TEXT[5:12].replace(' ', '+')}", [second.id, first.id]),
            ("state=sent", [first.id]),
            ("state=sent&q=bocau", [first.id]),
            ("from=2027-01-15T14:59", [second.id, first.id]),
            ("from=2027-01-15T15:01", []),
            ("to=2027-01-15T14:58", []),
            (f"before={second.id}", [first.id]),
            ("account=999", []),
        ):
            page = await visitor.get(f"/console/?{query}")
            assert ids(page.body) == expected, query
        reply = await visitor.get(f"/console/?q={sent.smsid}")
        assert (reply.status, reply.headers["location"]) == (303, f"/console/messages/{sent.smsid}")

    stand(tmp_path, scenario)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("from=yesterday", "Write a date and a time"),
        ("to=2026-13-01T00:00", "Write a date"),
        ("state=lost", "no such state"),
    ],
)
def test_what_is_wrong_with_a_search_stands_beside_the_field(tmp_path: Path, query: str, word: str) -> None:
    """And nothing that was typed is lost."""

    async def scenario(one: Stand) -> None:
        await one.place.send()
        page = (await one.visitor().get(f"/console/?{query}&q=kept")).body.decode()
        assert word in page
        assert 'value="kept"' in page
        assert ids(page.encode()) == []

    stand(tmp_path, scenario)


@pytest.mark.parametrize(
    "query",
    [
        "before=99999999999999999999999",
        "account=99999999999999999999",
        "q=%00",
        "q=%ff",
        "from=0001-01-01T00:00",
        "to=9999-12-31T23:59",
        "q=" + "x" * 5000,
        "&" * 90,
    ],
)
def test_odd_searches_break_nothing(tmp_path: Path, query: str) -> None:
    """They find what they find."""

    async def scenario(one: Stand) -> None:
        await one.place.send()
        assert (await one.visitor().get(f"/console/?{query}")).status == 200

    stand(tmp_path, scenario)


def test_a_long_list_leads_further_back(tmp_path: Path) -> None:
    """A hundred at once, the rest behind a link."""

    async def scenario(one: Stand) -> None:
        requests = [one.place.sending(Phone=f"09012{number:05d}") for number in range(120)]
        await one.place.ask_all(requests)
        visitor = one.visitor()
        page = await visitor.get("/console/")
        shown = ids(page.body)
        rest = page.body.decode().partition('<p class="rest"><a href="')[2].partition('"')[0]
        shown += ids((await visitor.get(rest.replace("&amp;", "&"))).body)
        assert shown == [message.id for message in reversed(one.place.rows())]

    stand(tmp_path, scenario)
