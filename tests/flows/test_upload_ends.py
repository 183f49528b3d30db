"""Revoking a token ends the upload that it began: a real body on its way to the real server."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from scripts.demo.client import Client
from tests.kit import domain
from tests.kit.platform import Running

pytestmark = pytest.mark.flow

PASSWORD = "a long enough phrase"
PIECES = 64
SCOPES = ["streams:read", "streams:write"]


def test_a_token_revoked_while_its_body_arrives_stores_nothing(filled_platform: Running) -> None:
    slug, web = f"late-{secrets.token_hex(3)}", filled_platform.platform.web
    admin = Client(filled_platform.platform.admin, filled_platform.platform.admin_token())
    email = f"{slug}@example.com"
    admin.post("/api/v1/admin/tenants", {"slug": slug, "name": slug, "owner": {"email": email, "password": PASSWORD}})
    owner, team = Client(web), f"/api/v1/tenants/{slug}"
    owner.sign_in(email, PASSWORD)
    stream = owner.post(f"{team}/streams", {"name": "late", "schema": domain.schema().to_json()})["id"]
    token: dict[str, Any] = owner.post(f"{team}/tokens", {"name": "late", "scopes": SCOPES})
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for number in range(PIECES):
            if number == PIECES // 2:
                owner.call("DELETE", f"{team}/tokens/{token['id']}")
            sent += 1
            yield bytes(1 << 16)

    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    answer = httpx.post(
        f"{web}{team}/streams/{stream}/partitions",
        params={"start": (end - timedelta(hours=1)).isoformat(), "end": end.isoformat()},
        content=body(),
        headers={"Authorization": f"Bearer {token['token']}", "Content-Type": "application/vnd.apache.parquet"},
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    assert sent == PIECES
    assert owner.get(f"{team}/streams/{stream}/partitions")["results"] == []
    owner.close()
    admin.close()
