"""The gateway's packages import in one direction, as docs/serve.md lists them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

GATEWAY = Path("serve/src/gateway")


def packages() -> list[str]:
    """In the order of the documentation's list."""
    listed = re.findall(r"^\| `(\w+)/` \|", Path("docs/serve.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.parent.name for path in GATEWAY.glob("*/__init__.py"))
    return listed


def imported(module: Path) -> Iterator[str]:
    """The packages of the gateway that a module imports from."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gateway."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.module == "gateway":
            yield from (name.name for name in node.names)


def test_packages_import_only_what_is_listed_below_them() -> None:
    order = packages()
    for place, package in enumerate(order):
        for module in (GATEWAY / package).glob("*.py"):
            above = set(imported(module)) & set(order[:place])
            assert not above, f"{module} imports {above}"
