"""The types that models share."""

from storefront.fields import WithoutNul


def test_a_rule_is_hashable() -> None:
    # Python 3.11 compares the members of a union with None by their hash.
    assert {WithoutNul: 1}[WithoutNul] == 1
