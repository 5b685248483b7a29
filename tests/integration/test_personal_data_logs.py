"""No log, no problem and no output of the audit contains personal data, whatever fails."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pg8000.native import Connection

from local.postgres import postgres
from local.settings import APP_ROLE, as_role
from storefront import audit, db
from storefront.migrate import migrate
from storefront.sql_files import MigrationError, run
from tests.api_client import ENVIRONMENT, UNKNOWN, lambda_context, load_function, local_keyring, target
from tests.integration.personal_requests import ADDRESS, CANARY, EMAIL, Shop

pytestmark = pytest.mark.not_behind_a_pooler("the test reads the log of its own server")

READS_AS_NUMBER = """
    CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM (to_jsonb(NEW) ->> tg_argv[0])::integer; RETURN NEW; END $$"""
READS_AS_JSON = READS_AS_NUMBER.replace("integer", "jsonb")
READS_AS_TIME = READS_AS_NUMBER.replace("integer", "timestamptz")
READS_AS_STATUS = READS_AS_NUMBER.replace("integer", "order_status")
WAITS = """
    CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(9); RETURN NEW; END $$"""
TABLES = (
    ("orders", "email"),
    ("order_events", "note"),
    ("payment_events", "body"),
    ("refunds", "reason"),
    ("acknowledgements", "note"),
)


def trigger(*functions: str) -> list[str]:
    """For each function and each table: a trigger that fails on a personal column."""
    return [
        f"{function}; CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken('{column}')"
        for function in functions
        for table, column in TABLES
        # The body of an event is JSON.
        if (function, column) != (READS_AS_JSON, "body")
    ]


FAULTS = [
    *trigger(READS_AS_NUMBER, READS_AS_JSON, READS_AS_TIME, READS_AS_STATUS, WAITS),
    *(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK ({column} IS NULL) NOT VALID" for table, column in TABLES),
    *(f"ALTER TABLE {table} ADD COLUMN broken text NOT NULL" for table, _ in TABLES),
    *(f"CREATE UNIQUE INDEX broken ON {table} ({column})" for table, column in TABLES[:2]),
    "ALTER DOMAIN note ADD CONSTRAINT broken CHECK (length(VALUE) < 3) NOT VALID",
    "ALTER DOMAIN email_address ADD CONSTRAINT broken CHECK (length(VALUE) < 3) NOT VALID",
    "ALTER DOMAIN json_map ADD CONSTRAINT broken CHECK (VALUE = '{}') NOT VALID",
    "DROP FUNCTION order_json(orders)",
    "ALTER TABLE orders ALTER COLUMN note TYPE varchar(2)",
]
"""Changes of the schema, after which requests fail in another way."""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Path]]:
    """The URL of a server of this module, and its log."""
    with TemporaryDirectory() as folder:
        pgdata = Path(folder) / "data"
        with postgres(pgdata) as url:
            yield url, pgdata / "log"


@pytest.fixture
def owner(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A session of the owner on an empty database that the functions use."""
    url, _ = server
    with closing(db.connect(url)) as connection:
        connection.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        migrate(connection, app_role=APP_ROLE)
        connection.run("ALTER DATABASE storefront SET lock_timeout = '50ms'")
        connection.run("ALTER DATABASE storefront SET statement_timeout = '200ms'")
        monkeypatch.setenv("DATABASE_URL", as_role(url, APP_ROLE))
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(load_function("webhook"), "keyring", local_keyring())
        db.disconnect()
        yield connection
        db.disconnect()


@pytest.fixture
def shop(owner: Connection) -> Shop:
    assert owner
    return Shop()


@pytest.fixture
def leaks(
    shop: Shop, server: tuple[str, Path], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[], list[str]]:
    """Returns the lines with personal data, in what this test has written."""
    written = len(server[1].read_text())

    def found() -> list[str]:
        captured = capsys.readouterr()
        texts = {
            "log of the functions": captured.out + captured.err + logged(caplog),
            "problem": "".join(response.text for response in shop.problems),
            "log of PostgreSQL": server[1].read_text()[written:],
        }
        return [f"{place}: {line}" for place, text in texts.items() for line in text.splitlines() if CANARY in line]

    return found


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.text + "".join(repr(vars(record)) for record in caplog.records)


def test_refusals_do_not_quote_personal_data(shop: Shop, leaks: Callable[[], list[str]]) -> None:
    long = CANARY * 300
    order_id = shop.place(key="k", reference="R-1").json["id"]
    shop.place(key="k", note=f"other {CANARY}")
    shop.place(reference="R-1")
    shop.place(expected_total="1")
    shop.place(products=[{"product_id": UNKNOWN, "quantity": 1}])
    shop.place(products=[{"product_id": shop.tea, "quantity": 1000}])
    for fields in (
        {"email": long},
        {"email": f"{CANARY}\0@x"},
        {"note": long},
        {"note": {CANARY: 1}},
        {"metadata": {"gift": long}},
        {"metadata": {"gift": 1}},
        {"metadata": CANARY},
        {"shipping_address": {**ADDRESS, "name": long}},
        {"shipping_address": {**ADDRESS, "country": CANARY}},
        {"billing_address": CANARY},
        {"charges": CANARY},
        {"customer_id": CANARY},
        {"products": CANARY},
    ):
        assert shop.place(**fields).status == 422, fields
    for text in (long, "", f"\0{CANARY}", [CANARY]):
        assert shop.call("POST", f"/api/orders/{order_id}/notes", {"text": text}).status == 422
        assert shop.call("POST", f"/api/orders/{order_id}/refunds", {"reason": text}).status == 422
        acknowledgement = f"/api/reconciliation/disputed/{UNKNOWN}/acknowledgement"
        assert shop.call("POST", acknowledgement, {"note": text}).status == 422
    assert shop.call("POST", f"/api/orders/{order_id}/refunds", {"amount": CANARY, "reason": CANARY}).status == 422
    assert shop.call("POST", f"/api/orders/{order_id}/refunds", {"reason": CANARY}).status == 422
    assert shop.call("POST", f"/api/orders/{UNKNOWN}/notes", {"text": CANARY}).status == 404
    assert shop.call("POST", acknowledgement, {"note": CANARY}).status == 404
    for body in (f'{{"email": "{CANARY}', f'"{CANARY}"', f'{{"email": {CANARY}}}', f'{{"note": "{CANARY}\ud83d"}}'):
        assert shop.call("POST", "/api/orders", body.encode(errors="surrogatepass")).status in (400, 422)
    for parameter in ("email", "customer_id", "status", "created_from", "cursor", "page"):
        shop.call("GET", target("/api/orders", **{parameter: EMAIL}))
    shop.send_everything(order_id)
    assert {response.status for response in shop.problems} >= {400, 404, 409, 422}
    assert leaks() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_internal_errors_do_not_quote_personal_data(
    shop: Shop, owner: Connection, leaks: Callable[[], list[str]], fault: str
) -> None:
    order_id = shop.api.order((shop.tea, 1), customer_id=7)["id"]
    db.disconnect()
    # An existing row would violate a new NOT NULL.
    owner.run(fault.replace("NOT NULL", "DEFAULT '' NOT NULL"))
    if "NOT NULL" in fault:
        owner.run(f"{fault.partition(' ADD')[0]} ALTER COLUMN broken DROP DEFAULT")
    shop.send_everything(order_id)
    assert {response.status for response in shop.problems} & {500, 503}
    assert leaks() == []


def test_waiting_for_a_lock_logs_no_personal_data(
    shop: Shop, owner: Connection, leaks: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    order_id = shop.place(reference="R-1").json["id"]
    owner.run("BEGIN; LOCK orders, order_events IN ACCESS EXCLUSIVE MODE")
    db.disconnect()
    shop.send_everything(order_id)
    owner.run("ROLLBACK")
    assert {response.status for response in shop.problems} >= {503}
    assert leaks() == []
    assert "PostgreSQL 55P03" in logged(caplog)


def test_the_audit_prints_ids_and_no_text_of_a_client(
    shop: Shop,
    owner: Connection,
    leaks: Callable[[], list[str]],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    order_id = shop.place(key=CANARY).json["id"]
    shop.call("POST", f"/api/orders/{order_id}/notes", {"text": CANARY}, **{"idempotency-key": CANARY})
    shop.deliver(order_id=order_id, payment_status="failed", event_id=CANARY)
    owner.run("""
        SET session_replication_role = replica;
        UPDATE order_events SET actor = 'canary', to_status = 'completed', outcome = 'ignored';
        UPDATE payment_events SET outcome = 'duplicate', reason = 'same_status', error = 'canary', attempts = 0;
        UPDATE orders SET personal_data_erased_at = now(), status = 'canceled', total_price = 9.00;
        UPDATE products SET quantity = 3, name = 'canary';
        INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status, idempotency_key)
        SELECT id, 'placed', 'canary', 'pending', 'unpaid', 'canary' FROM orders""")
    # The webhook logs the ID of each event.
    capsys.readouterr()
    caplog.clear()
    found = audit.violations(owner)
    assert len({one.rule for one in found}) > 8
    assert [one for one in found if CANARY in str(one)] == []
    load_function("audit").lambda_handler({}, lambda_context())
    owner.run("""
        UPDATE idempotency_keys SET body = 'canary';
        UPDATE order_events SET actor = 'anonymous';
        INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status,
                                  to_status, to_payment_status)
        SELECT id, 'erasure', 'x', 'pending', 'unpaid', 'pending', 'unpaid' FROM orders""")
    with pytest.raises(RuntimeError, match="PostgreSQL 22P02") as failed:
        load_function("audit").lambda_handler({}, lambda_context())
    assert CANARY not in str(failed.value)
    assert failed.value.__cause__ is None
    assert leaks() == []


@pytest.mark.parametrize("change", ["ALTER COLUMN note TYPE integer USING note::integer", "ADD CHECK (note IS NULL)"])
def test_a_migration_that_fails_quotes_no_personal_data(shop: Shop, owner: Connection, change: str) -> None:
    shop.place()
    with pytest.raises(MigrationError, match=r"0099_new.sql failed: PostgreSQL 2[23]") as failed:
        run(owner, "0099_new.sql", f"ALTER TABLE orders {change}")
    assert CANARY not in str(failed.value)


def test_the_log_of_postgresql_would_have_personal_data_without_the_settings(
    shop: Shop, owner: Connection, server: tuple[str, Path]
) -> None:
    order_id = shop.api.order((shop.tea, 1), customer_id=7)["id"]
    owner.run("ALTER DATABASE storefront RESET ALL")
    owner.run(FAULTS[0])
    db.disconnect()
    written = len(server[1].read_text())
    shop.send_everything(order_id)
    assert CANARY in server[1].read_text()[written:]
    assert json.loads(shop.problems[0].text)["status"] == 500
