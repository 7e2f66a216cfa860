"""The documents say what the code does: links lead somewhere, lists are complete."""

import json
import re
from pathlib import Path

import pytest
from lisa.errors import AppError
from lisa.events import EVENTS

from local.settings import LocalSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)", page.read_text())) <= targets


def test_every_page_is_reachable_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert {page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in readme} == set()


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    files = {page.name for page in (DOCS / "decisions").glob("0*.md")}
    assert files == set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", index))


def test_every_route_of_the_api_is_described() -> None:
    described = set(re.findall(r"\| `([A-Z]+) (/[^`]*)` \|", (DOCS / "api.md").read_text()))
    paths = json.loads((DOCS / "openapi.json").read_text())["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    aliases = {route for route in routes if re.search(r"\}/collections", route[1])}
    assert described == routes - aliases


def test_every_error_and_event_is_described() -> None:
    errors, events = (DOCS / "errors.md").read_text(), (DOCS / "events.md").read_text()
    kinds: list[type[AppError]] = [AppError, *AppError.__subclasses__()]
    for kind in kinds:
        if kind.__module__ == "lisa.errors":
            assert f"| {kind.status} | `{kind.code}` |" in errors
    for event in EVENTS:
        assert f"| `{event.detail_type}` | `{event.source}` |" in events


def test_every_setting_of_the_laptop_is_described() -> None:
    page = (DOCS / "settings.md").read_text()
    for name in LocalSettings.model_fields:
        assert f"`LISA_{name.upper()}`" in page


def test_every_parameter_of_the_template_is_described() -> None:
    template = (ROOT / "template.yaml").read_text()
    block = template[template.index("\nParameters:") : template.index("\nRules:")]
    page = (DOCS / "settings.md").read_text()
    for name in re.findall(r"^  ([A-Z]\w+):$", block, re.MULTILINE):
        assert f"`{name}`" in page


def test_wide_claims_about_the_machine_are_absent() -> None:
    """No page names a registry's host or a path of somebody's machine."""
    for page in PAGES:
        assert not re.search(r"pypi\.org|registry\.npmjs|(?<![\w.])/(?:work|home|root)/", page.read_text()), page
