"""Chunks are exact spans, small enough, leave nothing out, and overlap as asked."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from lisa.ingestion.chunking import WHOLE_CHARACTERS, chunks_of
from lisa.ingestion.parsing.blocks import Block, ParsedDocument, assembled, cleaned
from lisa.repositories.schemas import ChunkingStrategy, ChunkingType

WORDS = st.text("abcé ,.!?\n\t#。字🙂 x", min_size=1, max_size=400)
BLOCKS = st.lists(
    st.builds(Block, WORDS, st.integers(1, 4), st.lists(st.sampled_from("ABC"), max_size=2).map(tuple)), max_size=12
)


@st.composite
def strategies(draw: st.DrawFn) -> ChunkingStrategy:
    size = draw(st.integers(100, 300))
    return ChunkingStrategy(size=size, overlap=draw(st.integers(0, size // 2)))


def document_of(blocks: list[Block], *, paged: bool = True) -> ParsedDocument:
    placed = sorted(blocks, key=lambda block: block.page or 0)
    return assembled(cleaned(Block(b.text, b.page if paged else None, b.headings) for b in placed))


@given(BLOCKS, strategies(), st.booleans())
def test_chunks_are_spans_within_size_on_one_page(blocks: list[Block], strategy: ChunkingStrategy, paged: bool) -> None:
    document = document_of(blocks, paged=paged)
    for chunk in chunks_of(document, strategy):
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert 0 < len(chunk.text) <= strategy.size
        assert chunk.text == chunk.text.strip()
        touched = {s.page for s in document.sections if s.start < chunk.end and chunk.start < s.end}
        assert touched == {chunk.page}


@given(BLOCKS, strategies())
def test_no_character_is_left_out(blocks: list[Block], strategy: ChunkingStrategy) -> None:
    document = document_of(blocks)
    covered: set[int] = set()
    for chunk in chunks_of(document, strategy):
        covered.update(range(chunk.start, chunk.end))
    missing = [c for i, c in enumerate(document.text) if i not in covered and not c.isspace()]
    assert missing == []


@given(BLOCKS, strategies())
def test_order_and_overlap(blocks: list[Block], strategy: ChunkingStrategy) -> None:
    document = document_of(blocks)
    chunks = list(chunks_of(document, strategy))
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        shared = before.end - after.start
        assert shared <= strategy.overlap if before.page == after.page else shared <= 0


def test_overlap_repeats_whole_words_before_the_cut() -> None:
    document = assembled([Block(" ".join(f"word{n:03}" for n in range(100)), 1)])
    chunks = list(chunks_of(document, ChunkingStrategy(size=100, overlap=20)))
    for before, after in pairwise(chunks):
        assert after.text[:15] == before.text[-15:]


def test_cuts_fall_on_headings_then_paragraphs_then_sentences() -> None:
    sections = [Block(f"Title {n}\n\n" + f"Sentence {n} is here. " * 6, None, (f"Title {n}",)) for n in range(3)]
    document = assembled(cleaned(sections))
    chunks = list(chunks_of(document, ChunkingStrategy(size=160, overlap=0)))
    assert [(chunk.headings, chunk.text[:7]) for chunk in chunks] == [([f"Title {n}"], f"Title {n}") for n in range(3)]
    smaller = list(chunks_of(document, ChunkingStrategy(size=100, overlap=0)))
    assert all(chunk.text.endswith(".") for chunk in smaller if len(chunk.text) > 10)


def test_small_sections_share_a_chunk() -> None:
    document = assembled([Block("One. First.", None, ("One",)), Block("Two. Second.", None, ("Two",))])
    (chunk,) = chunks_of(document, ChunkingStrategy(size=100, overlap=0))
    assert (chunk.headings, chunk.text) == (["One"], "One. First.\n\nTwo. Second.")


def test_strategy_none_keeps_a_document_whole_across_pages_up_to_its_limit() -> None:
    short = assembled([Block("first page", 1), Block("second page", 2)])
    (chunk,) = chunks_of(short, ChunkingStrategy(type=ChunkingType.NONE))
    assert (chunk.page, chunk.text) == (1, short.text)
    long = assembled([Block("word " * 5000, 1)])
    sizes = [len(chunk.text) for chunk in chunks_of(long, ChunkingStrategy(type=ChunkingType.NONE))]
    assert len(sizes) == 3
    assert max(sizes) <= WHOLE_CHARACTERS


def test_empty_document_has_no_chunks() -> None:
    assert list(chunks_of(assembled([]), ChunkingStrategy())) == []
    assert list(chunks_of(assembled([]), ChunkingStrategy(type=ChunkingType.NONE))) == []
