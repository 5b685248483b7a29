"""The types that models share."""

from storefront.fields import WithoutNul


def test_a_rule_can_stand_in_a_union() -> None:
    # Where None is the other choice, Python 3.11 looks for choices that are the same by their hash.
    assert {WithoutNul: 1}[WithoutNul] == 1
