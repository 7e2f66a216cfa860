"""How the page looks and can be used: themes, narrow screens, keyboard, accessibility rules."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Visit, answered, ask, choose, go

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# By place, in an order in which each title is another one than before.
PAGES = {
    "chat": "New chat",
    "documents": "Documents",
    "models": "Models",
    "repositories": "Repositories",
    "api-tokens": "API tokens",
    "usage": "Usage",
    "my-usage": "My usage",
    "usage?show=limits": "Usage",
}
# What goes on for ever, as a spinner, is not waited for.
STILL = """Promise.all(
    document.getAnimations()
        .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
        .map((each) => each.finished.catch(() => undefined)),
)"""
NARROW = {"width": 390, "height": 844}


def arrive(page: Page, place: str) -> None:
    """Waits for what the page shows at `place`."""
    go(page, place)
    expect(page).to_have_title(f"{PAGES[place]} · LISA")
    expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(0)


def serious(page: Page) -> list[str]:
    """Violations of the accessibility rules that bar people from using the page."""
    page.evaluate(STILL)  # a panel that fades in has no contrast yet
    page.evaluate(AXE.read_text())  # evaluated, not added as a script: the content security policy holds
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['nodes'][0]['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_serious_accessibility_rule(visit: Visit, scheme: str) -> None:
    page = visit("admin", color_scheme=scheme)
    problems: list[str] = []
    for place in PAGES:
        arrive(page, place)
        problems += [f"{place}: {problem}" for problem in serious(page)]
    go(page, "chat")
    choose(page, "Documents", "Demo")
    ask(page, "How often must the beds be watered?")
    answered(page)
    page.locator(".source").first.click()
    expect(page.get_by_role("button", name="Open document")).to_be_visible()
    problems += [f"answer: {problem}" for problem in serious(page)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("size", [NARROW, {"width": 1440, "height": 900}], ids=["390", "1440"])
def test_no_page_scrolls_sideways(visit: Visit, size: dict[str, int]) -> None:
    page = visit("admin", viewport=size)
    for place in PAGES:
        arrive(page, place)
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{place} is {wider} px too wide"


def test_narrow_screen_has_its_chats_in_a_drawer(visit: Visit) -> None:
    page = visit("user", viewport=NARROW)
    chats = page.get_by_role("region", name="Chats")
    expect(chats).not_to_be_visible()
    page.get_by_role("button", name="Open navigation").click()
    expect(chats).to_be_visible()
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    expect(chats).not_to_be_visible()
    page.get_by_role("button", name="Open navigation").click()
    page.get_by_role("button", name="Close navigation").click()
    expect(chats).not_to_be_visible()


def test_theme_is_remembered(visit: Visit) -> None:
    page = visit("user", color_scheme="light")
    expect(page.locator("body.awsui-dark-mode")).to_have_count(0)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name="Dark").click()
    expect(page.locator("body.awsui-dark-mode")).to_have_count(1)
    page.reload()
    expect(page.locator("body.awsui-dark-mode")).to_have_count(1)


def test_keyboard_reaches_the_content_first(visit: Visit) -> None:
    page = visit("user")
    go(page, "models")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page).to_have_url(page.url)  # the route stays


def test_each_page_names_itself(visit: Visit) -> None:
    page = visit("admin")
    for place in PAGES:
        arrive(page, place)
