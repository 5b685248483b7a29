"""The countries of addresses."""

import pycountry

from storefront.countries import COUNTRIES


def test_the_countries_are_the_assigned_codes_and_kosovo() -> None:
    assert {country.alpha_2 for country in pycountry.countries} | {"XK"} == COUNTRIES


def test_a_country_that_no_longer_exists_is_none() -> None:
    former = {country.alpha_2 for country in pycountry.historic_countries}
    # ISO 3166 assigned these again: Anguilla, Bonaire, Belarus, Georgia and Slovakia.
    assert former & COUNTRIES == {"AI", "BQ", "BY", "GE", "SK"}
    assert {"AN", "YU", "SU", "DD", "CS"} <= former
