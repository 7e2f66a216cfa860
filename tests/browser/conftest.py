"""Fixtures of the browser tests: Debian's Chromium, people signed in through the real sign-in page."""

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.clients import Api, Library, People, make_library

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000  # two cores run the whole stack, the browser and the tests
ANSWERED_MS = 120_000  # a language model on what is left of them may write for long

expect.set_options(timeout=PATIENCE_MS)
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, stack: dict[str, Any]) -> Iterator[Visit]:
    """Opens the page as `role`, signed in; whatever the browser complains about fails the test."""
    contexts = []
    complaints: list[str] = []

    def complained(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def open_page(role: str | None = "user", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", complained)
        page.goto(stack["console_url"])
        if role:
            sign_in(page, **stack[role])
            expect(page.get_by_role("textbox", name="Question")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    unexpected = [text for text in complaints if not re.search(r"Failed to load resource", text)]
    assert not unexpected, unexpected


def sign_in(page: Page, username: str, password: str, **_: Any) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def new_person(stack: dict[str, Any], *groups: str) -> dict[str, str]:
    """Somebody of their own for a test: name and password."""
    people = People(stack)
    person = {"username": f"p{uuid.uuid4().hex[:10]}", "password": f"Aa1!{uuid.uuid4().hex}"}
    name = {"UserPoolId": people.pool_id, "Username": person["username"]}
    people.cognito.admin_create_user(**name, MessageAction="SUPPRESS")
    people.cognito.admin_set_user_password(**name, Password=person["password"], Permanent=True)
    for group in groups:
        people.cognito.admin_add_user_to_group(**name, GroupName=group)
    return person


def ask(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="Question").fill(question)
    page.get_by_role("textbox", name="Question").press("Enter")


def choose(page: Page, label: str, option: str) -> None:
    """Picks an option of a select by its visible label."""
    page.get_by_role("button", name=re.compile(rf"^{label}")).click()
    page.get_by_role("option", name=re.compile(re.escape(option))).click()


def answered(page: Page) -> None:
    """The last answer has ended."""
    expect(page.get_by_role("button", name="Answer again")).to_be_visible(timeout=ANSWERED_MS)


def go(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = place }", f"#/{place}")


@pytest.fixture(scope="module")
def admin(stack: dict[str, Any]) -> Api:
    return People(stack).named("admin")


@pytest.fixture(scope="module")
def library(stack: dict[str, Any], admin: Api) -> Iterator[Library]:
    made = make_library(stack, admin, description="Made by a test")
    yield made
    admin.delete(f"/repository/{made.id}")
