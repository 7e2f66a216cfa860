"""Bytes of a text file become text."""

import codecs
import re

BOMS = (  # UTF-32 first: its little-endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.I
)
SAMPLE_BYTES = 4096
EXPECTED_CONTROLS = "\t\n\r\f\x0b\x1b"


def decoded(data: bytes) -> str:
    """By byte order mark, else UTF-16 by its zeros, else UTF-8, else Western European. Never fails."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    # UTF-16 of Western text is valid UTF-8, too: every other character is a NUL.
    wide = _utf16_by_zeros(data[:SAMPLE_BYTES])
    if wide:
        return data.decode(wide, "replace")
    try:
        # The incremental decoder forgives a character that the end of the file cuts in two.
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decoded_markup(data: bytes) -> str:
    """As `decoded`, but a charset that HTML or XML declares is believed when it fits."""
    declared = DECLARED.search(data[:SAMPLE_BYTES])
    if declared and not any(data.startswith(mark) for mark, _ in BOMS):
        try:
            return data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(data)


def is_text(data: bytes) -> bool:
    """True when a sample of the file reads as text: hardly any control characters."""
    sample = data[:SAMPLE_BYTES]
    if not any(sample.startswith(mark) for mark, _ in BOMS) and not _utf16_by_zeros(sample) and b"\x00" in sample:
        return False
    text = decoded(sample)
    odd = sum(1 for c in text if c == "\ufffd" or (c < " " and c not in EXPECTED_CONTROLS))
    return odd * 20 <= len(text)


def _utf16_by_zeros(sample: bytes) -> str | None:
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half >= 8 and odd > half * 0.4 and even * 10 < odd:
        return "utf-16-le"
    if half >= 8 and even > half * 0.4 and odd * 10 < even:
        return "utf-16-be"
    return None
