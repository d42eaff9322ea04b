"""`bocau portability`: moved numbers come in, go out, and decide about a message."""

import sqlite3
from pathlib import Path

import pytest
from tests.cli.shell import Shell

TEXT = "4821 la ma xac minh dang ky Baotrixemay cua ban"


def file(text: str) -> str:
    """A file in the working folder."""
    Path("moved.csv").write_text(text, "utf-8")
    return "moved.csv"


def test_numbers_are_imported_listed_exported_and_looked_up(desk: Shell) -> None:
    """Any spelling of a number, a network by id or name, with or without the line of headings."""
    told = desk.ok("portability", "import", file("phone,telco\r\n+84 901 234 567,Viettel\r\n0981234567,3\r\n\r\n"))
    assert told == "2 numbers are taken over from moved.csv.\n"
    assert desk.json("portability", "list") == [
        {"phone": "0901234567", "telco": 1, "network": "Viettel"},
        {"phone": "0981234567", "telco": 3, "network": "Vinaphone"},
    ]
    assert desk.ok("portability", "export") == "phone,telco\n0901234567,1\n0981234567,3\n"
    desk.ok("portability", "export", "out.csv")
    assert desk.json("portability", "import", "out.csv", "--replace")["numbers"] == 2
    assert desk.json("portability", "lookup", "84901234567") == {
        "phone": "0901234567",
        "telco": 1,
        "network": "Viettel",
        "moved": True,
        "learned_network": None,
        "learned_from": None,
        "learned_ms": None,
        "prefix_network": "Mobifone",
        "table": desk.json("portability", "lookup", "0931234567")["table"],
    }
    assert "of its prefix" in desk.ok("portability", "lookup", "0931234567")
    assert desk.json("portability", "lookup", "0951234567")["network"] is None


def test_the_telco_of_a_message_is_the_network_it_moved_to(desk: Shell) -> None:
    """The trial runs the checks of the door, which ask for templates of that network."""
    words = ("template", "test", "bocau-dev", "Baotrixemay", TEXT, "--phone", "0901234567")
    assert desk.json(*words)["network"] == "Mobifone"
    desk.ok("portability", "import", file("0901234567,6\n"))
    assert desk.json(*words)["network"] == "Itel"
    desk.ok("portability", "import", file("0901234567,0\n"))
    assert desk.json(*words)["network"] == "Mobifone"


def test_replacing_forgets_what_the_file_does_not_name(desk: Shell) -> None:
    """A list that is always whole needs no lines for those who went back."""
    desk.ok("portability", "import", file("0901234567,1\n0901234568,1\n"))
    desk.ok("portability", "import", file("0901234568,2\n"), "--replace")
    assert desk.ok("portability", "export") == "phone,telco\n0901234568,2\n"
    desk.ok("portability", "import", file(""), "--replace")
    assert "No number is known to have moved" in desk.ok("portability", "list")


@pytest.mark.parametrize("line", ["0901234567", "0901234567,8", "0901234567,1,2", "12,1", "phone,telco"])
def test_a_file_with_a_bad_line_changes_nothing(desk: Shell, line: str) -> None:
    """All or nothing; the line is named."""
    assert "line 2 of moved.csv" in desk.fails("portability", "import", file(f"0901234567,1\n{line}\n"))
    assert desk.json("portability", "list") == []


def test_a_file_that_cannot_be_read_is_a_sentence(desk: Shell) -> None:
    """Missing, or no text."""
    assert "cannot be read" in desk.fails("portability", "import", "nowhere.csv")
    Path("bytes.csv").write_bytes(b"\xff\xfe,1")
    assert "cannot be read" in desk.fails("portability", "import", "bytes.csv")
    assert "no Vietnamese mobile number" in desk.fails("portability", "lookup", "12")


def test_a_table_of_the_operator_is_laid_over_the_prefixes(desk: Shell) -> None:
    """Named in the settings; a table that makes no sense is a problem of the settings."""
    assert desk.data is not None
    Path("telcos.toml").write_text('version = "ours"\n[prefixes]\n"0901" = 7\n', "utf-8")
    Path("bocau.toml").write_text(
        f'[store]\npath = "{desk.data / "bocau.db"}"\n[accept]\ntelco_table = "telcos.toml"\n', "utf-8"
    )
    shell = Shell()
    found = shell.json("portability", "lookup", "0901234567")
    assert (found["telco"], found["table"]) == (7, "ours")
    words = ("template", "test", "bocau-dev", "Baotrixemay", TEXT, "--phone", "0901234567")
    assert shell.json(*words)["network"] == "Reddi"
    Path("telcos.toml").write_text('[prefixes]\n"0901" = 9\n', "utf-8")
    assert "prefix 0901" in shell.fails("portability", "lookup", "0901234567")


def test_what_was_learned_is_listed_and_stands_below_the_table(desk: Shell) -> None:
    """By whom and when; an import overrides it."""
    assert "No network of a number was learned yet" in desk.ok("portability", "learned")
    assert desk.data is not None
    with sqlite3.connect(desk.data / "bocau.db") as db:
        db.executemany(
            "INSERT INTO learned_network VALUES (?, ?, ?, ?)",
            [(901234567, 1, "north", 1_800_000_000_000), (901234568, 3, "lookup", 1_800_000_060_000)],
        )
    db.close()
    assert [(row["phone"], row["network"], row["source"]) for row in desk.json("portability", "learned")] == [
        ("0901234568", "Vinaphone", "lookup"),
        ("0901234567", "Viettel", "north"),
    ]
    assert "carrier north named it, 2027-01-15" in desk.ok("portability", "lookup", "0901234567")
    assert "the lookup service said so" in desk.ok("portability", "lookup", "0901234568")
    desk.ok("portability", "import", file("0901234567,6\n"))
    found = desk.json("portability", "lookup", "0901234567")
    assert (found["network"], found["learned_network"], found["moved"]) == ("Itel", "Viettel", True)
