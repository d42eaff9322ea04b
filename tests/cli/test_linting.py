"""`bocau template lint`, and the advice that registering gives."""

import json

import pytest
from tests.cli.shell import Shell


def test_a_plain_template_gets_one_line(shell: Shell) -> None:
    """No store is needed for a text."""
    told = shell.ok("template", "lint", "{code:8} la ma xac minh dang ky Baotrixemay cua ban")
    assert told == "In the GSM alphabet: 1 part at the shortest (44 septets), 1 part at the longest (51).\n"


def test_what_makes_a_template_dear_is_named_with_its_place_and_its_cure(shell: Shell) -> None:
    """The curly quote that a word processor put there."""
    text = "{code:8} la ma xac minh dang ky Baotrixemay cua ban. Khong gui ma nay cho ai, ke ca ‘nhan vien’ cua hang"
    lines = shell.ok("template", "lint", text).splitlines()
    assert lines[0].startswith("In Unicode: 2 parts at the shortest (97 UTF-16 units)")
    assert lines[1] == (
        '"‘" at character 85 is outside the GSM alphabet and makes the whole message Unicode: write \' instead.'
    )
    assert "Because of them a message costs 2 parts instead of 1." in lines
    found = shell.json("template", "lint", text)
    assert (found["longest"]["parts"], found["longest_if_plain"]["parts"]) == (2, 1)
    assert found["not_gsm"][0] == {"position": 85, "sign": "‘", "suggestion": "'"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Gia {P2,9}: 50% cho ban [o day]", "Some carriers refuse"),
        ("Gia {P2,9}: 50€ cho ban o day", 'Counted twice: "€" at 15.'),
        ("Xin chao {P2,30}, cam on b\u200ban", "ZERO WIDTH SPACE at character 27"),
        ("Xin chào {P2,30}, cảm ơn bạn", "IsUnicode 0 lose their marks"),
        ("Xin chao {P2,150}, cam on ban", "With diacritics in a value (IsUnicode 1): 3 parts"),
        ("Ma OTP cua ban la 482100", '"482100" stands in it as text'),
        ("Ma OTP cua ban la {{ten}}", '"{ten}" names no length'),
    ],
)
def test_every_finding_has_its_sentence(shell: Shell, text: str, said: str) -> None:
    """In the text of the command, and as data."""
    assert said in shell.ok("template", "lint", text)
    assert shell.json("template", "lint", text)["text"] == text


def test_a_registered_template_is_looked_over_by_its_id(desk: Shell) -> None:
    """As `bocau template list` shows it."""
    rows = desk.json("template", "list", "bocau-dev")
    assert desk.json("template", "lint", "--id", str(rows[0]["id"]))["text"] == rows[0]["text"]
    assert "no template 9999" in desk.fails("template", "lint", "--id", "9999")
    assert "Give a TEXT" in desk.fails("template", "lint")
    assert "Give a TEXT" in desk.fails("template", "lint", "x", "--id", "1")
    assert "cannot be a template" in desk.fails("template", "lint", "{P1,0}")


def test_registering_warns_and_registers_all_the_same(desk: Shell) -> None:
    """Advice is no refusal."""
    result = desk.run("template", "add", "bocau-dev", "Bocau", "Ma OTP cua ban là 482100", "--telco", "1", "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["templates"]) == 1
    assert "482100" in result.stderr
    assert "IsUnicode 0" in result.stderr


def test_an_unusual_brandname_needs_to_be_insisted_on(desk: Shell) -> None:
    """What no network can carry is refused whatever is said."""
    assert "--force" in desk.fails("brandname", "add", "bocau-dev", "A&B shop")
    result = desk.run("brandname", "add", "bocau-dev", "A&B shop", "--force", "--json")
    assert (result.exit_code, json.loads(result.stdout)["brandname"]) == (0, "A&B shop")
    assert "networks refuse &" in result.stderr
    assert "cannot be a brandname" in desk.fails("brandname", "add", "bocau-dev", "Bảo trì", "--force")
    assert "cannot be a brandname" in desk.fails("brandname", "add", "bocau-dev", "a" * 21, "--force")
