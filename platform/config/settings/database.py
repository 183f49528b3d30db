"""PostgreSQL. One alias; the credential in DATABASE_URL decides what this process sees."""

from config import env

_POOL = {"min_size": 1, "max_size": env.number("EXFM_POOL_SIZE", 8), "timeout": 10}


def database_settings(url: str) -> dict[str, object]:
    """Return the `default` entry: pooled connections (granian serves each request on another thread), no
    persistent ones."""
    entry = env.database(url)
    entry["OPTIONS"] = {**entry["OPTIONS"], "pool": dict(_POOL), "application_name": f"exfm-{env.process()}"}  # type: ignore[dict-item]
    return {**entry, "ATOMIC_REQUESTS": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
