"""Unicode's characters, for tests of rules about text."""

import sys
from itertools import chain

CODE_POINTS = [(0x1, 0xD7FF), (0xE000, 0x33FFF), (0xE0000, 0xE1FFF), (sys.maxunicode, sys.maxunicode)]
"""All characters that are assigned, and some that are not."""

CHARACTERS = [chr(n) for first, last in CODE_POINTS for n in range(first, last + 1)]

INVISIBLE = {
    *chain([0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0], range(0x180B, 0x1810)),
    *chain(range(0x200B, 0x2010), range(0x202A, 0x202F), range(0x2060, 0x2070), range(0xFE00, 0xFE10)),
    *chain(range(0xFFF0, 0xFFF9), range(0x1BCA0, 0x1BCA4), range(0x1D173, 0x1D17B), range(0xE0000, 0xE1000)),
}
"""Default_Ignorable_Code_Point, in Unicode's DerivedCoreProperties.txt."""
