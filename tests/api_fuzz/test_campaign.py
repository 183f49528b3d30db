"""A short campaign, the same one in every run: nothing fails, and every answer is in the description."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_fuzz.campaign import UNLIMITED, Part, fuzz, parts_of
from tests.api_fuzz.world import furnish
from tests.kit.platform import home, running

pytestmark = pytest.mark.stack

SIZES = {"alone": {"seconds": 6}, "sequences": {"examples": 10}}


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, Part]]:
    """A platform of its own without a rate limit, with a tenant that has something of everything."""
    before = os.environ.get("EXFM_REQUESTS_PER_MINUTE")
    os.environ["EXFM_REQUESTS_PER_MINUTE"] = UNLIMITED
    try:
        with home() as folder, running(folder) as platform:
            web, admin = platform.platform.web, platform.platform.admin
            world = furnish(web=web, admin_url=admin, admin_token=platform.platform.admin_token())
            yield {part.name: part for part in parts_of(world, web, admin)}
    finally:
        os.environ.pop("EXFM_REQUESTS_PER_MINUTE")
        if before is not None:
            os.environ["EXFM_REQUESTS_PER_MINUTE"] = before


@pytest.mark.parametrize("how", ["alone", "sequences"])
@pytest.mark.parametrize("name", ["tenants", "administrators"])
def test_nothing_is_found(name: str, how: str, parts: dict[str, Part], tmp_path: Path) -> None:
    found = fuzz(parts[name], how, folder=tmp_path, **SIZES[how])
    assert found.status == 0, found.text[-20_000:]
    assert "Failures" not in found.text
    assert "passed" in found.text
    if how == "sequences":
        assert found.scenarios > 0
        assert found.links > 0, "no answer's id was used: the sequences are none"
