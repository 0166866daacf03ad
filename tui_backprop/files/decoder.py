"""The one way to decode what this process did not make: with bounds, into declared types, with one error."""

from __future__ import annotations

from typing import Any, TypeVar

from tui_backprop.support.format import printable

T = TypeVar("T")

LINE_DOTS = 200  # in a line of TOML: each part of a dotted key costs memory for all parts before it
FAILURES = (ValueError, TypeError, ArithmeticError, RecursionError, MemoryError)


class DecodeError(ValueError):
    """Content that is not what it should be; its text is a clause that says why."""


def decode_json(content: bytes, kind: type[T]) -> T:
    """Decode JSON into a type. Raises DecodeError."""
    import msgspec  # 20 ms, which a start without settings can save

    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, *FAILURES) as error:
        raise DecodeError(_reason(error)) from None


def decode_msgpack(content: bytes, kind: type[T]) -> T:
    """Decode msgpack into a type. Raises DecodeError."""
    import msgspec

    try:
        return msgspec.msgpack.decode(content, type=kind)
    except (msgspec.MsgspecError, *FAILURES) as error:
        raise DecodeError(_reason(error)) from None


def convert(value: object, kind: Any) -> Any:
    """Convert a decoded value into a type, strictly: a number in quotes is none. Raises DecodeError."""
    import msgspec

    try:
        return msgspec.convert(value, kind)
    except (msgspec.MsgspecError, *FAILURES) as error:
        raise DecodeError(_reason(error)) from None


def convert_numbers(value: object, shape: tuple[int, ...]) -> Any:
    """Return an array of double precision of a shape, as another process sent it; NaN and infinity are numbers, too.
    Raises DecodeError."""
    import numpy as np

    if type(value) is not np.ndarray:
        raise DecodeError(f"{type(value).__name__} instead of an array")
    if value.dtype != np.float64 or value.shape != shape:
        raise DecodeError(f"{value.dtype} of shape {value.shape} instead of float64 of shape {shape}")
    return value


def decode_toml(content: bytes) -> dict[str, Any]:
    """Decode TOML. Raises DecodeError."""
    import tomllib

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError("it is not UTF-8") from None
    if any(line.count(".") > LINE_DOTS for line in text.split("\n")):
        raise DecodeError(f"a line has more than {LINE_DOTS} dots")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DecodeError(printable(error)) from None
    except FAILURES as error:
        raise DecodeError(_reason(error, "it holds a number that is too long")) from None


def _reason(error: BaseException, otherwise: str = "") -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else otherwise or printable(error)
