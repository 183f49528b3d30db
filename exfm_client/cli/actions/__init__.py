"""What each command does: one function per `action` of the parser. Each returns the exit status."""

import argparse
from collections.abc import Callable
from types import ModuleType

from exfm_client.cli.actions import account, export, models, money, runs, streams, webhooks
from exfm_client.cli.show import Printer

Action = Callable[[argparse.Namespace, Printer], int]


def _of(module: ModuleType, names: str) -> dict[str, Action]:
    return {name: getattr(module, name) for name in names.split()}


ACTIONS: dict[str, Action] = {
    **_of(account, "login logout whoami complete"),
    **_of(streams, "streams_list streams_get streams_create streams_partitions streams_delete streams_push"),
    **_of(models, "models_list models_get models_register models_pause models_resume lift"),
    **_of(models, "models_checkpoints models_aliases models_point models_rollback"),
    **_of(runs, "runs_list runs_get runs_follow runs_stop runs_retry"),
    **_of(money, "costs foundation"),
    **_of(export, "export"),
    **_of(webhooks, "webhooks_list webhooks_create webhooks_deliveries webhooks_test webhooks_replay webhooks_remove"),
}
