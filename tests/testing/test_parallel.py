"""A whole run of somebody's tests, in several processes: one gateway, no cross-talk, nothing left behind."""

import json
import os
import re
from pathlib import Path

import pytest

from bocau.testing.server import Server

LEAN = ("-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:hypothesispytest")
"""Other plug-ins of our environment take longer to load than the tests to run."""

TESTS = """
import pytest
from bocau.client import Client

@pytest.mark.parametrize("number", range({count}))
def test_login(bocau, bocau_server, number):
    with Client() as esms:
        esms.send_otp("0901888484", f"{{number:06d}}", text="{{code}} la ma dang nhap Bocau cua ban", brandname="Bocau",
                      request_id="the same")
    assert bocau.wait_otp("0901888484", timeout=30) == f"{{number:06d}}"
    assert len(bocau.messages()) == 1
    print("gateway", bocau_server.admin)
"""


def test_parallel_tests_do_not_see_each_other(pytester: pytest.Pytester) -> None:
    """The same phone and the same RequestId everywhere; BOCAU_PARALLEL_TESTS makes it as many as one likes."""
    count = int(os.environ.get("BOCAU_PARALLEL_TESTS", "12"))
    pytester.makepyfile(TESTS.format(count=count))
    done = pytester.runpytest_subprocess("-n", "2", "-q", "-rP", *LEAN)
    done.assert_outcomes(passed=count)
    gateways = set(re.findall(r"gateway (http://\S+)", done.stdout.str()))
    assert len(gateways) == 1


def test_the_gateway_ends_with_the_run(pytester: pytest.Pytester) -> None:
    """Neither a process nor a folder stays."""
    pytester.makepyfile(
        """
        import os

        def test_one(bocau_server, pytestconfig):
            from bocau.testing.plugin import _folder
            import json
            folder = _folder(pytestconfig)
            print("left", folder, json.loads((folder / "bocau.json").read_text())["pid"])
        """
    )
    done = pytester.runpytest_subprocess("-q", "-rP", *LEAN)
    found = re.search(r"left (\S+) ([0-9]+)", done.stdout.str())
    assert found
    assert not Path(found[1]).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(found[2]), 0)


def test_a_run_that_needs_no_gateway_starts_none(pytester: pytest.Pytester) -> None:
    """The plug-in is there for every run of the environment; it must cost nothing."""
    pytester.makepyfile(
        """
        import sys

        def test_one(pytestconfig):
            from bocau.testing.plugin import _FOLDER
            assert _FOLDER not in pytestconfig.stash
            assert not [name for name in sys.modules if name.startswith("bocau.") and "client" not in name
                        and "testing" not in name]
        """
    )
    pytester.runpytest_subprocess("-q", *LEAN).assert_outcomes(passed=1)


def test_a_gateway_that_runs_already_is_used(pytester: pytest.Pytester, bocau_server: Server) -> None:
    """As in CI with a service, or with the one that a developer looks at."""
    admin = bocau_server.admin
    pytester.makepyfile(
        f"""
        def test_one(bocau_server, bocau):
            assert bocau_server.admin == {admin!r}
            assert bocau.base_url == bocau_server.api
        """
    )
    pytester.runpytest_subprocess("-q", *LEAN, "--bocau-url", admin).assert_outcomes(passed=1)


def test_what_happened_in_a_failed_test_is_kept(pytester: pytest.Pytester, bocau_server: Server) -> None:
    """For CI: the timeline of each request, and what a phone heard; nothing for tests that pass."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("good", [True, False])
        def test_login(bocau, good):
            bocau.client.send("0901888484", "482193 la ma dang nhap Bocau cua ban", brandname="Bocau")
            bocau.wait_sms("0901888484")
            bocau.client.voice_otp("0901888485", "7710")
            bocau.wait_call("0901888485")
            assert good
        """
    )
    options = ("--bocau-url", bocau_server.admin, "--bocau-artifacts", "kept")
    pytester.runpytest_subprocess("-q", *LEAN, *options).assert_outcomes(passed=1, failed=1)
    [folder] = (pytester.path / "kept").iterdir()
    assert folder.name.endswith("test_login_False")
    story = json.loads((folder / "story.json").read_text("utf-8"))
    assert [message["phone"] for message in story["messages"]] == ["0901888484", "0901888485"]
    [attempt, _] = [story["requests"][message["smsid"]]["attempts"] for message in story["messages"]]
    assert attempt[0]["carrier"] == "simulator"
    assert [file.name for file in folder.glob("*.wav")] == [f"call-{story['calls'][0]['id']}.wav"]
