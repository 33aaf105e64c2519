"""Write docs/audit.md from the OpenAPI document: ``python -m deploy.audit_table``."""

import json
from pathlib import Path

from deploy import openapi
from services.gateway.audit.actions import NOT_AUDITED, action

PAGE = Path(__file__).resolve().parents[1] / "docs" / "audit.md"
MARK = "<!-- written by python -m deploy.audit_table from here on -->\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: what people wrote, and after it what each operation leaves."""
    written = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    operations = [
        (name["operationId"], method.upper(), path)
        for path, methods in json.loads(openapi.page())["paths"].items()
        for method, name in methods.items()
    ]
    audited = ["| operation | | action | done to |", "|---|---|---|---|"]
    others = ["| operation | | why not |", "|---|---|---|"]
    # OpenAPI has no word for it.
    operations.append(("watch", "GET", "/v1/events"))
    audited.append("| `door` | what is refused before it is known which | `requests.refuse` | |")
    for operation, method, path in sorted(operations):
        asked = f"| `{operation}` | `{method} {path}` |"
        if operation in NOT_AUDITED:
            others.append(f"{asked} {NOT_AUDITED[operation]} |")
        else:
            done = action(operation, method, path)
            audited.append(f"{asked} `{done.name}` | {done.subject} |")
    heads = ("\n## What each operation leaves\n", "\n## What leaves no row, unless it is refused\n")
    return "\n".join([f"{written}{MARK}{heads[0]}", *audited, heads[1], *others, ""])


if __name__ == "__main__":
    main()
