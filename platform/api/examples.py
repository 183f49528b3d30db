"""Examples of the main requests, for the pages and for those who try the API out; a test sends each of them."""

from typing import Any

STREAM_SCHEMA: dict[str, Any] = {
    "features": [
        {"name": "user_id", "kind": "categorical", "buckets": 65536, "catalogue": "user_id", "privileged": True},
        {"name": "ad", "kind": "categorical", "buckets": 4000, "catalogue": "ad_id"},
        {"name": "hour", "kind": "categorical", "buckets": 24, "hashed": False, "catalogue": "hour"},
        {"name": "price", "kind": "dense"},
    ],
    "tasks": [{"name": "click", "kind": "click", "label": "clicked"}],
    "event_time": "event_time",
    "user_key": "user_id",
}

MODEL_SPEC: dict[str, Any] = {
    "schema_version": 1,
    "model": {"backbone": "dcnv2", "features": ["ad", "hour", "price"], "task": "click"},
    "optimizer": {"batch_size": 128, "dense_lr": 0.004, "embedding_lr": 0.1},
    "supervision": {"preset": "safe"},
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "session_create": {"email": "ada@acme.example.com", "password": "a sentence nobody guesses"},
    "tokens_create": {"name": "nightly upload", "scopes": ["streams:read", "streams:write"]},
    "streams_create": {
        "name": "guide-ads",
        "feed_fm": True,
        "label_deadline_seconds": 300,
        "schema": STREAM_SCHEMA,
    },
    "streams_update": {"feed_fm": False},
    "models_create": {
        "name": "guide-click",
        "stream": "01a1fc0b-8f4e-72f1-8000-000000000001",
        "foundation_model": None,
        "spec": MODEL_SPEC,
    },
    "webhooks_create": {
        "url": "https://hooks.example.com/exfm",
        "description": "to the team's chat",
        "event_types": ["run.failed", "partition.rejected", "budget.threshold"],
    },
    "webhooks_update": {"enabled": False},
    "admin_tenants_create": {
        "slug": "acme",
        "name": "Acme",
        "owner": {"email": "ada@acme.example.com", "name": "Ada", "password": "a sentence nobody guesses"},
        "budget": {"amount": "100.00"},
    },
    "admin_tenants_budget_set": {
        "amount": "250.00",
        "action": "hold",
        "act_percent": 90,
        "reason": "second quarter",
    },
    "admin_tenants_suspend": {"reason": "its rows contradict everybody's"},
}
"""Operation -> a request body that it takes."""


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: put the examples where the operations are."""
    for operations in result["paths"].values():
        for operation in operations.values():
            example = EXAMPLES.get(operation["operationId"])
            if example is not None:
                operation["requestBody"]["content"]["application/json"]["example"] = example
    return result
