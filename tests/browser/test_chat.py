"""Chat: streaming, stopping, going on after a reload, the list of chats."""

import re
import uuid

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import ANSWERED_MS, Visit, answered, ask, choose

MODEL = "smollm2-135m"
LONG = "Write a very long story about a lighthouse keeper, in many paragraphs."


def begun(visit: Visit, question: str) -> Page:
    page = visit("user")
    choose(page, "Model", MODEL)
    ask(page, question)
    return page


def test_answer_streams_and_can_be_stopped(visit: Visit) -> None:
    page = begun(visit, LONG)
    reply = page.get_by_role("article", name=f"Answer of {MODEL}")
    expect(reply.locator(".answer")).to_have_text(re.compile(r"\w+"))  # words before the end
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    written = reply.locator(".answer").inner_text()
    page.wait_for_timeout(700)
    assert reply.locator(".answer").inner_text() == written
    page.reload()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()


def test_reload_loses_nothing_that_could_not_be_saved(visit: Visit) -> None:
    def saves_an_answer(request: Request) -> bool:
        return request.method == "PUT" and len((request.post_data_json or {})["messages"]) > 1

    def lose_saves(route: Route) -> None:
        if route.request.method == "PUT":
            route.abort()
        else:
            route.continue_()

    page = visit("user")
    choose(page, "Model", MODEL)
    page.route("**/session/*", lose_saves)
    with page.expect_event("requestfailed", saves_an_answer, timeout=ANSWERED_MS):
        ask(page, "Name one river.")
    answered(page)
    expect(page.get_by_text("This chat is not saved")).to_be_visible()
    first = page.locator(".answer").inner_text()
    page.unroute_all()
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "/session/" in answer.url) as saved:
        page.reload()
    assert saved.value.ok
    expect(page.locator(".answer")).to_have_text(first, use_inner_text=True)
    page.reload()  # now from the server
    expect(page.locator(".answer")).to_have_text(first, use_inner_text=True)


def test_chat_goes_on_after_a_reload(visit: Visit) -> None:
    word = f"marker{uuid.uuid4().hex[:6]}"
    page = begun(visit, f"Say hello, {word}.")
    answered(page)
    first = page.locator(".answer").inner_text()
    page.reload()
    expect(page.get_by_role("article", name="Your question")).to_have_text(f"Say hello, {word}.")
    expect(page.locator(".answer")).to_have_text(first, use_inner_text=True)
    ask(page, "And now say goodbye.")
    expect(page.locator(".answer")).to_have_count(2)
    answered(page)
    page.reload()
    expect(page.get_by_role("article", name="Your question")).to_have_count(2)


def test_answer_can_be_had_again(visit: Visit) -> None:
    page = begun(visit, "Name one colour.")
    answered(page)
    with page.expect_response(re.compile("/chat/completions$"), timeout=ANSWERED_MS):
        page.get_by_role("button", name="Answer again").click()
    answered(page)
    expect(page.locator(".answer")).to_have_count(1)


def test_answer_can_be_copied(visit: Visit) -> None:
    page = visit("user", permissions=["clipboard-read", "clipboard-write"])
    choose(page, "Model", MODEL)
    ask(page, "Name one animal.")
    answered(page)
    page.get_by_role("button", name="Copy the answer").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() != ""


def test_chat_is_renamed_found_and_deleted(visit: Visit) -> None:
    title = f"Say hello to room {uuid.uuid4().hex[:8]}"
    page = begun(visit, title)
    answered(page)
    chats = page.get_by_role("region", name="Chats")
    entry = chats.get_by_role("link", name=title)
    expect(entry).to_be_visible()

    chats.get_by_role("listitem").filter(has_text=title).hover()
    page.get_by_role("button", name=f"Actions for {title}").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill(f"{title} renamed")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    renamed = chats.get_by_role("link", name=f"{title} renamed")
    expect(renamed).to_be_visible()

    page.reload()
    expect(renamed).to_be_visible()
    chats.get_by_role("listitem").filter(has_text=title).hover()
    page.get_by_role("button", name=f"Actions for {title} renamed").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(renamed).to_have_count(0)
    expect(page).to_have_url(re.compile(r"#/chat$"))


def test_unknown_chat_is_a_clear_message(visit: Visit) -> None:
    page = visit("user")
    page.evaluate("location.hash = '#/chat/00000000-0000-4000-8000-000000000000'")
    expect(page.get_by_text("There is no such session")).to_be_visible()
