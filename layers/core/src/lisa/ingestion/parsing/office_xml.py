"""What DOCX and PPTX have in common: how their XML libraries fail."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree  # type: ignore[import-untyped]

from lisa.ingestion.errors import CorruptDocumentError


@contextmanager
def named_errors(kind: str) -> Iterator[None]:
    """Whatever the library trips over while it opens the file is the file's fault. Raises: CorruptDocumentError."""
    try:
        yield
    except (etree.XMLSyntaxError, zipfile.BadZipFile, KeyError, ValueError, AttributeError, OSError) as error:
        raise CorruptDocumentError(
            f"The {kind} file is damaged or cut off. Save it anew and upload it again."
        ) from error
