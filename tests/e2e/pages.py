"""Addresses of all pages of a tenant, for tests that look at each."""

from typing import Any


def addresses(team: Any) -> dict[str, str]:
    """Return page name -> path, with the tenant's first model and its newest training run."""
    shown = team.client.get(team.path("models"))["results"][0]
    model, stream = shown["id"], shown["stream"]["id"]
    runs = team.client.get(team.path("runs"))["results"]
    run = next(run["id"] for run in runs if run["kind"] == "vm.train")
    root = f"/t/{team.recipe.slug}"
    return {
        "overview": root,
        "models": f"{root}/models",
        "model": f"{root}/models/{model}",
        "model's course": f"{root}/models/{model}?tab=course",
        "model's lineage": f"{root}/models/{model}?tab=lineage",
        "model's card": f"{root}/models/{model}?tab=card",
        "runs": f"{root}/runs",
        "run": f"{root}/runs/{run}",
        "data": f"{root}/data?stream={stream}",
        "foundation": f"{root}/foundation",
        "costs": f"{root}/costs",
        "access": f"{root}/access",
        "audit": f"{root}/audit",
        "account": "/account",
        "webhooks": f"{root}/webhooks",
    }
