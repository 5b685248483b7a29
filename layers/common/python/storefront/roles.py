"""The database role of the functions, which cannot change the schema."""

from pathlib import Path

from storefront.cold_start.driver import Connection, DatabaseError, identifier, literal
from storefront.sql_files import MigrationError, run

GRANTS = Path(__file__).with_name("grants.sql")

_INSUFFICIENT_PRIVILEGE = "42501"

_SETTINGS_OF = """
SELECT setting.setdatabase = 0
  FROM pg_db_role_setting setting
  JOIN pg_roles role ON role.oid = setting.setrole
 WHERE role.rolname = {}
   AND setting.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"""


def grant_access(connection: Connection, app_role: str) -> None:
    """Create the functions' role if it does not exist, and set its privileges. Raises MigrationError."""
    role = identifier(app_role)
    if not connection.run(f"SELECT FROM pg_roles WHERE rolname = {literal(app_role)}"):
        # Roles belong to the whole server: the migration of another database may create this one at the same time.
        _administer(
            connection,
            f"CREATE ROLE {role} LOGIN",
            f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$",
        )
    # On RDS, members of rds_iam sign in with a token. Other servers do not have that role.
    if connection.run(
        f"SELECT FROM pg_roles WHERE rolname = 'rds_iam' AND NOT pg_has_role({literal(app_role)}, oid, 'MEMBER')"
    ):
        _administer(connection, f"GRANT rds_iam TO {role}")
    [[database]] = connection.run("SELECT current_database()")
    # A role can change its own settings, for example to read-only, and would keep them forever.
    for [everywhere] in connection.run(_SETTINGS_OF.format(literal(app_role))):
        within = "" if everywhere else f"IN DATABASE {identifier(database)} "
        _administer(connection, f"ALTER ROLE {role} {within}RESET ALL")
    grants = GRANTS.read_text(encoding="utf-8").replace(":app_role", role)
    run(connection, GRANTS.name, grants.replace(":database", identifier(database)))


def _administer(connection: Connection, statement: str, guarded: str | None = None) -> None:
    """Run a statement that the owner of an existing database may not be allowed to run.

    guarded: the statement to run instead, protected against a race.
    """
    try:
        connection.run(guarded or statement)
    except DatabaseError as error:
        if error.args[0]["C"] != _INSUFFICIENT_PRIVILEGE:
            raise
        raise MigrationError(f"An administrator must run this statement once: {statement}") from None
