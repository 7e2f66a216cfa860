"""Usage and limits: one's own page, the admins' pages, and a chat that a limit stops.

Each test makes a person of its own, so that the counts are known. Calls are counted by Serve through the queue:
they show some seconds later.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ANSWERED_MS, Visit, answered, ask, choose, go, new_person, sign_in
from tests.e2e.clients import Api, People, eventually

MODEL = "smollm2-135m"
COUNTED_S = 90


@pytest.fixture
def person(stack: dict[str, Any], admin: Api) -> Iterator[dict[str, str]]:
    """Somebody who has used nothing yet; a limit of theirs ends with the test."""
    made = new_person(stack, "user")
    yield made
    admin.delete(f"/usage/limits/user/{made['username']}")


def visit_as(visit: Visit, person: dict[str, str], **options: Any) -> Page:
    page = visit(None, **options)
    sign_in(page, **person)
    expect(page.get_by_role("textbox", name="Question")).to_be_visible()
    return page


def limit(admin: Api, person: dict[str, str], **limits: Any) -> None:
    answer = admin.put(f"/usage/limits/user/{person['username']}", json=limits)
    assert answer.status_code == 200, answer.text


def counted(admin: Api, person: dict[str, str]) -> dict[str, Any]:
    """The totals of this month, once a call has been counted."""

    def probe() -> dict[str, Any] | None:
        totals = admin.get(f"/usage/users/{person['username']}").json()["totals"]
        return totals if totals["requests"] else None

    return eventually(probe, "the counting of a call", COUNTED_S)


def shown(page: Page, label: str) -> Locator:
    """The value beside a label of the totals."""
    return page.locator("dt", has_text=re.compile(f"^{label}$")).locator("xpath=following-sibling::dd[1]")


def test_who_has_used_nothing_is_told_so(visit: Visit, person: dict[str, str]) -> None:
    page = visit_as(visit, person)
    go(page, "my-usage")
    expect(page.get_by_text(re.compile("^Nothing was used in"))).to_be_visible()
    page.get_by_role("link", name="chat", exact=True).click()
    expect(page.get_by_role("textbox", name="Question")).to_be_visible()


def test_limit_is_shown_with_what_is_left(visit: Visit, person: dict[str, str], admin: Api) -> None:
    limit(admin, person, requestsPerMinute=30, budgetUsd=5, budgetPeriod="day")
    page = visit_as(visit, person)
    go(page, "my-usage")
    expect(page.get_by_role("progressbar", name=re.compile("^Requests per minute"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^0 of 30 used, 30 left\. Begins anew"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\$0\.00 of \$5\.00 used, \$5\.00 left\. Begins anew"))).to_be_visible()


def test_question_is_counted_for_its_person_model_and_session(visit: Visit, person: dict[str, str], admin: Api) -> None:
    """Needs the demo's model, and Serve's records to arrive through the queue."""
    page = visit_as(visit, person)
    choose(page, "Model", MODEL)
    ask(page, "Name one colour.")
    answered(page)
    session = page.url.rsplit("/", 1)[1]
    totals = counted(admin, person)
    assert totals["promptTokens"] > 0 and totals["completionTokens"] > 0

    go(page, "my-usage")
    expect(shown(page, "Requests")).to_have_text("1")
    expect(shown(page, "Tokens out")).to_have_text(f"{totals['completionTokens']:,}")
    expect(page.get_by_role("application", name=re.compile("^Requests by day"))).to_be_visible()

    sessions = admin.get("/usage", params={"kind": "sessions", "pageSize": "1000"}).json()["items"]
    assert session in {row["name"] for row in sessions}

    boss = visit("admin")
    go(boss, "usage?show=models")
    expect(boss.get_by_role("row", name=re.compile(MODEL))).to_be_visible()
    go(boss, f"usage/{person['username']}")
    expect(boss.get_by_role("heading", name=person["username"])).to_be_visible()
    expect(shown(boss, "Requests")).to_have_text("1")
    today = datetime.now(UTC)
    choose(boss, "Day", f"{today.day} {today:%B %Y}")
    expect(boss).to_have_url(re.compile(f"period={today:%Y-%m-%d}$"))
    expect(shown(boss, "Requests")).to_have_text("1")


def test_question_over_the_limit_leads_to_my_usage(
    visit: Visit, stack: dict[str, Any], person: dict[str, str], admin: Api
) -> None:
    """Needs Serve to hold calls to limits."""
    limit(admin, person, requestsPerMinute=1)
    serve = Api(stack["serve_url"], f"Bearer {People(stack).id_token(**person)}")
    question: Any = {"model": "extractive", "messages": [{"role": "user", "content": "Say hello."}]}
    # Serve reads the limits every 5 s.
    eventually(lambda: serve.post("/v1/chat/completions", json=question).status_code == 429, "a refusal by Serve", 60)
    page = visit_as(visit, person)
    choose(page, "Model", MODEL)
    refused = page.get_by_text("Too many requests for now")
    for number in range(3):  # the first may begin another minute
        ask(page, f"Name colour number {number}.")
        expect(refused.or_(page.get_by_role("button", name="Answer again")).first).to_be_visible(timeout=ANSWERED_MS)
        if refused.count():
            break
    expect(refused).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^Try again in \d+ s$"))).to_be_disabled()

    limit(admin, person, budgetUsd=0)
    page.get_by_role("link", name="See My usage").click()
    expect(page.get_by_text("Used up", exact=True)).to_be_visible()


def test_limit_is_added_changed_and_removed(visit: Visit, admin: Api) -> None:
    group = f"team-{uuid.uuid4().hex[:6]}"
    page = visit("admin")
    go(page, "usage")
    page.get_by_role("tab", name="Limits").click()
    page.get_by_role("button", name="Add limit").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add limit").click()
    expect(dialog.get_by_text("Name the user.")).to_be_visible()
    dialog.get_by_role("button", name=re.compile("^Applies to")).click()
    page.get_by_role("option", name=re.compile("^Group")).click()
    dialog.get_by_label("Group name").fill(group)
    dialog.get_by_label(re.compile("^Budget in US dollars")).fill("20")
    dialog.get_by_role("button", name="Add limit").click()
    row = page.get_by_role("row").filter(has_text=group)
    expect(row).to_contain_text("$20.00 a month")

    page.get_by_role("button", name=re.compile(f"^Actions for Group {group}")).click()
    page.get_by_role("menuitem", name="Edit").click()
    dialog.get_by_label(re.compile("^Requests per minute")).fill("600")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("600")
    assert {"requestsPerMinute": 600, "budgetUsd": 20}.items() <= next(
        each for each in admin.get("/usage/limits").json()["limits"] if each["name"] == group
    ).items()

    page.get_by_role("button", name=re.compile(f"^Actions for Group {group}")).click()
    page.get_by_role("menuitem", name="Remove").click()
    dialog.get_by_role("button", name="Remove limit").click()
    expect(row).to_have_count(0)


def test_user_may_not_look_at_others(visit: Visit, person: dict[str, str]) -> None:
    page = visit_as(visit, person)
    go(page, "usage")
    expect(page.get_by_text("For administrators")).to_be_visible()
    go(page, "usage/admin")
    expect(page.get_by_text("You may not do this")).to_be_visible()
