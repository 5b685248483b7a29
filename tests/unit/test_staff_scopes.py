"""A staff member's token has the scopes of their groups, and no others."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.access import COGNITO_PREFIX
from storefront.routes import ORDERS_ALL, Access
from tests.api_client import lambda_context, load_function
from tests.template.sam import EVENTS, template

staff_scopes = load_function("staff_scopes")

ORDERS = {"storefront/orders:all", "storefront/orders:read", "storefront/orders:manage"}
CONSOLE = ["openid", "storefront/catalog:write", *sorted(ORDERS)]

SIGN_IN: dict[str, Any] = json.loads((EVENTS / "staff-scopes.json").read_text())
"""As Cognito sends it after a sign-in on its page."""


def event(groups: Any, **changes: Any) -> dict[str, Any]:
    """An event for a member of these groups, with changed fields of the event or of its request."""
    made = copy.deepcopy(SIGN_IN)
    made["request"]["groupConfiguration"]["groupsToOverride"] = groups
    made["request"] |= {name: value for name, value in changes.items() if name in made["request"]}
    return made | {name: value for name, value in changes.items() if name not in made["request"]}


def suppressed(made: dict[str, Any]) -> set[str]:
    response = staff_scopes.lambda_handler(made, lambda_context())["response"]
    generation = response["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]
    # Nothing is added, neither scopes nor claims.
    assert generation.keys() == {"scopesToSuppress"}
    return set(generation["scopesToSuppress"])


def granted(made: dict[str, Any]) -> set[str]:
    """The scopes of the token, as Cognito computes them."""
    return set(made["request"]["scopes"]) - suppressed(made)


@pytest.mark.parametrize(
    ("groups", "scopes"),
    [
        (["managers"], {"storefront/catalog:write", *ORDERS}),
        (["orders"], ORDERS),
        (["orders", "managers"], {"storefront/catalog:write", *ORDERS}),
        ([], set()),
        (None, set()),
        (["Managers", "order", "admin", ""], set()),
        (["admin", "orders"], ORDERS),
    ],
)
def test_a_token_has_the_scopes_of_the_groups(groups: list[str] | None, scopes: set[str]) -> None:
    made = event(groups, scopes=CONSOLE)
    assert granted(made) == {"openid", *scopes}


def test_a_scope_that_was_not_requested_is_not_granted() -> None:
    assert granted(event(["managers"], scopes=["openid", "storefront/orders:read"])) == {
        "openid",
        "storefront/orders:read",
    }


@pytest.mark.parametrize("groups", [["managers"], ["orders"], []])
def test_nobody_gets_a_scope_of_programs_or_of_the_account(groups: list[str]) -> None:
    other = ["storefront/orders:write", "storefront/new:scope", "aws.cognito.signin.user.admin", "other/scope"]
    assert granted(event(groups, scopes=other)) == set()


@pytest.mark.parametrize("groups", [["orders"], []])
def test_scopes_are_suppressed_even_if_the_event_does_not_name_them(groups: list[str]) -> None:
    for made in (event(groups, scopes=None), event(groups, scopes=[]), event(groups)):
        del made["request"]["scopes"]
        assert "storefront/catalog:write" in suppressed(made)
    assert suppressed(event([], scopes=None)) >= ORDERS


def test_a_refresh_applies_the_groups_of_today() -> None:
    before = event(["managers"], triggerSource="TokenGeneration_RefreshTokens")
    after = event([], triggerSource="TokenGeneration_RefreshTokens")
    assert "storefront/orders:manage" in granted(before)
    assert granted(after) == {"openid"}


@pytest.mark.parametrize("configuration", [None, {}, {"groupsToOverride": None}])
def test_a_user_without_groups_has_no_scope(configuration: Any) -> None:
    assert granted(event([], groupConfiguration=configuration)) == {"openid"}


MALFORMED: list[Any] = [
    *(None, [], "", {}, {"version": "2"}),
    event(["managers"], version="1"),
    event(["managers"], version="3"),
    event(["managers"], version=2),
    event(["managers"], triggerSource="TokenGeneration_ClientCredentials"),
    event(["managers"], triggerSource="PreSignUp_AdminCreateUser"),
    event(["managers"], triggerSource=None),
    event(["managers"], triggerSource=[]),
    event("managers"),
    event({"managers": True}),
    event([["managers"]]),
    event(["managers", None]),
    event(["managers"], groupConfiguration=["managers"]),
    event(["managers"], scopes="openid storefront/orders:all"),
    event(["managers"], scopes=[{}]),
    {**SIGN_IN, "request": None},
    {**SIGN_IN, "request": []},
]


@pytest.mark.parametrize("made", MALFORMED, ids=range(len(MALFORMED)))
def test_an_unknown_event_gets_no_token(made: Any) -> None:
    with pytest.raises(staff_scopes.UnknownEventError) as refused:
        staff_scopes.lambda_handler(made, lambda_context())
    assert str(refused.value) == staff_scopes.UnknownEventError.__doc__


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["managers", *CONSOLE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(groups=json_values, scopes=json_values)
def test_whatever_the_groups_are_only_known_ones_give_scopes(groups: Any, scopes: Any) -> None:
    made = event(groups, scopes=scopes)
    try:
        found = suppressed(made)
    except staff_scopes.UnknownEventError:
        return
    if not {"managers", "orders"} & set(groups or []):
        assert found >= staff_scopes.ALWAYS_SUPPRESSED


def test_nothing_about_a_person_is_logged(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    suppressed(SIGN_IN)
    with pytest.raises(staff_scopes.UnknownEventError):
        staff_scopes.lambda_handler({**SIGN_IN, "version": "1"}, lambda_context())
    assert (capsys.readouterr(), caplog.records) == (("", ""), [])


def test_the_rest_of_the_event_is_returned_unchanged() -> None:
    returned = staff_scopes.lambda_handler(SIGN_IN, lambda_context())
    assert {**returned, "response": None} == {**SIGN_IN, "response": None}


def test_the_function_knows_each_scope_and_each_group_of_the_template() -> None:
    made = template()["Resources"]
    scopes = {f"{COGNITO_PREFIX}{one['ScopeName']}" for one in made["ResourceServer"]["Properties"]["Scopes"]}
    assert scopes | {"aws.cognito.signin.user.admin"} == staff_scopes.ALWAYS_SUPPRESSED
    assert scopes >= {f"{COGNITO_PREFIX}{one}" for one in (Access.ORDERS_MANAGE, ORDERS_ALL)}
    groups = {one["Properties"]["GroupName"] for one in made.values() if one["Type"] == "AWS::Cognito::UserPoolGroup"}
    assert groups == staff_scopes.SCOPES_OF_GROUPS.keys()
    console = set(made["ConsoleClient"]["Properties"]["AllowedOAuthScopes"])
    # A manager may do what the console can do, and nothing else.
    assert console == staff_scopes.SCOPES_OF_GROUPS["managers"] | staff_scopes.FOR_EVERYONE
