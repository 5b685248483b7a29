"""The code that all functions share, in one Lambda layer.

A map:

settings    what the environment says
http        API Gateway event in, response out: bodies, parameters, problems, the log line
routes      every route of the API and who may use it, in one table
access      the scopes and the customer of a token
errors      the problems a client can be told of (RFC 9457)
db          one call, one round trip
iam         what the function's role signs: tokens for the database, requests to AWS
migrate     the schema, brought up to date
audit       the rows that contradict each other
actor       who asked for a change
etags       ETag, If-Match, If-None-Match
metrics     what CloudWatch counts
log         what CloudWatch is told
cold_start  the libraries' imports, without the parts that no function needs
fields      types that several models share

lists          pages, cursors and links
idempotency    requests that are safe to send again

products, orders, payments    a feature each: models (what may come in), store (its calls), *.sql (what they do)
migrations                   the schema's history

Imports point one way: functions → features → the modules above. No feature imports another one's store.
"""
