"""`multipart/form-data`: pictures, sound and the fields beside them."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.base_protocol import BaseProtocol
from aiohttp.helpers import parse_mimetype
from aiohttp.http_exceptions import HttpProcessingError
from lisa.errors import BadRequestError

MAX_PARTS = 200
# What the operations take as files. Anything else would be a field that nobody checks.
FILES = frozenset({"file", "image", "image[]", "input_reference", "mask"})
LIST = "[]"  # ends the name of a list


class NamedList(list[str]):
    """A list of a form whose name ends in `[]`, as OpenAI's SDKs write it. It goes upstream under that name."""


@dataclass(frozen=True, slots=True)
class FormFile:
    name: str
    filename: str
    content_type: str
    data: bytes


async def parse_form(content_type: str, raw: bytes) -> tuple[dict[str, Any], tuple[FormFile, ...]]:
    """The text fields (a repeated one and `name[]` are the list `name`) and the files of a body.

    Raises: BadRequestError.
    """
    _refuse_preamble(content_type, raw)
    fields: dict[str, Any] = {}
    files: list[FormFile] = []
    loop = asyncio.get_running_loop()
    stream = aiohttp.StreamReader(BaseProtocol(loop), limit=len(raw) + 1, loop=loop)
    stream.feed_data(raw)
    stream.feed_eof()
    try:
        reader = aiohttp.MultipartReader({"Content-Type": content_type}, stream)
        count = 0
        while (part := await reader.next()) is not None:
            count += 1
            if not isinstance(part, aiohttp.BodyPartReader) or not part.name or count > MAX_PARTS:
                raise BadRequestError(f"The form has a part without a name, a nested one, or over {MAX_PARTS} parts.")
            part.name.encode()  # half characters, in place of bytes that are no UTF-8, can be written nowhere
            if part.filename is not None and part.name not in FILES:
                raise BadRequestError(f"`{part.name[:64]}` is no file. Send it as a field, without a file name.")
            data = bytes(await part.read())
            if part.filename is not None:
                kind = part.headers.get("Content-Type", "application/octet-stream")
                if not kind.isascii() or not kind.isprintable():
                    raise BadRequestError("The form has a file whose Content-Type is none.")
                files.append(FormFile(part.name, part.filename, kind, data))
            else:
                _add(fields, part.name, data.decode())
    except (ValueError, RuntimeError, AssertionError, aiohttp.ClientError, HttpProcessingError) as error:
        raise BadRequestError("The body is not valid multipart/form-data.") from error
    return fields, tuple(files)


def _refuse_preamble(content_type: str, raw: bytes) -> None:
    """Raises: BadRequestError for anything before the first part: aiohttp would read it line by line, for minutes."""
    boundary = parse_mimetype(content_type).parameters.get("boundary", "").encode()
    first_line = b"--%b\r\n" % boundary
    if not raw.startswith((first_line, b"\r\n" + first_line)):
        raise BadRequestError("The form does not begin with the boundary that its Content-Type names.")


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    """Raises: BadRequestError for `name[]` beside `name`: of two values, one would be checked and the other used."""
    plain = name.removesuffix(LIST)
    known = fields.get(plain)
    if known is not None and isinstance(known, NamedList) is (plain == name):
        raise BadRequestError(f"`{plain[:64]}` is in the form with and without `{LIST}`.")
    if plain != name:
        fields.setdefault(plain, NamedList()).append(value)
    elif isinstance(known, list):
        known.append(value)
    else:
        fields[name] = value if known is None else [known, value]


async def encode_form(fields: dict[str, Any], files: tuple[FormFile, ...]) -> tuple[bytes, str]:
    """The body for an upstream, and its content type."""
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)  # browsers and SDKs send names as they are
    for name, value in fields.items():
        written_name = _written(name + LIST if isinstance(value, NamedList) else name)
        for each in value if isinstance(value, list) else [value]:
            form.add_field(written_name, str(each))
    for file in files:
        form.add_field(_written(file.name), file.data, filename=_written(file.filename), content_type=file.content_type)
    written = form()
    return await written.as_bytes(), written.headers["Content-Type"]


def _written(name: str) -> str:
    """As HTML's forms write a name (multipart/form-data encoding algorithm); bytes that are no UTF-8 become `?`."""
    return name.encode(errors="replace").decode().translate({10: "%0A", 13: "%0D", 34: "%22"})
