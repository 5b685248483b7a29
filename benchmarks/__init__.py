"""Compares the performance of Storefront with two peers and with pgbench; `make bench` writes REPORT.md.

__main__.py      runs all parts, and writes their measurements into results.json
bench.py         what every part needs: PostgreSQL, the AWS emulation, the measured systems
workers.py       starts processes that handle requests as Lambda does; worker.py runs in each of them
workloads.py     the requests, as API Gateway's events; fill.sql fills the database that they use
pgbench.py       the upper limit: PostgreSQL's own client with the same SQL
cold.py  handlers.py  tls.py  lists.py  batches.py  soak.py    the parts that measure times and memory
layer.py         handlers for measurements without a function's handler
counts.py        the part that measures counts, which load on the machine does not change; CI checks their limits
targets.py       the targets
report.py        writes the report with the targets and notes.md; plots.py draws, with packages of another environment
peers/           the same API as a shop would probably build it: FastAPI with SQLAlchemy and psycopg 3, Flask with
                 psycopg2. Before a measurement, the run checks that all systems send responses of the same form
"""
