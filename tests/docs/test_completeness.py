"""Every proof that docs/completeness.md names is there."""

import ast
import re

from tests.docs.walk import ROOT

POINTS = 23


def test_each_point_has_a_proof_that_exists() -> None:
    text = (ROOT / "docs/completeness.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|(.*)$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, POINTS + 1))
    assert all("`tests/" in row for _, row in rows)
    proofs = re.findall(r"`(tests/\S+\.py)::(\w+)`", text)
    assert len(proofs) > 2 * POINTS - 10
    missing = []
    for path, name in proofs:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{path}::{name}")
    assert missing == []
