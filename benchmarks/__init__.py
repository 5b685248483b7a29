"""Measures this project beside its limit and its peers; `make bench` writes REPORT.md from it.

__main__.py      runs the parts in turn, and writes what they found into results.json
bench.py         what every part needs: the database, the AWS emulation, where the systems are
workers.py       processes that answer requests, one as Lambda has it each; worker.py is what runs in them
workloads.py     the requests, as API Gateway's events; fill.sql is the shop that they are sent to
pgbench.py       the limit: PostgreSQL's own client with the very same SQL
cold.py  handlers.py  tls.py  lists.py  batches.py  soak.py    the parts that take time
layer.py         what is measured below a handler
counts.py        the part that counts, and fails: what no noise can change
report.py        the table and its targets, around notes.md; plots.py draws, in an environment of its own
peers/           what a shop would build instead: FastAPI with SQLAlchemy and psycopg, Flask with psycopg2; each answers
                 in the form that the shop answers in, which is checked before anything is measured
"""
