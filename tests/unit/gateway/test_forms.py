"""What the gateway reads of multipart/form-data, and what it writes of it."""

import asyncio

import pytest
from gateway.form import encode_form, parse_form
from hypothesis import given
from hypothesis import strategies as st
from lisa.errors import BadRequestError

TYPE = "multipart/form-data; boundary=B"
TEXT = b'Content-Disposition: form-data; name="%b"'


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """Of heads and their contents."""
    return b"".join(b"--B\r\n%b\r\n\r\n%b\r\n" % part for part in parts) + b"--B--\r\n"


def texts(*fields: tuple[bytes, bytes]) -> bytes:
    return form(*((TEXT % name, value) for name, value in fields))


async def test_lists_are_read_under_their_name_and_written_as_they_came() -> None:
    raw = texts(
        (b"one[]", b"a"), (b"two[]", b"b"), (b"two[]", b"c"), (b"three", b"d"), (b"three", b"e"), (b"four", b"f")
    )
    fields, files = await parse_form(TYPE, raw)
    assert fields == {"one": ["a"], "two": ["b", "c"], "three": ["d", "e"], "four": "f"}
    written, _ = await encode_form(fields, files)
    names = [line.partition(b'name="')[2][:-1] for line in written.split(b"\r\n") if b"name=" in line]
    assert names == [b"one[]", b"two[]", b"two[]", b"three", b"three", b"four"]


@pytest.mark.parametrize("names", [(b"x", b"x[]"), (b"x[]", b"x"), (b"x", b"x", b"x[]"), (b"x[]", b"x[]", b"x")])
async def test_list_beside_a_field_of_its_name_is_refused(names: tuple[bytes, ...]) -> None:
    with pytest.raises(BadRequestError, match="with and without"):
        await parse_form(TYPE, texts(*((name, b"a") for name in names)))


@pytest.mark.parametrize("before", [b"\n", b"\r\n\r\n", b"x\r\n", b"--C\r\n", b"--BB\r\n", b"--B--x\r\n", b" "])
async def test_nothing_stands_before_the_first_part(before: bytes) -> None:
    """aiohttp would skip it, in 41 s for 24 MB of empty lines."""
    raw = texts((b"x", b"a"))
    with pytest.raises(BadRequestError, match="boundary"):
        await parse_form(TYPE, before + raw)
    assert await parse_form(TYPE, b"\r\n" + raw) == await parse_form(TYPE, raw) == ({"x": "a"}, ())


@pytest.mark.parametrize("name", [b"prompt", b"model", b"api_base", b"user_config", b"prompt[]", b"mask[]", b"files"])
@pytest.mark.parametrize("filename", [b"", b"a.txt"])
async def test_field_that_comes_as_a_file_is_refused(name: bytes, filename: bytes) -> None:
    """It would go upstream unseen."""
    head = TEXT % name + b'; filename="%b"' % filename
    with pytest.raises(BadRequestError, match="no file"):
        await parse_form(TYPE, form((head, b"x")))


@pytest.mark.parametrize("name", ["file", "image", "image[]", "mask", "input_reference"])
async def test_files_are_files(name: str) -> None:
    raw = form((TEXT % name.encode() + b'; filename=""', b"x"))
    _, (file,) = await parse_form(TYPE, raw)
    assert (file.name, file.data) == (name, b"x")


ODD = st.binary(max_size=12) | st.sampled_from(
    [b"a\xff", b"\x01", b"\xc3\xa9", b"%00", b"\xed\xa0\x80", b'\\"', b"a; b=c"]
)


@given(st.sampled_from([b'"%b"', b"%b"]), ODD, ODD, ODD, ODD, st.booleans())
def test_whatever_a_form_has_it_goes_on_or_is_refused(
    quotes: bytes, field: bytes, filename: bytes, kind: bytes, charset: bytes, is_extended: bool
) -> None:
    """And an error about it can be told."""
    filename_field = b"filename*=utf-8''%b" if is_extended else b"filename=" + quotes
    head = b"Content-Disposition: form-data; name="
    raw = form(
        (head + b'"_charset_"', charset),
        (head + quotes % field, b"x"),
        (head + b'"file"; ' + filename_field % filename + b"\r\nContent-Type: " + kind, b"x"),
    )

    async def passed_on() -> tuple[bytes, str]:
        return await encode_form(*await parse_form(TYPE, raw))

    try:
        written, content_type = asyncio.run(passed_on())
    except BadRequestError as error:
        error.message.encode()
    else:
        assert asyncio.run(parse_form(content_type, written))


@pytest.mark.parametrize(
    ("head", "value"),
    [
        (TEXT % b"aws\xff", b"x"),
        (TEXT % b"file" + b'; filename="a"\r\nContent-Type: audio/\xff', b"x"),
        (TEXT % b"file" + b'; filename="a"\r\nContent-Type: ;\x01', b"x"),
        (TEXT % b"_charset_", b"nonsense"),
        (TEXT % b"x" + b"\r\na: b" * 500, b"x"),
        (b": b", b"x"),
    ],
)
async def test_odd_head_of_a_part_is_refused(head: bytes, value: bytes) -> None:
    with pytest.raises(BadRequestError):
        await parse_form(TYPE, form((head, value)))
