"""Staff sign in to the console with a public client, and get only the scopes of their groups."""

import re
from typing import Any

import pytest

from storefront.access import COGNITO_PREFIX
from storefront.routes import ORDERS_ALL, Access
from tests.template.sam import holds, settings_of, template
from tests.template.test_first_deployment import broken_rules
from tests.template.test_order import waits_for
from tests.template.translated import resources, translated

PARAMETERS: dict[str, dict[str, Any]] = template()["Parameters"]
POOL = resources("AWS::Cognito::UserPool")["UserPool"]["Properties"]
CLIENT = resources("AWS::Cognito::UserPoolClient")["ConsoleClient"]["Properties"]

DOMAIN = {"DomainName": "api.shop.example", "DomainCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}
ADDRESS = {"ApiAddress": "https://a1b2c3.execute-api.us-east-1.amazonaws.com"}
ISSUER = {"TokenIssuer": "https://issuer.example", "TokenAudience": "shop"}
CONSOLE = {"ConsoleClientId": "console-1", "ConsoleScope": "openid a:b", "ConsoleOrigins": "https://login.example"}


def value_of(value: Any, settings: dict[str, str]) -> Any:
    """A value of the template with these settings. A reference to a resource becomes the resource's name."""
    if isinstance(value, list):
        return [value_of(one, settings) for one in value if one != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    [(function, given)] = value.items()
    if function == "Ref":
        return settings.get(given, given)
    if function == "Fn::If":
        return value_of(given[1 if holds({"Condition": given[0]}, settings) else 2], settings)
    if function == "Fn::Split":
        return value_of(given[1], settings).split(given[0])
    assert function == "Fn::Sub"
    return re.sub(r"\$\{([\w:]+)\}", lambda found: settings.get(found[1], found[1]), given)


def given_to_the_page(**changed: str) -> dict[str, str]:
    settings = {**settings_of("prod"), "AWS::URLSuffix": "amazonaws.com", **changed}
    variables = resources("AWS::Lambda::Function")["DocsFunction"]["Properties"]["Environment"]["Variables"]
    return {name: value_of(one, settings) for name, one in variables.items() if name.startswith("CONSOLE_")}


@pytest.mark.parametrize("address", [DOMAIN, ADDRESS, {**DOMAIN, **ADDRESS}], ids=["domain", "address", "both"])
def test_staff_sign_in_with_cognito(address: dict[str, str]) -> None:
    assert given_to_the_page(**address) == {
        "CONSOLE_ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/UserPool",
        "CONSOLE_CLIENT_ID": "ConsoleClient",
        "CONSOLE_SCOPE": " ".join(CLIENT["AllowedOAuthScopes"]),
        "CONSOLE_ORIGINS": "https://UserPoolDomain.auth.us-east-1.amazoncognito.com",
    }


def test_staff_sign_in_with_another_issuer() -> None:
    # The address of the API has no effect there.
    for address in ({}, DOMAIN, ADDRESS):
        assert given_to_the_page(**ISSUER, **CONSOLE, **address) == {
            "CONSOLE_ISSUER": "https://issuer.example",
            "CONSOLE_CLIENT_ID": "console-1",
            "CONSOLE_SCOPE": "openid a:b",
            "CONSOLE_ORIGINS": "https://login.example",
        }


@pytest.mark.parametrize("settings", [{}, ISSUER, {**ISSUER, **DOMAIN}], ids=["new", "issuer", "issuer and domain"])
def test_the_page_gets_nothing_until_sign_in_is_set_up(settings: dict[str, str]) -> None:
    assert set(given_to_the_page(**settings).values()) == {""}


def test_the_console_can_do_everything_except_placing_orders() -> None:
    scopes = {ORDERS_ALL, *Access} - {Access.ANYONE, Access.SIGNATURE, Access.ORDERS_WRITE}
    assert set(CLIENT["AllowedOAuthScopes"]) == {"openid", *(f"{COGNITO_PREFIX}{one}" for one in scopes)}
    assert set(PARAMETERS["ConsoleScope"]["Default"].split()) == {"openid", *scopes}


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (DOMAIN, "https://api.shop.example/console"),
        (ADDRESS, "https://a1b2c3.execute-api.us-east-1.amazonaws.com/console"),
        ({**DOMAIN, **ADDRESS}, "https://api.shop.example/console"),
    ],
)
def test_cognito_sends_staff_back_to_the_console_only(address: dict[str, str], url: str) -> None:
    settings = {**settings_of("prod"), **address}
    assert value_of(CLIENT["CallbackURLs"], settings) == value_of(CLIENT["LogoutURLs"], settings) == [url]


def test_the_output_has_the_address_of_the_console() -> None:
    api, console = (template()["Outputs"][name]["Value"] for name in ("ApiUrl", "ConsoleUrl"))
    for settings in (settings_of("prod"), {**settings_of("prod"), **DOMAIN}):
        assert value_of(console, settings) == f"{value_of(api, settings)}/console"


def test_the_client_of_the_console_is_public_and_uses_codes() -> None:
    assert CLIENT["GenerateSecret"] is False
    assert CLIENT["AllowedOAuthFlows"] == ["code"]
    assert CLIENT["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH"]
    assert CLIENT["PreventUserExistenceErrors"] == "ENABLED"
    assert CLIENT["EnableTokenRevocation"] is True
    assert CLIENT["RefreshTokenRotation"]["Feature"] == "ENABLED"
    units = CLIENT["TokenValidityUnits"]
    assert (CLIENT["AccessTokenValidity"], units["AccessToken"]) == (60, "minutes")
    assert (CLIENT["RefreshTokenValidity"], units["RefreshToken"]) == (1, "days")


@pytest.mark.parametrize(
    ("settings", "audience"),
    [
        ({}, ["WebsiteClient", "MachineClient"]),
        (ADDRESS, ["WebsiteClient", "MachineClient", "ConsoleClient"]),
        (DOMAIN, ["WebsiteClient", "MachineClient", "ConsoleClient"]),
        ({**ISSUER, **CONSOLE, "TokenAudience": "a,b"}, ["a", "b"]),
    ],
)
def test_the_api_accepts_tokens_of_the_console(settings: dict[str, str], audience: list[str]) -> None:
    body = translated()["Resources"]["Api"]["Properties"]["Body"]
    authorizer = body["components"]["securitySchemes"]["Tokens"]["x-amazon-apigateway-authorizer"]
    found = value_of(authorizer["jwtConfiguration"]["audience"], {**settings_of("prod"), **settings})
    assert [one for one in found if one != "AWS::NoValue"] == audience


def test_the_scopes_of_people_are_limited_and_those_of_programs_are_not() -> None:
    # Version 3 would also call it for the tokens of programs, which have no groups. Both need the plan Essentials.
    assert POOL["LambdaConfig"] == {
        "PreTokenGenerationConfig": {
            "LambdaArn": {"Fn::GetAtt": ["StaffScopesFunction", "Arn"]},
            "LambdaVersion": "V2_0",
        }
    }
    assert POOL["UserPoolTier"] == "ESSENTIALS"


def test_only_this_user_pool_may_call_the_trigger() -> None:
    permissions = [
        one["Properties"]
        for one in resources("AWS::Lambda::Permission").values()
        if "StaffScopesFunction" in str(one["Properties"]["FunctionName"])
    ]
    assert [(one["Principal"], one["SourceArn"], one["SourceAccount"]) for one in permissions] == [
        ("cognito-idp.amazonaws.com", {"Fn::GetAtt": ["UserPool", "Arn"]}, {"Ref": "AWS::AccountId"})
    ]


def test_no_client_of_users_exists_without_the_trigger() -> None:
    assert {"UserPool", "StaffScopesFunction", "ResourceServer"} <= waits_for("ConsoleClient")
    assert {"Preconditions", "StaffScopesRole"} <= waits_for("StaffScopesFunction")
    assert "UserPool" in waits_for("StaffScopesPermission")


def test_every_resource_of_the_user_pool_exists_only_with_it() -> None:
    for name in ("StaffScopesRole", "StaffScopesFunction", "StaffScopesPermission", "ManagersGroup", "OrdersGroup"):
        assert template()["Resources"][name]["Condition"] == template()["Resources"]["UserPool"]["Condition"]


def test_the_trigger_ends_before_cognito_stops_waiting() -> None:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html
    function = resources("AWS::Lambda::Function")["StaffScopesFunction"]["Properties"]
    assert function["Timeout"] < 5
    assert not {"VpcConfig", "Layers", "Environment"} & function.keys()


def test_staff_need_a_second_factor_and_a_long_password() -> None:
    required = {**settings_of("prod"), "StaffMfa": "required"}
    assert settings_of("prod")["StaffMfa"] == settings_of("small")["StaffMfa"] == "required"
    assert value_of(POOL["MfaConfiguration"], required) == "ON"
    assert value_of(POOL["EnabledMfas"], required) == ["SOFTWARE_TOKEN_MFA"]
    none = {**required, "StaffMfa": "none"}
    assert (value_of(POOL["MfaConfiguration"], none), value_of(POOL["EnabledMfas"], none)) == ("OFF", "AWS::NoValue")
    assert POOL["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12
    assert POOL["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert POOL["AccountRecoverySetting"] == {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}


def test_an_existing_user_pool_is_not_replaced() -> None:
    # CloudFormation replaces the pool, or fails, when one of these changes.
    assert not {"UsernameAttributes", "AliasAttributes", "UsernameConfiguration", "Schema"} & POOL.keys()


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        (
            "ApiAddress",
            ["", "https://a1b2c3.execute-api.us-east-1.amazonaws.com", "https://api.shop.example:8443"],
            ["http://api.shop.example", "https://api.shop.example/", "https://api.shop.example/console", "https://*"],
        ),
        (
            "ConsoleOrigins",
            ["", "https://login.example", "https://a.example https://b.example:8443"],
            ["*", "https://*", "https://a.example;", "https://a.example/", "http://a.example", "'unsafe-inline'"],
        ),
        ("ConsoleScope", ["openid", "openid api://shop/orders:read"], ["", " openid", "openid  a", 'openid "a"']),
        ("ConsoleClientId", ["", "console", "0oa1-b2.c3"], ["a b"]),
    ],
)
def test_a_parameter_has_a_pattern(name: str, accepted: list[str], refused: list[str]) -> None:
    pattern = PARAMETERS[name]["AllowedPattern"]
    assert [one for one in accepted if not re.fullmatch(pattern, one)] == []
    assert [one for one in refused if re.fullmatch(pattern, one)] == []


def test_a_client_of_another_issuer_needs_that_issuer() -> None:
    assert broken_rules({**settings_of("small"), **CONSOLE}) == ["ConsoleClientRequiresIssuer"]
    assert broken_rules({**settings_of("small"), **ISSUER, **CONSOLE}) == []
