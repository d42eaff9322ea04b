"""`bocau template import` and `export`: from a live service, from files, and back."""

import json
from pathlib import Path

import pytest
from tests.cli.shell import Shell, Stub

KEYS = {"ESMS_API_KEY": "K/1", "ESMS_SECRET_KEY": "S 2"}
LIST = "/MainService.svc/json/GetListBrandname/K%2F1/S%202"
GET = "/MainService.svc/json/GetTemplate/"
BRANDNAMES = (
    '{"CodeResponse":"100","ListBrandName":[{"Brandname":"Bocau","Type":2},{"Brandname":"SHOP","Type":2},'
    '{"Brandname":"ADS","Type":1}]}'
)
BOCAU = (
    '{"BrandnameTemplates":[{"NetworkID":2,"TempContent":"{P1,20} la ma dang nhap Bocau cua ban","TempId":458},'
    '{"NetworkID":1,"TempContent":"Bocau xin chao {P2,50}","TempId":459}],"CodeResult":"100","ErrorMessage":"success"}'
)
SHOP = (
    '{"BrandnameTemplates":[{"NetworkID":1,"TempContent":"{P1,6} la ma xac minh SHOP","TempId":7},'
    '{"NetworkID":3,"TempContent":"{P1,6} la ma xac minh SHOP","TempId":8}],"CodeResult":"100"}'
)
"""Bodies of esms-api 3.8."""


@pytest.fixture
def online(desk: Shell) -> Shell:
    """The desk, with the keys of the other service."""
    return Shell(desk.data, KEYS)


def serve(gateway: Stub) -> None:
    """A service with three brandnames."""
    gateway.answer(LIST, BRANDNAMES)
    gateway.answer(GET, BOCAU)
    gateway.answer(GET, SHOP)


def imported(shell: Shell, gateway: Stub, *words: str) -> str:
    """What the command says."""
    return shell.ok("template", "import", "bocau-dev", "--from-esms", "--url", gateway.url, *words)


def test_what_is_new_at_a_live_service_is_shown_and_nothing_is_written(online: Shell, gateway: Stub) -> None:
    """A rehearsal by default; keys go where the API wants them, and only type 2 counts."""
    serve(gateway)
    before = online.json("template", "list", "bocau-dev")
    lines = imported(online, gateway).splitlines()
    assert lines[:3] == [
        "+ brandname SHOP",
        "+ Bocau on Viettel: Bocau xin chao {P2,50}",
        "+ SHOP on Viettel, Vinaphone: {P1,6} la ma xac minh SHOP",
    ]
    assert "  Bocau on Viettel, Vinaphone, Vietnamobile, Gtel, Itel, Reddi: {P1,20} la ma dang nhap" in lines[3]
    assert lines[-1].startswith("1 brandnames and 3 templates are new, 1 are known, and nothing is written.")
    assert online.json("template", "list", "bocau-dev") == before
    assert [heard.path for heard in gateway.heard] == [LIST, GET, GET]
    asked = {"ApiKey": "K/1", "SecretKey": "S 2", "SmsType": "2", "Brandname": "SHOP"}
    assert gateway.heard[-1].members == asked


def test_it_is_written_when_it_is_said_so_and_once(online: Shell, gateway: Stub) -> None:
    """The second time nothing is new; the new texts may be sent."""
    serve(gateway)
    assert "and they are written." in imported(online, gateway, "--apply")
    text = "4821 la ma xac minh SHOP"
    assert online.json("template", "test", "bocau-dev", "SHOP", text, "--phone", "0981234567")["accepted"]
    gateway.answers[GET] = []
    gateway.answer(GET, BOCAU)
    gateway.answer(GET, SHOP)
    again = online.json("template", "import", "bocau-dev", "--from-esms", "--url", gateway.url, "--apply")
    assert (again["new_templates"], again["new_brandnames"], again["known"]) == ([], [], 4)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"CodeResponse":"101","ErrorMessage":"Authorize Failed"}', "does not know these keys"),
        ('{"CodeResult":"101","ErrorMessage":"Authorize Failed"}', "does not know these keys"),
        ('{"CodeResult":"160"}', "code 160"),
        ("no json", "HTTP 200 without a code"),
    ],
)
def test_a_service_that_gives_no_list_is_a_sentence(online: Shell, gateway: Stub, body: str, said: str) -> None:
    """Without the keys in it."""
    gateway.answer(LIST, body)
    told = online.fails("template", "import", "bocau-dev", "--from-esms", "--url", gateway.url)
    assert said in told
    assert "K/1" not in told
    assert "S 2" not in told


@pytest.mark.parametrize(
    "row", ['{"NetworkID":9,"TempContent":"x"}', '{"NetworkID":1}', '{"NetworkID":1,"TempContent":""}']
)
def test_a_row_that_cannot_be_a_template_imports_nothing(online: Shell, gateway: Stub, row: str) -> None:
    """All or nothing."""
    gateway.answer(LIST, BRANDNAMES)
    gateway.answer(GET, f'{{"BrandnameTemplates":[{row}],"CodeResult":"100"}}')
    assert "Nothing was imported" in online.fails(
        "template", "import", "bocau-dev", "--from-esms", "--url", gateway.url, "--apply"
    )


def test_without_keys_nothing_is_asked(desk: Shell, gateway: Stub) -> None:
    """They come from the environment or a prompt, never from an argument."""
    said = desk.fails("template", "import", "bocau-dev", "--from-esms", "--url", gateway.url)
    assert "ESMS_API_KEY" in said
    assert not gateway.heard
    assert "Give a FILE" in desk.fails("template", "import", "bocau-dev")


def texts(desk: Shell, account: str) -> set[tuple[str, int, str, str]]:
    """What is registered for an account, without its ids."""
    rows = desk.json("template", "list", account)
    return {(row["brandname"], row["telco"], row["text"], row["class"]) for row in rows}


def test_a_brandname_that_no_message_could_leave_with_is_left_out(desk: Shell) -> None:
    """It is told, and the others are taken over."""
    rows = [{"brandname": name, "text": "Cam on {ten:20} da mua hang", "telcos": [1]} for name in ("Nhà", "NEW")]
    Path("odd.json").write_text(json.dumps({"template": rows}), "utf-8")
    told = desk.ok("template", "import", "bocau-dev", "odd.json")
    assert "! brandname Nhà is left out: a brandname cannot have à" in told
    found = desk.json("template", "import", "bocau-dev", "odd.json", "--apply")
    assert (found["new_brandnames"], list(found["left_out"])) == (["NEW"], ["Nhà"])


def test_what_is_exported_is_imported_again(desk: Shell) -> None:
    """Into another account, whole; the spelling of placeholders does not matter."""
    desk.ok("account", "create", "shop")
    desk.ok("template", "export", "bocau-dev", "all.json")
    assert json.loads(desk.ok("template", "export", "bocau-dev")) == json.loads(Path("all.json").read_text("utf-8"))
    assert "nothing is written" in desk.ok("template", "import", "shop", "all.json")
    desk.ok("template", "import", "shop", "all.json", "--apply")
    ours, theirs = (texts(desk, name) for name in ("bocau-dev", "shop"))
    assert ours == theirs
    spelled = Path("all.json").read_text("utf-8").replace("{P1,20}", "{code}")
    Path("all.json").write_text(spelled, "utf-8")
    assert desk.json("template", "import", "shop", "all.json")["new_templates"] == []


def test_a_file_may_be_toml(desk: Shell) -> None:
    """Without networks it is all of them; the class is found out from the text."""
    Path("some.toml").write_text(
        '[[template]]\nbrandname = "Bocau"\ntext = "{code:6} la ma mua hang, dang nhap"\n'
        '[[template]]\nbrandname = "NEW"\ntext = "Cam on {ten:20}"\ntelcos = [1, "3"]\nclass = "otp"\n',
        "utf-8",
    )
    found = desk.json("template", "import", "bocau-dev", "some.toml", "--apply")
    assert found["new_brandnames"] == ["NEW"]
    assert [(one["telco"], one["route_class"]) for one in found["new_templates"][-2:]] == [(1, "otp"), (3, "otp")]
    assert len(found["new_templates"]) == 9


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"template":[1]}', '{"template":[{"text":"x"}]}', "{", '{"template":{"a":1}}']
)
def test_a_file_of_something_else_is_a_sentence(desk: Shell, text: str) -> None:
    """It says what a file looks like, or where it cannot be read."""
    Path("x.json").write_text(text, "utf-8")
    said = desk.fails("template", "import", "bocau-dev", "x.json")
    assert "no list of templates" in said or "cannot be read" in said
    assert "cannot be read" in desk.fails("template", "import", "bocau-dev", "nowhere.json")
