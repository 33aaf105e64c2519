"""Write docs/access.md from the roles' permissions: ``python -m deploy.access_table``."""

from pathlib import Path

from services.gateway.identity.permissions import ALLOWED, MEANING

PAGE = Path(__file__).resolve().parents[1] / "docs" / "access.md"

_HEAD = """\
# Who may do what

Generated from `services/gateway/identity/permissions.py` by `python -m deploy.access_table`.

Every user and every record belongs to one organisation. Nothing of another organisation can be
seen or touched: not by its id, in a list, by a filter, or by what an error says; it looks as if it
were not there (404). One thing is told: usernames are one list for all organisations, so
`POST /v1/users` answers 409 for a name that is taken in another one. Where an organisation is
shared, its users see each other's records; where it is private, each sees only their own, its
administrators too.

`dermserve organisations create NAME` makes an organisation on the machine that has the database,
`dermserve users create NAME --organisation NAME --role admin` its first administrator, who makes
the others over `POST /v1/users`. Whoever registers for themselves joins the organisation `default`,
which is private; once it is shared (`dermserve organisations share default`), nobody can register.

**Warning:** `dermserve organisations share default` opens every record in `default`, the old ones
too, to all who have an account in it: whoever registered there before can then see them, and as a
clinician change and remove them. Look first at who they are, and disable who should not.

An installation from before there were organisations becomes `default`, and its users clinicians.

Who signs in with a password may have a second factor, or with
`DERMSERVE_GATEWAY_SECOND_FACTOR=required` must ([SECURITY.md](SECURITY.md#second-factors)). For
whoever has lost theirs an administrator of the organisation removes it, at `/admin/users` or with
`DELETE /v1/users/{id}/second-factor`; nobody removes their own so. On the machine that has the
database `dermserve users remove-second-factor NAME` does, for a lone administrator too.

Programs come in with API keys instead of passwords. An administrator makes a user with the role
`service` and, with `POST /v1/api-keys`, keys that each name some of what that role may do. What a
key brings belongs to its service. An assessment is what a clinician says, so no program makes one:
neither a key nor a service that signs in with a password.

Each operation names in the OpenAPI document, as the scope of its security, what its caller must be
allowed to do; who is not gets 403.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: what each role may do."""
    rows = [
        f"| {meaning} | `{permission}` | "
        + " | ".join("yes" if permission in allowed else "no" for allowed in ALLOWED.values())
        + " |"
        for permission, meaning in MEANING.items()
    ]
    head = f"| | scope | {' | '.join(ALLOWED)} |"
    return "\n".join([_HEAD, head, "|---" * (len(ALLOWED) + 2) + "|", *rows, ""])


if __name__ == "__main__":
    main()
