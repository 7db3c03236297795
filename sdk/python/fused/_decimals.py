"""Decimals as an Arrow column: little-endian integers of 128 or 256 bits, with one precision and scale for all."""

from typing import Any

from ._layouts import Put, UnfitError, column


def decimal_column(values: Any, put: Put, valid: Any) -> dict[str, Any]:
    """Decimals, integers among them and None where one is missing. They share the digits that the decimals need."""
    numbers: list[tuple[int, int]] = []
    whole, scale = 0, 0
    largest = 0
    for value in values:
        if value is None:
            numbers.append((0, 0))
        elif isinstance(value, int):
            largest = max(largest, len(str(abs(value))))
            numbers.append((value, 0))
        else:
            sign, digits, exponent = value.as_tuple()
            if type(exponent) is not int:
                raise UnfitError(f"there is no Arrow decimal for {value}")
            whole, scale = max(whole, len(digits) + exponent), max(scale, -exponent)
            number = int("".join(map(str, digits)))
            numbers.append((-number if sign else number, exponent))
    precision = whole + scale
    if precision > 76:
        raise UnfitError(f"its decimals have {precision} digits, more than 76")
    if largest > whole:
        raise UnfitError(f"an integer of {largest} digits is among decimals of {whole} digits before the point")
    width = 16 if precision <= 38 else 32
    data = b"".join((number * 10 ** (exponent + scale)).to_bytes(width, "little", signed=True) for number, exponent in numbers)
    return column("decimal", len(values), valid, put, data=put(data), precision=precision, scale=scale, width=width)
