"""PPTX: one block a slide (its page), title first, tables as rows, speaker notes last."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pptx

from lisa.ingestion.parsing.blocks import Block, one_line
from lisa.ingestion.parsing.office_xml import named_errors

MAX_GROUP_DEPTH = 20


def parse(path: Path) -> Iterator[Block]:
    """Yields a block for each slide that has text. Raises: CorruptDocumentError."""
    with named_errors("PPTX"):
        slides = list(pptx.Presentation(str(path)).slides)
    for number, slide in enumerate(slides, 1):
        with named_errors("PPTX"):
            title_shape = slide.shapes.title
            title = one_line(title_shape.text_frame.text) if title_shape is not None else ""
            rest = (shape for shape in slide.shapes if title_shape is None or shape.shape_id != title_shape.shape_id)
            parts = [title, *_texts(rest, 0), *_notes(slide)]
        yield Block("\n\n".join(part for part in parts if part.strip()), number, (title,) if title else ())


def _texts(shapes: Iterable[Any], depth: int) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            if depth < MAX_GROUP_DEPTH:
                yield from _texts(shape.shapes, depth + 1)
        elif getattr(shape, "has_table", False):
            yield "\n".join(" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in shape.table.rows)
        elif shape.has_text_frame:
            yield shape.text_frame.text


def _notes(slide: Any) -> Iterator[str]:
    frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if frame is not None and frame.text.strip():
        yield f"Notes: {frame.text}"
