"""The ten moments that must feel great for an application developer, and the tests that hold each of them."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

MOMENTS: dict[str, tuple[str, ...]] = {
    "1: one command, and a banner with everything to copy": (
        "system/test_newcomer.py::test_the_banner_has_all_that_one_needs_and_a_line_that_works",
        "system/test_start_stop.py::test_a_message_is_delivered_and_told_within_two_seconds",
    ),
    "2: one variable, and the application's own code runs unchanged": (
        "testing/test_kit.py::test_the_environment_names_the_namespace",
        "examples/test_login.py::test_a_log_in_in_other_frameworks_and_languages",
        "examples/test_login.py::test_a_user_logs_in_with_the_code_of_the_sms",
    ),
    "3: the SMS in the browser within the second, its code in large type to copy": (
        "console/test_messages.py::test_the_newest_come_first_with_their_code_marked",
        "console/test_browser.py::test_a_code_is_copied_by_a_key",
    ),
    "4: a wrong template is answered 146, with where it differs": (
        "testing/test_kit.py::test_a_failed_wait_tells_what_came_and_what_was_refused",
        "rooms/test_witness.py::test_a_refusal_is_kept_with_its_reason",
    ),
    "5: a test waits for the code, and a failure tells what did arrive": (
        "testing/test_kit.py::test_a_code_is_waited_for",
        "testing/test_kit.py::test_a_failed_wait_tells_what_came_and_what_was_refused",
        "testing/test_kit.py::test_a_spoken_code_is_what_the_phone_heard",
    ),
    "6: a fixture, a server for each run, a namespace for each test": (
        "testing/test_parallel.py::test_parallel_tests_do_not_see_each_other",
        "testing/test_parallel.py::test_the_gateway_ends_with_the_run",
        "system/test_newcomer.py::test_the_test_in_the_readme_passes",
    ),
    "7: a day passes by one line": (
        "testing/test_kit.py::test_time_passes_for_one_test_alone",
        "testing/test_kit.py::test_a_callback_is_tried_again_when_its_time_has_come",
        "testing/test_clock.py::test_scheduled_messages_go_at_their_moments",
        "testing/test_clock.py::test_what_nobody_takes_expires",
    ),
    "8: numbers say what happens": (
        "cli/test_main.py::test_magic_numbers_are_shown",
        "simulator/test_magic.py::test_every_magic_number_has_a_test_here",
    ),
    "9: the callback comes to this machine, and is tried again": (
        "testing/test_kit.py::test_a_callback_host_goes_wrong_for_one_test_alone",
        "testing/test_clock.py::test_callbacks_are_tried_again",
    ),
    "10: in CI, one line, and an artifact when it fails": (
        "examples/test_actions.py::test_the_commands_of_the_workflow_run",
        "testing/test_parallel.py::test_what_happened_in_a_failed_test_is_kept",
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_moment_is_held_by_tests(moment: str) -> None:
    """A test that is renamed or dropped is missed here."""
    for named in MOMENTS[moment]:
        file, _, name = named.partition("::")
        tree = ast.parse((TESTS / file).read_text("utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, named


def test_there_are_ten_moments() -> None:
    """In their order."""
    assert [int(moment.partition(":")[0]) for moment in MOMENTS] == list(range(1, 11))
