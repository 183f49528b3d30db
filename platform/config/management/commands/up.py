"""`manage.py up`: the whole platform on this machine."""

import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from config import env
from config.embedded.account import ServerError
from config.embedded.installation import Installation
from config.embedded.launcher import Addresses, Launcher
from config.embedded.parent import die_with_parent
from config.embedded.roles import RoleError

MEND = "Choose a folder that can be written and has room: EXFM_HOME=/path make demo"


class Command(BaseCommand):
    """Starts the embedded servers (or uses those of the environment), web, admin, worker and beat; runs until
    Ctrl-C."""

    help = "Start the whole platform; EXFM_HOME, EXFM_HOST, EXFM_PORT and EXFM_ADMIN_PORT choose folder and addresses."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --parent."""
        parser.add_argument("--parent", type=int, help="stop when the process with this id, which started us, ends")

    def handle(self, *args: Any, parent: int | None, **options: Any) -> None:
        """Run the launcher; its refusals become one sentence."""
        if parent:
            die_with_parent(parent, signal.SIGTERM)
        os.umask(0o022)
        try:
            Launcher(Installation(env.home()), Addresses.from_environment(), self.say).run()
        except (ServerError, RoleError, ImproperlyConfigured) as problem:
            raise CommandError(str(problem)) from None
        except OSError as problem:
            raise CommandError(f"{problem.filename or env.home()}: {problem.strerror}. {MEND}") from None

    def say(self, line: str) -> None:
        """Print one line at once; a closed terminal is no reason to stop half-way."""
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
