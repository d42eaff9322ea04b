"""Makes the Postman collection of docs/reference: `python -m tools.render_postman [--check]`."""

import json
import sys
from typing import Any
from urllib.parse import quote

from tools.marked import ROOT

from bocau.console.openapi import document

FILE = ROOT / "docs/reference/bocau.postman_collection.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES = {"base": "http://127.0.0.1:8484", "ApiKey": "bocau-dev", "SecretKey": "bocau-dev-secret"}

VARIABLES_OF = {name: "{{" + name + "}}" for name in ("ApiKey", "SecretKey")}
"""Members that stand as a variable of the collection."""


def collection() -> dict[str, Any]:
    """One folder for each group, one request for each path, by its documented method."""
    api = document("")
    folders: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in api["tags"]}
    for path, methods in api["paths"].items():
        method, operation = next(iter(methods.items()))
        folders[operation["tags"][0]].append(item(path, method, operation))
    return {
        "info": {"name": api["info"]["title"], "description": api["info"]["description"], "schema": SCHEMA},
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def item(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """One request, filled with the examples; keys and address are variables of the collection."""
    parameters = operation.get("parameters", [])
    query = [{"key": p["name"], "value": value_of(p)} for p in parameters if p["in"] == "query" and "example" in p]
    path = path.replace("{", "{{").replace("}", "}}")
    raw = "{{base}}" + path
    if query:
        raw += "?" + "&".join(f"{q['key']}={quote(q['value'], safe='{}')}" for q in query)
    address = {"raw": raw, "host": ["{{base}}"], "path": path.strip("/").split("/"), "query": query}
    request: dict[str, Any] = {"method": method.upper(), "header": [], "url": address}
    if "requestBody" in operation:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        members = {name: VARIABLES_OF.get(name, value) for name, value in example.items()}
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": json.dumps(members, indent=2, ensure_ascii=False)}
    return {"name": f"{path.removeprefix('/MainService.svc/')}: {operation['summary']}", "request": request}


def value_of(parameter: dict[str, Any]) -> str:
    """The example of a parameter, or the variable that holds it."""
    return VARIABLES_OF.get(parameter["name"], str(parameter["example"]))


def main() -> None:
    """Write the collection, or check it."""
    text = json.dumps(collection(), indent=2, ensure_ascii=False) + "\n"
    if FILE.exists() and FILE.read_text("utf-8") == text:
        return
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"{FILE.name} does not say what the code says; run: .venv/bin/python -m tools.render_postman")
    FILE.write_text(text, "utf-8")
    print(f"{FILE.name} is written")


if __name__ == "__main__":
    main()
