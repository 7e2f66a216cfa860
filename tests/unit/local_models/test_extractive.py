from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from lisa.retrieval.prompt import PromptPassage, grounding_message

from local.models import extractive
from local.models.extractive import LABEL, NO_REPOSITORY, NOTHING_FITS, QUOTES, answer, sentences
from local.models.minilm import MiniLm, Vectors
from tests.fixtures.passages import Found

HANDBOOK = Found(
    "handbook.pdf",
    3,
    "# Leave\n\nEmployees have thirty days of annual leave. Unused days expire on 31 March.\n\n"
    "- Parental leave is 24 weeks, e.g. taken in two parts.\n- Ask Dr. Lang for more.",
)
SECURITY = Found(
    "security.md", None, "If you forget your login, call the help desk at extension 4711. Laptops are locked."
)
GROUNDING = grounding_message([HANDBOOK, SECURITY])


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


def chat(question: Any, system: str = GROUNDING) -> list[dict[str, Any]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


def by_words(texts: Sequence[str]) -> Vectors:
    """An embedding in which texts are near when they share words."""
    known = sorted({word for text in texts for word in text.lower().split()})
    rows = np.array([[word in text.lower().split() for word in known] for text in texts], np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("How long is parental leave?", "> Parental leave is 24 weeks, e.g. taken in two parts. [1]"),
        ("When do vacation days that I did not take run out?", "> Unused days expire on 31 March. [1]"),
        (
            "I cannot sign in any more, whom do I ring?",
            "> If you forget your login, call the help desk at extension 4711. [2]",
        ),
    ],
)
def test_the_best_sentence_is_quoted_first_with_its_passage(minilm: MiniLm, question: str, quote: str) -> None:
    text = answer(chat(question), minilm.embed)

    assert text.split("\n\n")[:2] == [LABEL, quote]


@pytest.mark.parametrize("question", ["What is the capital of France?", "How do I bake bread?", "🦋"])
def test_a_question_beside_the_documents_is_told_so(minilm: MiniLm, question: str) -> None:
    assert answer(chat(question), minilm.embed) == NOTHING_FITS


def test_without_passages_it_says_that_it_only_quotes() -> None:
    assert answer(chat("How long?", "You are helpful."), by_words) == NO_REPOSITORY
    assert answer([{"role": "user", "content": GROUNDING}], by_words) == NO_REPOSITORY
    assert answer([{"role": "system", "content": GROUNDING}], by_words) == NO_REPOSITORY


def test_an_empty_list_of_passages_means_nothing_was_found() -> None:
    assert answer(chat("How long?", grounding_message([])), by_words) == NOTHING_FITS


def test_the_last_question_counts_and_may_come_in_parts() -> None:
    messages = [
        *chat("Laptops lock"),
        {"role": "assistant", "content": "…"},
        {"role": "user", "content": [{"type": "text", "text": "Unused days expire"}, {"type": "image_url"}]},
    ]

    assert "31 March. [1]" in answer(messages, by_words).split("\n\n")[1]


def test_a_sentence_that_two_passages_share_is_quoted_once_with_the_better_one() -> None:
    text = answer(chat("the sky is blue", grounding_message([Found("a", 1, "The sky is blue")] * 3)), by_words)

    assert text == f"{LABEL}\n\n> The sky is blue [1]"


def test_never_more_than_a_few_quotes() -> None:
    found = [Found(str(n), None, f"the sky is blue number {n}") for n in range(9)]

    assert answer(chat("the sky is blue", grounding_message(found)), by_words).count("> ") == QUOTES


def test_sentences_are_verbatim_pieces_of_their_passage() -> None:
    text = HANDBOOK.text + "\n\n" + "word " * 500

    found = list(sentences(PromptPassage(number=1, title="t", text=text)))

    assert all(sentence.text in text for sentence in found)
    assert [sentence.text for sentence in found][:4] == [
        "Employees have thirty days of annual leave.",
        "Unused days expire on 31 March.",
        "Parental leave is 24 weeks, e.g. taken in two parts.",
        "Ask Dr. Lang for more.",
    ]
    assert max(len(sentence.text) for sentence in found) <= extractive.LONGEST_SENTENCE


def test_headings_of_a_printed_page_are_no_part_of_a_sentence_but_wrapped_lines_are() -> None:
    page = (
        "Regular care\nEvery six months\n"
        "Grease the bearings with 120 grams of lithium grease for each blade. Check the torque of the\n"
        "24 tower bolts: 310 newton metres.\nEvery ten years\nReplace the yaw motor."
    )

    found = list(sentences(PromptPassage(number=1, title="t", text=page)))

    assert [(sentence.headings, sentence.text) for sentence in found] == [
        (("Every six months",), "Grease the bearings with 120 grams of lithium grease for each blade."),
        ((), "Check the torque of the\n24 tower bolts: 310 newton metres."),
        (("Every ten years",), "Replace the yaw motor."),
    ]


def test_a_heading_is_quoted_with_the_sentence_below_it(minilm: MiniLm) -> None:
    page = (
        "Every six months\nGrease the pitch bearings with 120 grams of lithium grease for each blade. Check the torque"
        " of the 24 tower bolts.\n\n## Every ten years\n\nReplace the yaw motor.\n\nHow to order parts"
    )
    question = "How often must the pitch bearings be greased?"

    text = answer(chat(question, grounding_message([Found("care.pdf", 1, page)])), minilm.embed)

    quote = "Every six months … Grease the pitch bearings with 120 grams of lithium grease for each blade."
    assert text.split("\n\n")[1] == f"> {quote} [1]"
    assert all(part in page for part in quote.split(" … "))


@pytest.mark.parametrize(
    ("page", "quotes"),
    [
        ("Every six months\n\nGrease it.\n\nMore is in the other book.\n\nCall us.",
         ["Every six months … Grease it.", "More is in the other book."]),
        ("How to take leave\n\n# Notice\n\nTell your manager a month ahead.",
         ["How to take leave … Notice … Tell your manager a month ahead."]),
        ("Care of the plant\n\nEvery six months\n\nGrease all bearings.",
         ["Care of the plant … Every six months … Grease all bearings."]),
        ("Grease the bearings.\n\nHow to order parts", ["Grease the bearings."]),
        ("Oil five litres\n\nGrease three grams\n\nWater two litres",
         ["Oil five litres", "Grease three grams", "Water two litres"]),
        ("What to do first\n- Open the valve\n- Close the other valve",
         ["What to do first … Open the valve", "Close the other valve"]),
    ],
)  # fmt: skip
def test_a_heading_is_no_quote_of_its_own_but_rows_are(page: str, quotes: list[str]) -> None:
    found = sentences(PromptPassage(number=1, title="t", text=page))

    assert [sentence.quote for sentence in found] == quotes
