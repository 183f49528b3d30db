"""`manage.py bootstrap_admin`: makes the first platform administrator, or a fresh token for an existing one."""

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from tenancy import second_factor, selectors, services
from tenancy.context import Actor, acting
from tenancy.rls import PLATFORM
from tenancy.scope import platform_scope


class Command(BaseCommand):
    """Needs the platform's database role, which `manage.py` chooses for it unless EXFM_PROCESS is set."""

    help = "Make a platform administrator if there is none of that address, and always a fresh API token."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="Platform administrator")
        parser.add_argument(
            "--reset-password", action="store_true", help="also give an existing administrator a new password"
        )
        parser.add_argument(
            "--remove-second-factor",
            action="store_true",
            help="also turn off an existing administrator's second factor",
        )
        parser.add_argument(
            "--json", action="store_true", help='print {"email", "token", "password"}; password is null if unchanged'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token, and the password where one was set: both this once."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            if cursor.fetchone()[0] != PLATFORM:
                raise CommandError("This command needs the platform's database role. Run it with EXFM_PROCESS=admin.")
        with acting(Actor(label="system:bootstrap_admin")), platform_scope("bootstrap_admin"), transaction.atomic():
            user = selectors.user_by_email(email=options["email"])
            password = None
            if user is None:
                password = secrets.token_urlsafe(18)
                user = services.create_user(
                    email=options["email"], name=options["name"], password=password, is_staff=True
                )
            elif not (user.is_staff and user.is_active):
                raise CommandError(f"{user.email} is a tenants' user. Choose another address for the administrator.")
            elif options["reset_password"]:
                password = secrets.token_urlsafe(18)
                services.set_password(user=user, password=password)
            if options["remove_second_factor"]:
                second_factor.remove(user=user, reason="bootstrap_admin --remove-second-factor")
            _, token = services.create_admin_token(user=user, name="bootstrap")
        if options["json"]:
            self.stdout.write(json.dumps({"email": user.email, "token": token, "password": password}))
            return
        self.stdout.write(f"Administrator: {user.email}")
        self.stdout.write(f"Password:      {password or 'unchanged (--reset-password makes a new one)'}")
        self.stdout.write(f"API token:     {token}")
