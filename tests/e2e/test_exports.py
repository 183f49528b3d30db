"""An owner takes everything along: chooses the parts, watches, downloads, checks the hash, removes the file."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect


def test_an_owner_exports_downloads_and_deletes(
    page: Page, web: str, owner: tuple[str, str], team: Any, tmp_path: Path
) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/access")
    page.get_by_role("button", name="New export…").click()
    asking = page.get_by_role("dialog")
    expect(asking.get_by_label("Records")).to_be_disabled()
    expect(asking.get_by_label("Model weights")).to_be_checked()
    asking.get_by_role("button", name="Start the export").click()
    expect(asking).to_be_hidden()
    table = page.get_by_label("Exports, table")
    expect(table.get_by_text("done", exact=True)).to_be_visible()
    with page.expect_download() as arriving:
        table.get_by_role("link", name="Download").click()
    file = tmp_path / "export.zip"
    arriving.value.save_as(file)
    announced = table.locator("[title]").first.get_attribute("title")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == announced
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        folders = {name.split("/")[0] for name in archive.namelist()}
    assert folders == {"README.txt", "manifest.json", "rows", "partitions", "models"}
    assert (manifest["missing"], manifest["requested_by"]) == ([], owner[0])
    table.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("None yet. An export holds")).to_be_visible()
