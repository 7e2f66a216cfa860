"""Signing in and out, and sessions that end."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit, go, sign_in


def test_page_asks_strangers_to_sign_in(visit: Visit) -> None:
    page = visit(None)
    expect(page).to_have_title("Sign in · LISA")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_wrong_password_opens_nothing(visit: Visit, stack: dict[str, Any]) -> None:
    page = visit(None)
    sign_in(page, username=stack["user"]["username"], password="not-the-password-1A!")
    expect(page.locator(".error")).to_be_visible()  # the form is there again
    expect(page.get_by_role("textbox", name="Question")).to_have_count(0)


def test_pages_for_admins_are_shown_to_admins_only(visit: Visit) -> None:
    user = visit("user")
    expect(user.get_by_role("link", name="Models", exact=True)).to_be_visible()
    expect(user.get_by_role("link", name="Repositories", exact=True)).to_have_count(0)
    expect(user.get_by_role("link", name="Usage", exact=True)).to_have_count(0)
    admin = visit("admin")
    expect(admin.get_by_role("link", name="Repositories", exact=True)).to_be_visible()
    expect(admin.get_by_role("link", name="Usage", exact=True)).to_be_visible()


def test_ended_session_is_explained_and_returns_to_the_same_place(visit: Visit, stack: dict[str, Any]) -> None:
    page = visit("user")
    go(page, "models")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.evaluate("sessionStorage.clear()")
    go(page, "api-tokens")
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    sign_in(page, **stack["user"])
    expect(page.get_by_role("heading", name="API tokens", exact=True)).to_be_visible()


def test_forged_token_ends_the_session(visit: Visit) -> None:
    page = visit("user")
    page.evaluate(
        """() => Object.keys(sessionStorage).filter(key => key.startsWith('oidc.user')).forEach(key => {
            const user = JSON.parse(sessionStorage[key]);
            const [head, claims] = user.id_token.split('.');
            sessionStorage[key] = JSON.stringify({...user, id_token: `${head}.${claims}.forged`});
        })"""
    )
    go(page, "api-tokens")
    expect(page.get_by_text("Your session has ended")).to_be_visible()


def test_signing_out_forgets_the_person(visit: Visit, stack: dict[str, Any]) -> None:
    page = visit("user")
    page.get_by_role("button", name="Signed in as").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.goto(stack["console_url"])
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('oidc.user')).length") == 0
