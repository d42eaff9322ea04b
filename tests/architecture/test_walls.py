"""The walls of the house: who may import whom (docs/discussions/house.md)."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "bocau"

KERNELS = {"core", "wire", "store", "ports", "loops", "telemetry", "listener", "caller"}
ROOMS = {"accept", "schedule", "dispatch", "deliver", "report"}
APART = {
    "settings",
    "world",
    "steady",
    "srv",
    "aes",
    "simulator",
    "app",
    "cli",
    "console",
    "provision",
    "fleet",
    "trunks",
    "client",
}
EVERYTHING = KERNELS | ROOMS | APART
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "wire": set(),
    "ports": {"core"},
    "settings": {"core"},
    "world": {"ports"},
    "steady": {"ports"},
    "srv": {"ports"},
    "aes": set(),
    "store": {"core", "ports"},
    "loops": {"core", "ports", "telemetry"},
    "telemetry": {"core", "ports"},
    "listener": {"ports", "wire"},
    "caller": {"ports"},
    **dict.fromkeys(ROOMS, KERNELS),
    "simulator": {"wire", "ports"},
    "console": KERNELS | {"provision"},
    "provision": {"core", "store"},
    "client": set(),
    "testing": {"client"},
    "fleet": KERNELS | {"settings", "deliver", "dispatch", "trunks"},
    "trunks": {"settings", "deliver"},
    "app": EVERYTHING,
    "cli": EVERYTHING,
    "__init__": set(),
    "__main__": {"cli"},
}
BANNED_NAMES = {"util", "utils", "common", "base", "helper", "helpers", "manager", "misc"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def place(path: Path) -> str:
    """The room or kernel that a file belongs to."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imported_places(node: ast.AST) -> set[str]:
    """The places of bocau that one import statement reaches; '.' for a relative import."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        if node.level:
            return {"."}
        module = node.module or ""
        names = [f"{module}.{alias.name}" for alias in node.names] if module == "bocau" else [module]
    else:
        return set()
    return {name.split(".")[1] for name in names if name.startswith("bocau.")}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_imports_only_what_its_place_may_import(path: Path) -> None:
    """A room that needs another room is missing a row or a port."""
    here = place(path)
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        for there in imported_places(node) - {"__version__"}:
            assert there == here or there in MAY_IMPORT[here], f"{here} may not import {there}"
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names), "no star imports"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_stand_at_the_top_except_in_the_command_line(path: Path) -> None:
    """An import inside a function hides a dependency; the command line alone does it, to start fast."""
    if place(path) == "cli":
        return
    tree = ast.parse(path.read_text("utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"{function.name} imports inside its body"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_is_named_for_what_it_knows(path: Path) -> None:
    """No drawer for odds and ends."""
    assert path.stem not in BANNED_NAMES


def global_containers(tree: ast.Module) -> list[str]:
    """Names bound at module or class level to an empty mutable container: state that would be shared."""
    found = []
    bodies = [tree.body, *[n.body for n in tree.body if isinstance(n, ast.ClassDef)]]
    for statement in (s for body in bodies for s in body):
        value = getattr(statement, "value", None)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or value is None:
            continue
        empty_literal = (isinstance(value, ast.List | ast.Set) and not value.elts) or (
            isinstance(value, ast.Dict) and not value.keys
        )
        empty_call = (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Name)
            and value.func.id in {"list", "dict", "set", "deque", "defaultdict", "Counter"}
            and not value.args
        )
        if empty_literal or empty_call:
            found.append(ast.unparse(statement))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_module_or_class_keeps_state(path: Path) -> None:
    """Two whole gateways must be able to run side by side in one process."""
    tree = ast.parse(path.read_text("utf-8"))
    assert not [line for line in global_containers(tree) if "__all__" not in line]
