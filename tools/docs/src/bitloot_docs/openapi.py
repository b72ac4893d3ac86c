"""The OpenAPI document of each service, and a page that lists its doors."""

from typing import Any, Final

from fastapi import FastAPI

_METHODS: Final = ("get", "put", "post", "delete", "patch", "head")


def document(app: FastAPI) -> dict[str, Any]:
    """What `GET /openapi.json` answers."""
    return app.openapi()


def page(name: str, described: dict[str, Any]) -> str:
    """The routes of one service as a table."""
    rows = [
        f"| `{method.upper()}` | `{path}` | {_who(operation)} | {_says(operation)} |"
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    return "\n".join(
        [
            f"# {name}: HTTP",
            "",
            f"Generated from the code; the whole document is [`{name}.json`](openapi/{name}.json).",
            "",
            "| method | path | needs a token | what it does |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _who(operation: dict[str, Any]) -> str:
    return "yes" if operation.get("security") else "no"


def _says(operation: dict[str, Any]) -> str:
    text = operation.get("description") or operation.get("summary", "")
    return str(text).split("\n\n", maxsplit=1)[0].replace("\n", " ").replace("|", "\\|")
