"""The recipes in CONTRIBUTING.md work. That for a new field lists every file that has to change."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from textwrap import indent

from pg8000.native import Connection

from storefront.migrate import migrate
from tests.api_client import ROOT, ApiClient
from tests.databases import copied_package
from tests.documents import read
from tests.seeded_bugs import LAYER, Replacement, copy_repository

MIGRATION = f"{LAYER}/migrations/NNNN_product_color.sql"
"""The path in CONTRIBUTING.md. NNNN is the next number."""

NEW_FILES = {
    MIGRATION: """\
-- The color of a product, if it has one.

CREATE DOMAIN product_color AS text;
ALTER TABLE products ADD COLUMN color product_color;
ALTER DOMAIN product_color ADD CONSTRAINT product_color_length CHECK (char_length(VALUE) BETWEEN 1 AND 40) NOT VALID;
"""
}

REPLACEMENTS = [
    Replacement(
        f"{LAYER}/products/models.py",
        "Quantity = Annotated[",
        "Color = Annotated[str, StringConstraints(min_length=1, max_length=40), WithoutNul]\nQuantity = Annotated[",
    ),
    Replacement(
        f"{LAYER}/products/models.py",
        "    quantity: Quantity\n",
        "    quantity: Quantity\n    color: Color | None = None\n",
    ),
    Replacement(
        f"{LAYER}/products/models.py",
        "    quantity: Quantity = Field(",
        "    color: Color | None = None\n    quantity: Quantity = Field(",
    ),
    Replacement(
        f"{LAYER}/products/create_product.sql",
        "(name, description, price, quantity,",
        "(name, description, color, price, quantity,",
    ),
    Replacement(
        f"{LAYER}/products/create_product.sql",
        "request ->> 'description',",
        "request ->> 'description', request ->> 'color',",
    ),
    Replacement(
        f"{LAYER}/products/update_product.sql",
        "quantity = after.quantity,",
        "color = after.color, quantity = after.quantity,",
    ),
    Replacement(
        f"{LAYER}/products/product_json.sql",
        "'quantity', product.quantity,",
        "'quantity', product.quantity, 'color', product.color,",
    ),
    Replacement(
        "openapi/products.py",
        '    quantity: int = Field(description="The units in stock.",',
        '    color: str | None = Field(examples=["white"])\n'
        '    quantity: int = Field(description="The units in stock.",',
    ),
    Replacement(
        "tests/integration/test_constraints.py",
        "REFUSED = {\n",
        'REFUSED = {\n    "product_color_length": ["UPDATE products SET color = \'\'"],\n',
    ),
    Replacement(
        "tests/integration/test_personal_data.py",
        '"products": {"name", "description",',
        '"products": {"name", "description", "color",',
    ),
    Replacement("tests/handlers/test_products.py", 'FIELDS = {"id",', 'FIELDS = {"id", "color",'),
    Replacement(
        "tests/handlers/test_products.py",
        '        ({"name": ""}, "#/name"),\n',
        '        ({"name": ""}, "#/name"),\n        ({"color": ""}, "#/color"),\n',
    ),
]

TEST_OF_THE_FIELD = """

def test_a_color_can_be_created_changed_and_removed(api: ApiClient) -> None:
    product = api.create_product(color="white")
    assert product["color"] == "white"
    for color in ("blue", None):
        assert expect(200, api.call("PUT", f"/api/products/{product['id']}", {"color": color}))["color"] == color
        assert expect(200, api.get(f"/api/products/{product['id']}"))["color"] == color
"""

TESTS = [
    "tests/handlers/test_products.py",
    "tests/integration/test_constraints.py",
    "tests/integration/test_migration_steps.py",
    "tests/integration/test_personal_data.py",
    "tests/integration/test_schema.py",
    "tests/integration/test_upgrades.py",
    "tests/unit/test_openapi.py",
]


def test_the_recipe_for_a_field_lists_every_file_that_changes() -> None:
    section = read("CONTRIBUTING.md").partition("## Add a field")[2].partition("## Add a route")[0]
    listed = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    is_elsewhere = re.compile("(tests|openapi)/")
    paths = {path if is_elsewhere.match(path) else f"{LAYER}/{path}" for path in listed}
    assert paths == {replacement.path for replacement in REPLACEMENTS} | NEW_FILES.keys()


def test_the_migrations_that_show_how_to_change_a_table_work(
    api: ApiClient, database: Connection, tmp_path: Path
) -> None:
    package = copied_package(tmp_path)
    section = read("CONTRIBUTING.md").partition("## Change a table")[2].partition("\n### ")[0]
    files = re.findall(r"^```sql\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    for number, text in enumerate(files, 9001):
        (package / "migrations" / f"{number}.sql").write_text(text)
    order = api.order((api.create_product(price="2.50")["id"], 3))
    assert migrate(database, package) == [f"{number}.sql" for number in range(9001, 9001 + len(files))]
    assert len(files) == 4
    assert database.run("SELECT total FROM order_items WHERE order_id = :id", id=order["id"]) == [[Decimal("7.50")]]
    assert database.run("SELECT to_regclass('order_items_without_total')") == [[None]]


def test_the_recipe_for_a_field_shows_its_migration() -> None:
    statements = NEW_FILES[MIGRATION].partition("\n\n")[2]
    assert indent(statements, "  ") in read("CONTRIBUTING.md")


def test_a_field_that_is_added_by_the_recipe_works(tmp_path: Path) -> None:
    copy_repository(tmp_path)
    number = len(list((tmp_path / MIGRATION).parent.glob("*.sql"))) + 1
    for path, text in NEW_FILES.items():
        (tmp_path / path.replace("NNNN", f"{number:04}")).write_text(text)
    for path, old, new in REPLACEMENTS:
        text = (tmp_path / path).read_text()
        assert text.count(old) == 1, f"{path} should have once: {old}"
        (tmp_path / path).write_text(text.replace(old, new))
    with (tmp_path / "tests" / "handlers" / "test_products.py").open("a") as file:
        file.write(TEST_OF_THE_FIELD)
    # Leave out the settings of this run, such as the number of its worker.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TEST_"))}
    environment["PYTHONPATH"] = str(tmp_path / LAYER / "..")
    # In the default folder, the second run would remove the servers' rights to their data (tests/conftest.py).
    pytest = ["pytest", "-q", "-m", "not long", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'run'}", *TESTS]
    for command in (["openapi"], ["local.schema"], pytest):
        result = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert "color" in (tmp_path / "docs" / "openapi.json").read_text()
    assert (tmp_path / "docs" / "openapi.json").read_text() != (ROOT / "docs" / "openapi.json").read_text()
