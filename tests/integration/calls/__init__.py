"""The registry of the SQL functions that Python calls. A new function needs an entry here, and in no other test."""

from tests.integration.calls.function import SqlFunction
from tests.integration.calls.idempotency import IDEMPOTENCY
from tests.integration.calls.orders import ORDERS
from tests.integration.calls.payments import PAYMENTS
from tests.integration.calls.products import PRODUCTS
from tests.integration.calls.reconciliation import RECONCILIATION
from tests.integration.calls.refunds import REFUNDS

FUNCTIONS: dict[str, SqlFunction] = {**PRODUCTS, **ORDERS, **PAYMENTS, **REFUNDS, **RECONCILIATION, **IDEMPOTENCY}

FLOWS = [flow for function in FUNCTIONS.values() for flow in function.flows]

REPEATABLE = [flow for function in FUNCTIONS.values() if function.is_repeatable for flow in function.flows]
