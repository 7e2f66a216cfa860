"""What LiteLLM's list asks for what is not counted in tokens alone: pictures, sound, films and searches."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

# Modes of the list, and the kind of token that their entries have a price of its own for.
MODES = {
    "image_generation": "image",
    "image_edit": "image",
    "audio_speech": "audio",
    "audio_transcription": "audio",
    "video_generation": "video",
    "rerank": "",
}
QUALITIES = frozenset(("low", "medium", "high", "xhigh", "max", "standard", "hd"))
# Where the list has a price for a token only, and the provider tells no tokens. OpenAI's guide: a square picture of
# medium quality. Gemini's: a second of speech that it makes, and of sound that it hears.
LIKELY_PICTURE_TOKENS = 1056
TOKENS_PER_SECOND = {
    "audio_speech": ("output_cost_per_audio_token", 25),
    "audio_transcription": ("input_cost_per_audio_token", 32),
}
USUAL_QUALITY, USUAL_SIZE = "standard", (1024, 1024)  # of OpenAI's protocol
DEAREST = "dearest"  # in place of a size that nobody knows yet
_PER_SECOND = "output_cost_per_second_"
_HIGH_RESOLUTION, _HIGH = "-high-res", "1024p"  # Sora's name for its films of 1024x1792
_SIZE_IN_NAME = re.compile(r"\d+-x-\d+", re.ASCII)
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_LABELS = {"2160p": "4k", "1440p": "2k"}


class UnitPrices(NamedTuple):
    """US dollars; 0: the list has no such price.

    `media_input`, `media_output`: a token of a picture or of sound, in what is asked and in the answer. `is_guessed`:
    `picture` or `second` is what its tokens are likely to cost. `variants`: a picture by quality and size
    (`hd/1024x1792`), a second of a film by its shorter side (`1080p`).
    """

    picture: float = 0.0
    pixel: float = 0.0
    character: float = 0.0
    second: float = 0.0
    search: float = 0.0
    media_input: float = 0.0
    media_output: float = 0.0
    is_guessed: bool = False
    variants: Mapping[str, float] = {}


class Amounts(NamedTuple):
    """What a call asks for or got. `is_guessed`: nobody told the seconds."""

    pictures: int = 0
    characters: int = 0
    seconds: float = 0.0
    searches: int = 0
    quality: str = ""
    size: str = ""
    is_guessed: bool = False


def unit_prices_of(entry: Mapping[str, Any]) -> UnitPrices | None:
    """Those of an entry of the list. None: it is priced by the token alone."""
    mode = str(entry.get("mode"))
    if mode not in MODES:
        return None
    kind = MODES[mode]
    units = UnitPrices(
        picture=_first(entry, "output_cost_per_image", "input_cost_per_image") if kind == "image" else 0.0,
        pixel=_first(entry, "input_cost_per_pixel", "output_cost_per_pixel"),
        character=_first(entry, "input_cost_per_character"),
        second=_first(
            entry, "output_cost_per_video_per_second", "output_cost_per_second", "input_cost_per_second"
        ),  # one of them, as LiteLLM counts: Whisper's entry has its only price twice
        search=_first(entry, "input_cost_per_query"),
        media_input=_first(entry, f"input_cost_per_{kind}_token", "input_cost_per_token"),
        media_output=_first(entry, f"output_cost_per_{kind}_token", "output_cost_per_token"),
        variants=dict(_resolutions(entry)),
    )
    if not any(units[:5]):
        units = _guessed(units, entry, mode)
    return units if any(units[:5]) or units.variants else None


def variant_of(name: str, entry: Mapping[str, Any]) -> tuple[str, str, float] | None:
    """Of an entry that is another's at one quality and size: the other's name, the variant, dollars for it."""
    if name.endswith(_HIGH_RESOLUTION):
        return name.removesuffix(_HIGH_RESOLUTION), _HIGH, _first(entry, "output_cost_per_video_per_second")
    parts = name.split("/")
    place = next((place for place, part in enumerate(parts[:-1]) if _SIZE_IN_NAME.fullmatch(part)), None)
    if place is None:
        return None
    has_quality = place > 0 and parts[place - 1] in QUALITIES
    model = "/".join(parts[: place - has_quality] + parts[place + 1 :])
    width, height = map(int, parts[place].split("-x-"))
    usd = _first(entry, "output_cost_per_image", "input_cost_per_image")
    usd = usd or _first(entry, "input_cost_per_pixel", "output_cost_per_pixel") * width * height
    return model, f"{parts[place - 1] if has_quality else ''}/{width}x{height}", usd


def usd_of(units: UnitPrices, amounts: Amounts) -> float:
    """Dollars for so much."""
    usd = amounts.characters * units.character + amounts.searches * units.search
    if amounts.pictures:
        usd += amounts.pictures * _picture(units, amounts.quality or USUAL_QUALITY, amounts.size)
    if amounts.seconds:
        usd += amounts.seconds * _second(units, amounts.size)
    return usd


def _picture(units: UnitPrices, quality: str, size: str) -> float:
    """At the quality and size that were asked for, else at the model's own price, else at the dearest that may be."""
    width, height = _pixels(size) or USUAL_SIZE
    for named in (quality, ""):
        usd = units.variants.get(f"{named}/{width}x{height}")
        if usd is not None:
            return usd
    if units.picture or units.pixel:
        return units.picture or units.pixel * width * height
    like = [usd for name, usd in units.variants.items() if name.startswith(f"{quality}/")]
    return max(like or units.variants.values(), default=0.0)


def _second(units: UnitPrices, size: str) -> float:
    if size == DEAREST:
        return max(units.second, *units.variants.values(), 0.0)
    pixels = _pixels(size)
    label = f"{min(pixels)}p" if pixels else size.lower()
    return units.variants.get(_LABELS.get(label, label), units.second)


def _pixels(size: str) -> tuple[int, int] | None:
    found = _SIZE.fullmatch(size)
    return (int(found[1]), int(found[2])) if found else None


def _resolutions(entry: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name in entry:
        if name.startswith(_PER_SECOND):
            yield name.removeprefix(_PER_SECOND).lower(), _first(entry, name)


def _guessed(units: UnitPrices, entry: Mapping[str, Any], mode: str) -> UnitPrices:
    if MODES[mode] == "image":
        usd = LIKELY_PICTURE_TOKENS * _first(entry, "output_cost_per_image_token")
        return units._replace(picture=usd, is_guessed=True)
    if mode in TOKENS_PER_SECOND:
        name, tokens = TOKENS_PER_SECOND[mode]
        return units._replace(second=tokens * _first(entry, name), is_guessed=True)
    return units


def _first(entry: Mapping[str, Any], *names: str) -> float:
    """The first of these prices that is one."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, int | float) and value > 0:
            return float(value)
    return 0.0
