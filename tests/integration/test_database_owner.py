"""The database's owner creates and migrates it for the functions' role, also without being a superuser."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest
from pg8000.native import Connection, identifier, literal

from local.settings import APP_ROLE, as_role
from storefront import db
from storefront.migrate import MigrationError, migrate
from tests.api_client import ROOT
from tests.databases import new_database

GUIDE = (ROOT / "docs" / "guides" / "deployment.md").read_text()
PREPARATION = re.findall(r"^```sql\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def rds_iam(server_url: str) -> Iterator[None]:
    """RDS's role for users who sign in with tokens."""
    with closing(db.connect(server_url)) as server:
        server.run("CREATE ROLE rds_iam")
        yield
        server.run("DROP ROLE rds_iam")


@contextmanager
def session_of_owner(server_url: str, url: str) -> Iterator[Connection]:
    """A session as a database's owner, who has no other rights."""
    with closing(db.connect(server_url)) as server, closing(db.connect(url)) as connection:
        server.run("CREATE ROLE owner_of_this_test")
        try:
            [[database]] = connection.run("SELECT current_database()")
            connection.run(f"ALTER DATABASE {identifier(database)} OWNER TO owner_of_this_test")
            connection.run("SET ROLE owner_of_this_test")
            yield connection
        finally:
            connection.run("RESET ROLE; REASSIGN OWNED BY owner_of_this_test TO CURRENT_USER")
            server.run("DROP ROLE owner_of_this_test")


@pytest.mark.usefixtures("rds_iam")
def test_an_rds_master_user_can_follow_the_guide(server_url: str) -> None:
    [statements] = PREPARATION
    # Other names than in the guide. A master user of RDS is not a superuser.
    statements = re.sub(r"\bstorefront(_app)?\b", r"\g<0>_of_this_test", statements)
    owner_role, role = "storefront_of_this_test", "storefront_app_of_this_test"
    database = "storefront_of_this_test"
    with closing(db.connect(server_url)) as server:
        server.run("CREATE ROLE master LOGIN CREATEROLE CREATEDB; GRANT rds_iam TO master WITH ADMIN OPTION")
        try:
            with closing(db.connect(as_role(server_url, "master"))) as master:
                for statement in statements.split(";\n"):
                    master.run(statement)
            prepared = urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))
            with closing(db.connect(as_role(prepared, owner_role))) as owner:
                assert migrate(owner, app_role=role)
            with closing(db.connect(as_role(prepared, role))) as app:
                assert app.run("SELECT count(*) FROM products") == [[0]]
        finally:
            server.run(f"DROP DATABASE IF EXISTS {database}")
            server.run(f"DROP ROLE IF EXISTS {owner_role}, {role}")
            server.run("DROP ROLE master")


def test_an_owner_without_the_right_to_create_roles_gets_the_statement_to_run(
    server_url: str, empty_direct_url: str
) -> None:
    with session_of_owner(server_url, empty_direct_url) as connection:
        with pytest.raises(MigrationError, match='CREATE ROLE "nobody_yet" LOGIN'):
            migrate(connection, app_role="nobody_yet")
        assert connection.run("SELECT to_regclass('products')") == [[None]]


@pytest.mark.usefixtures("rds_iam", "module_direct_url")
def test_an_owner_without_the_right_to_grant_rds_iam_gets_the_statement_to_run(
    server_url: str, empty_direct_url: str
) -> None:
    with closing(db.connect(server_url)) as server, session_of_owner(server_url, empty_direct_url) as connection:
        with pytest.raises(MigrationError, match=f'GRANT rds_iam TO "{APP_ROLE}"'):
            migrate(connection, app_role=APP_ROLE)
        server.run(f"GRANT rds_iam TO {APP_ROLE}")
        assert migrate(connection, app_role=APP_ROLE)


@pytest.mark.usefixtures("rds_iam")
def test_the_functions_role_may_sign_in_with_a_token(database: Connection) -> None:
    for _ in range(2):
        migrate(database, app_role=APP_ROLE)
        assert database.run(f"SELECT pg_has_role({literal(APP_ROLE)}, 'rds_iam', 'MEMBER')") == [[True]]


def test_databases_of_one_server_can_be_migrated_at_the_same_time(server_url: str) -> None:
    role = "storefront_app_of_this_test"

    def run(url: str) -> None:
        with closing(db.connect(url)) as connection, closing(db.connect(url)) as guard:
            migrate(connection, app_role=role, guard=guard)

    with new_database(server_url) as one, new_database(server_url) as other, ThreadPoolExecutor(8) as pool:
        list(pool.map(run, [one, other] * 4))
        for url in (one, other):
            with closing(db.connect(url)) as connection:
                connection.run(f"DROP OWNED BY {role}")
    with closing(db.connect(server_url)) as server:
        server.run(f"DROP ROLE {role}")
