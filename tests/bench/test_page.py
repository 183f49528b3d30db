"""The pages of measurements say what bench/results holds."""

from pathlib import Path

import pytest

from bench import page
from bench.api import page as api_page
from bench.markdown import Tables, render, results

PAGES = pytest.mark.parametrize(
    ("path", "tables"), [(page.PAGE, page.TABLES), (api_page.PAGE, api_page.TABLES)], ids=["performance", "api"]
)


@PAGES
def test_the_pages_tables_are_those_of_the_results(path: Path, tables: Tables) -> None:
    text = path.read_text()
    assert render(text, tables, results()) == text


@PAGES
def test_every_table_of_the_page_is_filled(path: Path, tables: Tables) -> None:
    text = path.read_text()
    for name in tables:
        filled = text.partition(f"<!-- {name} -->\n")[2].partition("\n<!-- end -->")[0]
        assert filled.strip(), name
