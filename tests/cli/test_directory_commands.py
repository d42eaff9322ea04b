"""Accounts, keys, brandnames, templates and prices from the command line."""

import asyncio
import json
import re
from array import array
from pathlib import Path

import pytest
from tests.cli.shell import Shell, directory

from bocau.core.registration import PENDING, Registration
from bocau.deliver.speech.wav import Sound, write_wav
from bocau.store.contract import Clerk, OutcomeDeadlines
from bocau.store.sqlite import SqliteStore

NOW = 1_800_000_000_000
OTP = "{P1,20} la ma xac minh dang ky Baotrixemay cua ban"


def key_of(desk: Shell, account: str) -> dict[str, str]:
    made: dict[str, str] = desk.json("key", "create", account)
    return made


def test_a_new_account_can_be_listed(desk: Shell) -> None:
    """Both as a document and as a table."""
    assert desk.json("account", "create", "shop")["account"] == "shop"
    assert desk.json("account", "list")[1] == {
        "id": 2,
        "account": "shop",
        "state": "active",
        "balance_vnd": 0,
        "credit_limit_vnd": 0,
        "unicode_policy": "default",
        "type8_channel": "default",
        "active_keys": 0,
    }
    assert "shop" in desk.ok("account", "list")


@pytest.mark.parametrize("name", ["bocau-dev", "bocau-dev-2", "default", " shop", "a\nb", "x" * 65, ""])
def test_a_name_that_would_confuse_is_refused(desk: Shell, name: str) -> None:
    """A name taken, reserved, or that cannot be seen whole."""
    assert desk.fails("account", "create", name)
    assert len(desk.json("account", "list")) == 1


def test_an_account_is_created_once(desk: Shell) -> None:
    """The second time is an error, as a sentence or as an object."""
    desk.ok("account", "create", "shop")
    assert desk.fails("account", "create", "shop") == "There is an account 'shop' already.\n"
    assert json.loads(desk.fails("account", "create", "shop", "--json")) == {
        "error": "There is an account 'shop' already."
    }


def test_lock_unlock_and_credit_change_the_account(desk: Shell) -> None:
    """What the list shows afterwards is what was asked for."""
    desk.ok("account", "lock", "bocau-dev")
    desk.ok("balance", "set-credit", "bocau-dev", "1500.5")
    row = desk.json("account", "list")[0]
    assert (row["state"], row["credit_limit_vnd"]) == ("locked", 1500.5)
    desk.ok("account", "unlock", "bocau-dev")
    assert desk.json("account", "list")[0]["state"] == "active"


def test_a_mistyped_account_is_met_with_the_nearest_name(desk: Shell) -> None:
    """And with the command that lists them."""
    said = desk.fails("account", "lock", "bocau-dve")
    assert 'did you mean "bocau-dev"?' in said
    assert "bocau account list" in said


def test_a_new_key_signs_in_and_its_secret_is_shown_once(desk: Shell) -> None:
    """The door accepts the printed pair; the list has no secret."""
    assert desk.data is not None
    desk.ok("account", "create", "shop")
    made = key_of(desk, "shop")
    assert re.fullmatch(r"[0-9A-F]{40}", made["secret_key"])
    key = directory(desk.data).sign_in(made["api_key"], made["secret_key"], NOW)
    assert key is not None
    assert key.account.name == "shop"
    assert made["secret_key"] not in desk.ok("key", "list", "shop")
    assert desk.json("key", "list", "shop") == [
        {
            "api_key": made["api_key"],
            "state": "active",
            "scopes": "query,send",
            "brandname": None,
            "expires": None,
            "last_used": None,
            "spent_today_vnd": 0,
        }
    ]


def test_a_key_is_disabled_and_enabled_with_its_old_secret(desk: Shell) -> None:
    """Disabling keeps the hash."""
    assert desk.data is not None
    desk.ok("account", "create", "shop")
    made = key_of(desk, "shop")
    desk.ok("key", "disable", made["api_key"])
    assert directory(desk.data).sign_in(made["api_key"], made["secret_key"], NOW) is None
    desk.ok("key", "enable", made["api_key"])
    assert directory(desk.data).sign_in(made["api_key"], made["secret_key"], NOW) is not None
    assert "There is no key nobody" in desk.fails("key", "disable", "nobody")


def test_a_chosen_key_is_never_overwritten(desk: Shell) -> None:
    """Creating it again would change its secret under a customer's feet."""
    desk.ok("account", "create", "shop")
    assert "shop-key-1" in desk.ok("key", "create", "shop", "--api-key", "shop-key-1")
    assert "already" in desk.fails("key", "create", "shop", "--api-key", "shop-key-1")
    assert "already" in desk.fails("key", "create", "bocau-dev", "--api-key", "shop-key-1")


@pytest.mark.parametrize("key", ["bocau-dev", "bocau-dev-x", "a b", "ab", "-abc", "khóa-một", "a/b/c", "x" * 65])
def test_a_key_that_production_or_a_path_cannot_take_is_refused(desk: Shell, key: str) -> None:
    """Development keys, and what GetBalance could not carry in its path."""
    assert desk.fails("key", "create", "bocau-dev", f"--api-key={key}")


def test_without_the_file_of_the_hash_key_no_key_is_made(desk: Shell) -> None:
    """A fresh file would void every secret."""
    assert desk.data is not None
    file = desk.data / "bocau.db.key"
    file.unlink()
    assert "Restore it" in desk.fails("key", "create", "bocau-dev")
    assert not file.exists()


def test_a_file_of_the_hash_key_that_others_read_is_refused(desk: Shell) -> None:
    """With the command that puts it right."""
    assert desk.data is not None
    (desk.data / "bocau.db.key").chmod(0o644)
    assert "chmod 600" in desk.fails("key", "create", "bocau-dev")


@pytest.mark.parametrize(
    "name", ["ab", "x" * 21, "Bảo trì", "a#b", "a&b", "[ab]", "{ab}", "a\\b", "a<b", "a@b", " abc", "abc "]
)
def test_a_brandname_that_no_network_takes_is_refused(desk: Shell, name: str) -> None:
    """Length and signs of esms-api 8.5."""
    assert desk.fails("brandname", "add", "bocau-dev", name)
    assert len(desk.json("brandname", "list", "bocau-dev")) == 2


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("Shop", ""),
        ("Shop 24.7_a-b", "has 13 characters"),
        ("24h shop", "begins with a digit"),
        ("BOCAU", "differ only in case"),
    ],
)
def test_a_brandname_is_registered_with_its_doubts(desk: Shell, name: str, warning: str) -> None:
    """What some network may refuse is a warning (esms-api 7, row AM)."""
    result = desk.run("brandname", "add", "bocau-dev", name, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["state"] == "active"
    assert warning in result.stderr if warning else not result.stderr
    assert name in [row["brandname"] for row in desk.json("brandname", "list", "bocau-dev")]


def test_a_brandname_is_switched_off_and_on(desk: Shell) -> None:
    """Registering it again does not switch it on by the way."""
    desk.ok("brandname", "disable", "bocau-dev", "Bocau")
    assert desk.json("brandname", "list", "bocau-dev")[1]["state"] == "disabled"
    assert "brandname enable" in desk.fails("brandname", "add", "bocau-dev", "Bocau")
    desk.ok("brandname", "enable", "bocau-dev", "Bocau")
    assert desk.json("brandname", "list", "bocau-dev")[1]["state"] == "active"
    assert 'did you mean "Bocau"?' in desk.fails("brandname", "disable", "bocau-dev", "bocau")


def test_only_type_2_has_brandnames(desk: Shell) -> None:
    """A brandname of another type would never be looked at."""
    assert "Only SmsType 2" in desk.fails("brandname", "add", "bocau-dev", "Shop", "--type", "8")


def test_a_template_goes_to_all_networks_or_to_some(desk: Shell) -> None:
    """By id or by name; the class is found out from the text."""
    everywhere = desk.json("template", "add", "bocau-dev", "Bocau", "Ma dang nhap: {P1,8}")
    assert [row["telco"] for row in everywhere["templates"]] == [1, 2, 3, 4, 5, 6, 7]
    assert everywhere["class"] == "otp"
    some = desk.json("template", "add", "bocau-dev", "Bocau", "Tin  moi {P2,9} ", "--telco", "viettel, 3")
    assert [row["telco"] for row in some["templates"]] == [1, 3]
    assert (some["class"], some["text"]) == ("other", "Tin moi {P2,9}")
    chosen = desk.json("template", "add", "bocau-dev", "Bocau", "Tin moi {P2,9}", "--telco", "1", "--class", "otp")
    assert chosen["templates"][0]["id"] == some["templates"][0]["id"]
    assert chosen["class"] == "otp"


@pytest.mark.parametrize(
    ("brandname", "text", "telco", "said"),
    [
        ("Nobody", "x", "all", "no brandname"),
        ("bocau", "x", "all", 'did you mean "Bocau"?'),
        ("Bocau", " ", "all", "a template needs text"),
        ("Bocau", "{P1,0}", "all", "at least one character"),
        ("Bocau", "x", "8", '"8" is no network'),
        ("Bocau", "x", "1,", "is no network"),
    ],
)
def test_a_template_that_cannot_be_is_refused(desk: Shell, brandname: str, text: str, telco: str, said: str) -> None:
    """Nothing is stored, and the sentence names what is wrong."""
    before = desk.json("template", "list", "bocau-dev")
    assert said in desk.fails("template", "add", "bocau-dev", brandname, text, "--telco", telco)
    assert desk.json("template", "list", "bocau-dev") == before


def test_templates_are_removed_all_or_none(desk: Shell) -> None:
    """Ids of another account do not count."""
    desk.ok("account", "create", "shop")
    ids = [str(row["id"]) for row in desk.json("template", "list", "bocau-dev")]
    assert "nothing was removed" in desk.fails("template", "remove", "bocau-dev", ids[0], "9999")
    assert "has no template" in desk.fails("template", "remove", "shop", ids[0])
    assert desk.json("template", "remove", "bocau-dev", *ids[:2])["removed"] == [int(i) for i in ids[:2]]
    assert len(desk.json("template", "list", "bocau-dev")) == len(ids) - 2


def test_call_templates_are_added_listed_and_removed(desk: Shell) -> None:
    """An equal text is the same template; what cannot be said is refused; another account's are not there."""
    assert "no call template yet" in desk.ok("call-template", "list", "bocau-dev")
    made = desk.json("call-template", "add", "bocau-dev", " Ma cua ban la {code}. ")
    assert desk.json("call-template", "add", "bocau-dev", "Ma cua ban la {code}.")["id"] == made["id"]
    assert desk.json("call-template", "list", "bocau-dev") == [{"id": made["id"], "text": "Ma cua ban la {code}."}]
    assert "no partner" in desk.fails("call-template", "add", "bocau-dev", "Ma {code")
    assert "no message can carry" in desk.fails("call-template", "add", "bocau-dev", "Ma \x00")
    desk.ok("account", "create", "other")
    assert "has no call template" in desk.fails("call-template", "remove", "other", str(made["id"]))
    assert desk.json("call-template", "remove", "bocau-dev", str(made["id"]))["removed"] == made["id"]
    assert desk.json("call-template", "list", "bocau-dev") == []


def test_recordings_are_added_replaced_listed_and_removed(desk: Shell, tmp_path: Path) -> None:
    """The same name is the same recording with another sound; what is no sound, or too long, is refused."""
    file = tmp_path / "welcome.wav"
    file.write_bytes(write_wav(Sound(array("h", [0] * 12_000), 8_000)))
    assert "no recording yet" in desk.ok("call-recording", "list", "bocau-dev")
    made = desk.json("call-recording", "add", "bocau-dev", " welcome ", str(file))
    assert made == {"account": "bocau-dev", "id": made["id"], "name": "welcome", "seconds": 1.5}
    file.write_bytes(write_wav(Sound(array("h", [0] * 32_000), 16_000)))
    assert desk.json("call-recording", "add", "bocau-dev", "welcome", str(file))["id"] == made["id"]
    assert desk.json("call-recording", "list", "bocau-dev") == [{"id": made["id"], "name": "welcome", "seconds": 2.0}]
    file.write_bytes(write_wav(Sound(array("h", [0] * 360_001), 8_000)))
    assert "at most 45 s" in desk.fails("call-recording", "add", "bocau-dev", "long", str(file))
    file.write_bytes(b"no sound")
    assert "is not a WAV file" in desk.fails("call-recording", "add", "bocau-dev", "x", str(file))
    assert "cannot be read" in desk.fails("call-recording", "add", "bocau-dev", "x", str(tmp_path / "none.wav"))
    desk.ok("account", "create", "other")
    assert "has no recording" in desk.fails("call-recording", "remove", "other", str(made["id"]))
    assert desk.json("call-recording", "remove", "bocau-dev", str(made["id"]))["removed"] == made["id"]
    assert desk.json("call-recording", "list", "bocau-dev") == []


def test_a_text_that_follows_a_template_is_told_so(desk: Shell) -> None:
    """With its parts and price; diacritics are stripped as the door would do it."""
    text = "4821 là mã xác minh đăng ký Baotrixemay của bạn"
    found = desk.json("template", "test", "bocau-dev", "Baotrixemay", text, "--phone", "+84 901 234 567")
    assert found["accepted"]
    assert found["template"]["text"] == OTP
    assert (found["network"], found["alphabet"], found["units"], found["parts"]) == ("Mobifone", "gsm", 47, 1)
    assert found["price_vnd"] == 850
    shown = desk.ok("template", "test", "bocau-dev", "Baotrixemay", text, "--phone", "0901234567")
    assert "follows template" in shown
    assert "1 part: 47 septets in gsm, 850 VND" in shown


def test_a_text_that_leaves_its_template_is_shown_where(desk: Shell) -> None:
    """The nearest template, the first character that differs, and a mark below it."""
    text = "4821 la ma xac minh dang ky BaoTriXeMay cua ban"
    result = desk.run("template", "test", "bocau-dev", "Baotrixemay", text, "--phone", "0901234567")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Refused: code 146, differs from template 2 of Baotrixemay on Mobifone at character 32",
        f"  {OTP}",
        f"  {text}",
        f"  {' ' * 31}^",
        'expected "Baotrixemay", got "BaoTriXeMay"',
        "The text takes 1 part: 47 septets in gsm",
    ]


def test_a_mark_stands_below_its_character_in_a_long_text_of_several_lines(desk: Shell) -> None:
    """Only the line and the neighbourhood that matter are shown."""
    desk.ok("template", "add", "bocau-dev", "Bocau", "Kinh gui\n" + "a" * 80 + "b" + "c" * 80)
    text = "Kinh gui\n" + "a" * 80 + "X" + "c" * 80
    lines = desk.run("template", "test", "bocau-dev", "Bocau", text, "--phone", "0901234567").stdout.splitlines()
    mark = next(number for number, line in enumerate(lines) if line.strip() == "^")
    assert lines[mark - 1][lines[mark].index("^")] == "X"
    assert len(lines[mark - 1]) < 110


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("Nobody", "x", "--phone", "0901234567"), "104"),
        (("Bocau", "x", "--phone", "12"), "108"),
        (("Bocau", "x" * 800, "--phone", "0901234567"), "110"),
        (("Bocau", "chào", "--unicode", "--phone", "0901234567"), "146"),
    ],
)
def test_a_trial_answers_with_the_code_of_the_door(desk: Shell, words: tuple[str, ...], code: str) -> None:
    """The same checks run, in the same order."""
    result = desk.run("template", "test", "bocau-dev", *words, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == code
    assert f"code {code}" in desk.run("template", "test", "bocau-dev", *words).stdout


def test_a_trial_leaves_the_store_alone(desk: Shell) -> None:
    """Its key exists in memory only."""
    desk.ok(
        "template",
        "test",
        "bocau-dev",
        "Baotrixemay",
        "1 la ma xac minh dang ky Baotrixemay cua ban",
        "--phone=0901234567",
    )
    assert [key["api_key"] for key in desk.json("key", "list", "bocau-dev")] == ["bocau-dev"]


def test_prices_stand_in_the_default_list_or_in_an_accounts_own(desk: Shell) -> None:
    """The list that is shown for an account is the one that counts for it."""
    desk.ok("account", "create", "shop")
    assert "no price yet" in desk.ok("price", "list", "shop")
    desk.ok("price", "set", "default", "2", "all", "850")
    assert desk.json("price", "list", "shop") == [
        {"list": "default", "type": 2, "telco": 0, "network": "all", "price_vnd": 850}
    ]
    result = desk.run("price", "set", "shop", "2", "viettel,2", "900.0005")
    assert "does not count for it any more" in result.stderr
    assert [(row["telco"], row["price_vnd"]) for row in desk.json("price", "list", "shop")] == [
        (1, 900.0005),
        (2, 900.0005),
    ]
    assert not desk.run("price", "set", "shop", "8", "all", "600").stderr
    assert {row["list"] for row in desk.json("price", "list")} == {"default", "bocau-dev", "shop"}


@pytest.mark.parametrize(
    "words",
    [
        ("default", "1", "all", "850"),
        ("default", "2", "none", "850"),
        ("default", "2", "all", "850,5"),
        ("nobody", "2", "all", "850"),
    ],
)
def test_a_price_that_cannot_be_is_refused(desk: Shell, words: tuple[str, ...]) -> None:
    """Type, network, amount and owner are checked."""
    assert desk.fails("price", "set", *words)
    assert {row["list"] for row in desk.json("price", "list")} == {"bocau-dev"}


def test_money_goes_in_and_out_and_the_ledger_has_every_line(desk: Shell) -> None:
    """Amounts are exact, and the newest line comes first."""
    desk.ok("account", "create", "shop")
    assert "no such line" in desk.ok("ledger", "shop")
    assert desk.json("balance", "top-up", "shop", "5000", "--cause", "chuyển khoản 17")["balance_vnd"] == 5000
    assert desk.json("balance", "top-up", "shop", "-100.5")["balance_vnd"] == 4899.5
    desk.ok("balance", "set-credit", "shop", "1000")
    assert desk.json("balance", "show", "shop") == {
        "account": "shop",
        "balance_vnd": 4899.5,
        "credit_limit_vnd": 1000,
        "available_vnd": 5899.5,
    }
    assert "Available     5899.5 VND" in desk.ok("balance", "show", "shop")
    lines = desk.json("ledger", "shop")
    assert [(line["kind"], line["amount_vnd"], line["cause"]) for line in lines] == [
        ("top_up", -100.5, "top-up"),
        ("top_up", 5000, "chuyển khoản 17"),
    ]
    assert len(desk.json("ledger", "shop", "--limit", "1")) == 1


def test_a_large_amount_is_printed_to_the_last_digit(desk: Shell) -> None:
    """Amounts are written as exact number tokens, not as floating point."""
    desk.ok("account", "create", "shop")
    assert '"balance_vnd":999999999999.9999' in desk.ok("balance", "top-up", "shop", "999999999999.9999", "--json")


@pytest.mark.parametrize("amount", ["0", "-0", "1e9", "abc", "--5", "-6000", "1234567890123"])
def test_an_amount_that_cannot_be_booked_is_refused(desk: Shell, amount: str) -> None:
    """Nothing but digits and a point, not nothing, and not more than is there."""
    desk.ok("account", "create", "shop")
    result = desk.run("balance", "top-up", "shop", amount)
    assert result.exit_code in (1, 2)
    assert desk.json("balance", "show", "shop")["balance_vnd"] == 0


def test_commands_work_beside_a_running_gateway(desk: Shell) -> None:
    """The gateway holds the store open, and sees the change by the directory's version."""
    assert desk.data is not None
    with asyncio.Runner() as runner:
        store = runner.run(
            SqliteStore.gateway(
                str(desk.data / "bocau.db"),
                node=0,
                now_ms=1,
                deadlines=OutcomeDeadlines(1, 1, 1),
                on_fatal=print,
                threaded=False,
            )
        )
        before = runner.run(store.directory_version())
        desk.ok("account", "create", "shop")
        assert runner.run(store.directory_version()) > before
        assert [account.name for account in runner.run(store.accounts())] == ["bocau-dev", "shop"]
        runner.run(store.close(1))


def test_without_a_store_the_way_to_one_is_told(shell: Shell, tmp_path: Path) -> None:
    """No store is made by looking for it."""
    said = shell.fails("account", "list")
    assert "no store at .bocau/bocau.db yet" in said
    assert "bocau dev" in said
    assert "no store" in json.loads(shell.fails("account", "list", "--json", "--data", "elsewhere"))["error"]
    assert not list(tmp_path.iterdir())


def test_the_store_of_the_settings_file_is_found(desk: Shell, tmp_path: Path) -> None:
    """Named with --config, or lying in the working folder."""
    (tmp_path / "named.toml").write_text(f'[store]\npath = "{desk.data}/bocau.db"\n')
    bare = Shell()
    assert bare.json("account", "list", "--config", "named.toml")[0]["account"] == "bocau-dev"
    (tmp_path / "named.toml").rename(tmp_path / "bocau.toml")
    assert bare.json("account", "list")[0]["account"] == "bocau-dev"
    assert "give one of them" in desk.fails("account", "list", "--config", "bocau.toml")


def test_settings_that_cannot_be_used_are_told_with_their_line(shell: Shell, tmp_path: Path) -> None:
    """Instead of falling back on some other store."""
    (tmp_path / "bocau.toml").write_text("[store]\npaht = 'x'\n")
    said = shell.fails("account", "list")
    assert "bocau.toml:2" in said
    assert 'did you mean "path"?' in said


def test_a_file_that_is_no_store_is_refused(shell: Shell, tmp_path: Path) -> None:
    """In a sentence, and it stays as it was."""
    (tmp_path / ".bocau").mkdir()
    file = tmp_path / ".bocau" / "bocau.db"
    file.write_bytes(b"not a database at all, but long enough to have a header of its own" * 20)
    content = file.read_bytes()
    assert "The store cannot be opened" in shell.fails("account", "list")
    assert file.read_bytes() == content


def test_an_account_may_have_a_unicode_policy_of_its_own(desk: Shell) -> None:
    """It decides what a text with diacritics and IsUnicode 0 becomes; the default is the settings'."""
    text = "4821 là mã xác minh đăng ký Baotrixemay của bạn"
    words = ("template", "test", "bocau-dev", "Baotrixemay", text, "--phone", "0901234567", "--json")
    codes = []
    for policy in ("default", "auto", "reject", "strip"):
        assert desk.json("account", "set", "bocau-dev", "--unicode-policy", policy)["unicode_policy"] == policy
        assert desk.json("account", "list")[0]["unicode_policy"] == policy
        codes.append(json.loads(desk.run(*words).stdout)["code"])
    assert codes == ["100", "146", "110", "100"]


# Templates that customers ask for


def ask(desk: Shell, content: str, sms_type: int = 2) -> int:
    """A customer of bocau-dev asks for a template; its id."""
    assert desk.data is not None
    path = str(desk.data / "bocau.db")

    async def go() -> int | None:
        store = await SqliteStore.administrate(path, Clerk("test", lambda: NOW))
        try:
            asked = Registration(0, 1, sms_type, "Bocau", content, "https://shop.example/hook", PENDING, "", 1)
            return await store.ask_template(asked, None)
        finally:
            await store.close(1)

    number = asyncio.run(go())
    assert number is not None
    return number


def test_a_template_that_a_customer_asked_for_is_approved(desk: Shell) -> None:
    """It waits in the list, is registered where the operator says, and can then send."""
    assert desk.ok("template", "pending") == "No template waits for a decision.\n"
    number = ask(desk, "{code:6} la ma mua hang")
    assert desk.json("template", "pending") == [
        {"id": number, "account": "bocau-dev", "brandname": "Bocau", "type": 2, "text": "{code:6} la ma mua hang"}
    ]
    told = desk.ok("template", "approve", str(number), "--telco", "1,Mobifone", "--class", "other")
    assert told == f"Template {number} is registered for Bocau: Viettel, Mobifone.\n"
    rows = [row for row in desk.json("template", "list", "bocau-dev") if "mua hang" in row["text"]]
    assert [(row["telco"], row["class"]) for row in rows] == [(1, "other"), (2, "other")]
    desk.ok("template", "test", "bocau-dev", "Bocau", "482100 la ma mua hang", "--phone", "0901234567")
    assert "waits for a decision" in desk.fails("template", "approve", str(number))


def test_a_template_that_a_customer_asked_for_is_refused(desk: Shell) -> None:
    """It is gone from the list and registers nothing."""
    approved = ask(desk, "{code:6} la ma mua hang", 8)
    assert "type 8 needs no template" in desk.ok("template", "approve", str(approved))
    number = ask(desk, "{code:6} la ma mua hang", 8)
    assert desk.json("template", "refuse", str(number), "--reason", "no") == {"id": number, "state": "refused"}
    assert desk.json("template", "pending") == []
    assert "waits for a decision" in desk.fails("template", "refuse", str(number))
    assert "waits for a decision" in desk.fails("template", "refuse", "9999")
