"""What PostgreSQL's errors mean for a client, and what of them may be logged."""

import re

from storefront.cold_start.driver import DatabaseError
from storefront.errors import NumberOutOfRange, Unavailable

# The statement was rolled back and can be retried: 08 connection, 53 resources, 57 timeout or shutdown, 40001
# serialization failure, 40P01 deadlock, 55P03 lock_timeout, 25006 read-only.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_RETRYABLE = ("08", "53", "57", "40001", "40P01", "55P03", "25006")
# A failover made this server a read-only replica. A new connection reaches the new primary.
READ_ONLY_SQL_TRANSACTION = "25006"
_NUMERIC_VALUE_OUT_OF_RANGE = "22003"

# In the context of an error. The rest of it can quote data.
_PLACE = re.compile(r"^PL/pgSQL function \w+\([\w ,]*\) line [0-9]+", re.MULTILINE)


def may_quote_data(error: DatabaseError) -> bool:
    """Return whether the message can quote values: class 22 (data exception) or 23 (integrity violation)."""
    return str(error.args[0]["C"])[:2] in ("22", "23")


def described(error: DatabaseError) -> str:
    """Return an error of PostgreSQL for a log, without data: its code, its message or constraint, and its place.

    The detail and the context of any error can quote rows.
    """
    fields = error.args[0]
    about = fields.get("n") if may_quote_data(error) else fields["M"]
    return ", ".join(filter(None, [f"PostgreSQL {fields['C']}", about, *_PLACE.findall(fields.get("W", ""))]))


def problem_for(error: DatabaseError) -> Exception:
    """Return what a request raises: Unavailable, NumberOutOfRange, or RuntimeError if the code is at fault."""
    code = error.args[0]["C"]
    if code.startswith(_RETRYABLE):
        return Unavailable("The database is busy.", cause=described(error))
    if code == _NUMERIC_VALUE_OUT_OF_RANGE:
        return NumberOutOfRange()
    return RuntimeError(described(error))
