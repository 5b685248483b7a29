"""The code that all functions share, in one Lambda layer.

settings        the environment variables
http            requests and responses of API Gateway, problems, the log line
invocations     events that are not requests
routes          the table of routes and who may use them
access          scopes and customers of access tokens
actor           who made a change
errors          problems (RFC 9457)
fields          types that several models share
currencies      the decimal places of currencies
json_text       the JSON text of responses
etags           ETag, If-Match, If-None-Match
db              one call to PostgreSQL in one round trip
database_errors what PostgreSQL's errors mean, and what of them may be logged
replica         reads of a replica, which may be a little stale
sockets         connections with one deadline, to PostgreSQL and AWS
iam             tokens for the database, signatures for AWS
migrate         schema migrations
sql_files       the files of the schema
roles           the database role of the functions
audit           a search for rows that contradict each other
metrics         CloudWatch metrics
log             the logger
cold_start      imports of libraries, without the parts that no function uses

lists        pages, cursors and links
idempotency  requests that are safe to retry

products        a feature: products and their stock
orders          a feature: orders and their timelines
payments        a feature: payment events and payments
refunds         a feature: refunds and disputes
reconciliation  a feature: what does not match, and the acknowledgements of staff
docs            the API's description and its page
console         the page of the shop's staff
static_files    the files of both pages, compressed

migrations  the history of the schema

A feature has models (requests), store (calls to the database) and *.sql (the SQL functions).

Imports go one way: functions → features → the modules above. No feature imports another feature's store.
"""
