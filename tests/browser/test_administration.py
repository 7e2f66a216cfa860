"""What admins create and delete, and API tokens."""

import re
import uuid
from typing import Any

import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, go, new_person, sign_in

SETTLED_MS = 90_000


def card(page: Page, text: str) -> Any:
    return page.get_by_role("listitem").filter(has_text=text)


def test_model_is_added_disabled_and_deleted(visit: Visit, stack: dict[str, Any]) -> None:
    model = f"browser-{uuid.uuid4().hex[:6]}"
    page = visit("admin")
    go(page, "models")
    page.get_by_role("button", name="Add model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Model id").fill(model)
    dialog.get_by_label("Provider's model name").fill(f"openai/{model}")
    dialog.get_by_label(re.compile("^Address")).fill("https://models.example.com/v1")
    dialog.get_by_label(re.compile("^API key")).fill("sk-not-a-real-key")
    dialog.get_by_role("button", name="Add model").click()
    entry = card(page, model)
    expect(entry).to_contain_text("In service", timeout=SETTLED_MS)

    page.get_by_role("button", name=f"Actions for {model}").click()
    page.get_by_role("menuitem", name="Disable").click()
    expect(entry).to_contain_text("Disabled", timeout=SETTLED_MS)

    page.get_by_role("button", name=f"Actions for {model}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(entry).to_have_count(0, timeout=SETTLED_MS)


def test_model_with_a_taken_id_is_refused_in_the_form(visit: Visit) -> None:
    page = visit("admin")
    go(page, "models")
    page.get_by_role("button", name="Add model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Model id").fill("extractive")
    dialog.get_by_label("Provider's model name").fill("openai/extractive")
    dialog.get_by_label(re.compile("^Address")).fill("https://models.example.com/v1")
    dialog.get_by_role("button", name="Add model").click()
    expect(dialog.get_by_text(re.compile("already"))).to_be_visible()


def test_repository_and_collection_are_created_and_deleted(visit: Visit) -> None:
    repository = f"b{uuid.uuid4().hex[:8]}"
    page = visit("admin")
    go(page, "repositories")
    page.get_by_role("button", name="Create repository").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Repository id").fill(repository)
    dialog.get_by_role("button", name="Create repository").click()
    entry = card(page, repository)
    expect(entry).to_contain_text("Ready", timeout=SETTLED_MS)

    entry.get_by_role("link", name=repository).click()
    page.get_by_role("button", name="Create collection").click()
    dialog.get_by_label("Name").fill("Field notes")
    dialog.get_by_role("button", name="Create collection").click()
    notes = page.get_by_role("row").filter(has_text="Field notes")
    expect(notes).to_be_visible()
    page.get_by_role("button", name="Actions for Field notes").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog.get_by_role("button", name="Delete collection").click()
    expect(notes).to_have_count(0, timeout=SETTLED_MS)

    go(page, "repositories")
    page.get_by_role("button", name=f"Actions for {repository}").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog.get_by_role("button", name="Delete repository").click()
    expect(entry).to_have_count(0, timeout=SETTLED_MS)


def test_token_is_shown_once_works_and_is_deleted(visit: Visit, stack: dict[str, Any]) -> None:
    name = f"token {uuid.uuid4().hex[:6]}"
    page = visit(None)
    sign_in(page, **new_person(stack, "user", "api"))
    expect(page.get_by_role("textbox", name="Question")).to_be_visible()
    go(page, "api-tokens")
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("dialog").get_by_role("button", name="Create token").click()
    secret = page.locator(".secret code").filter(has_text=re.compile(r"^[0-9a-f]{128}$")).inner_text()

    def status() -> int:
        return requests.get(f"{stack['api_url']}/session", headers={"Authorization": secret}, timeout=30).status_code

    assert status() == 200
    page.reload()
    token = page.get_by_role("row").filter(has_text=name)
    expect(token).to_be_visible()
    expect(page.get_by_text("One at a time")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(token).to_have_count(0)
    expect(page.get_by_role("button", name="Create token")).to_be_enabled()


def test_user_without_the_group_is_told_why_there_is_no_token(visit: Visit) -> None:
    page = visit("user")
    go(page, "api-tokens")
    expect(page.get_by_text("You may not create tokens")).to_be_visible()
    expect(page.get_by_role("button", name="Create token")).to_be_disabled()
