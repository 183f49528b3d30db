#!/usr/bin/env python3
"""Runs Django's commands with `platform/` (a source root, not a package) on the path."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

PROCESS_OF = {"bootstrap_admin": "admin"}
"""Commands that need another credential than the owner's, which the rest use by default."""


def main() -> None:
    """Hand the command line to Django; say in one sentence how to install it when it is missing."""
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    if len(sys.argv) > 1 and sys.argv[1] in PROCESS_OF:
        os.environ.setdefault("EXFM_PROCESS", PROCESS_OF[sys.argv[1]])
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(
            "manage.py: Django is not installed for this Python. Run `make setup`, then `.venv/bin/python manage.py …`."
        )
    from django.core.exceptions import ImproperlyConfigured

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"manage.py: {problem}")


if __name__ == "__main__":
    main()
