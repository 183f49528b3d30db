"""`python -m scripts.role_matrix [--check]`: writes docs/roles.md from the code, or compares the two."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/roles.md"

HEAD = """# Roles

Who may call what. Written by `python -m scripts.role_matrix` from the routes and the role table of the code
(`platform/tenancy/roles.py`); `tests/security/test_role_matrix.py` reads this page and calls every cell of it, so a
route that is missing here, or a cell that is wrong, fails.

| role | for |
|---|---|
| owner | everything in the tenant: members, invitations, service accounts, audit log, export, deletion |
| engineer | data, models and runs; tokens of their own |
| viewer | looking |
| billing | costs and what they are for |
| platform administrator | apart from every tenant role: tenants, budgets, teachers, people who cannot sign in |

An invitation offers no more than its maker's role; a token no more than its maker's role and, where a token makes it,
that token's scopes; a service account is never an owner. What a token may do is its scopes **and** its member's role as
they are at that moment.

## Permissions, which are the scopes of tokens

"""


def cell(may: bool) -> str:
    """Return a cell."""
    return "yes" if may else "–"


def lines() -> Iterator[str]:
    """Yield the page's lines after its head."""
    from api.base.routes import all_routes
    from tenancy.models import Role
    from tenancy.roles import PERMISSIONS, allows

    roles = [role.value for role in Role]
    yield f"| permission | {' | '.join(roles)} |"
    yield f"|---|{'---|' * len(roles)}"
    for permission in sorted(PERMISSIONS):
        yield f"| `{permission}` | {' | '.join(cell(allows(role, permission)) for role in roles)} |"
    routes = all_routes()
    yield from ["", "## Routes of a tenant", ""]
    yield "Signed out: 401. No member, another tenant's token: 404. Role too low, scope missing, suspended: 403."
    yield from ["", f"| route | permission and scope | {' | '.join(roles)} |", f"|---|---|{'---|' * len(roles)}"]
    for route in routes:
        if route.permission and not route.is_admins:
            cells = " | ".join(cell(allows(role, route.permission)) for role in roles)
            yield f"| `{route}` | `{route.permission}` | {cells} |"
    yield from ["", "## Routes of platform administrators", ""]
    yield "They answer in the admin process alone. Everybody else: 403. A token needs the scope; no tenant's will do."
    yield from ["", "| route | scope |", "|---|---|"]
    for route in routes:
        if route.is_admins:
            yield f"| `{route}` | `{route.permission}` |"
    yield from ["", "## Other routes", "", "| route | who |", "|---|---|"]
    for route in routes:
        if route.access is not None:
            yield f"| `{route}` | {route.access.value} |"
    yield ""


def page() -> str:
    """Return the whole page."""
    return HEAD + "\n".join(lines())


def main(argv: list[str]) -> int:
    """Return 0 when the page is what the code says."""
    sys.path.insert(0, str(ROOT / "platform"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    os.environ["EXFM_PROCESS"] = "owner"
    import django

    django.setup()
    fresh = page()
    if "--check" not in argv:
        PAGE.write_text(fresh)
        return 0
    if PAGE.exists() and PAGE.read_text() == fresh:
        return 0
    print("docs/roles.md is not what the code says. Run: python -m scripts.role_matrix", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
