"""Writes the table of 128-bit powers of ten that lib/text/shortest.c works with.

usage: powers_of_ten.py > powers_of_ten.inc

For each e from -292 to 324: floor(10^e / 2^s) + 1 with s such that the top bit is set
(exactly 10^e / 2^s where that is a whole number), as two 64-bit halves.
"""

LOWEST, HIGHEST = -292, 324


def scaled(exponent):
    """10^exponent, rounded up to its 128 leading bits."""
    numerator = 10 ** max(exponent, 0)
    denominator = 10 ** max(-exponent, 0)
    shift = numerator.bit_length() - denominator.bit_length() - 128
    if shift < 0:
        numerator <<= -shift
    else:
        denominator <<= shift
    whole, rest = divmod(numerator, denominator)
    if whole >> 128:
        whole, rest = divmod(numerator, denominator * 2)
    elif not whole >> 127:
        whole, rest = divmod(numerator * 2, denominator)
    value = whole + (1 if rest else 0)
    assert 1 << 127 <= value < 1 << 128
    return value


print("/* Made by lib/text/powers_of_ten.py - 10^%d to 10^%d. */" % (LOWEST, HIGHEST))
for exponent in range(LOWEST, HIGHEST + 1):
    number = scaled(exponent)
    print("{0x%016xu, 0x%016xu}," % (number >> 64, number & (1 << 64) - 1))
