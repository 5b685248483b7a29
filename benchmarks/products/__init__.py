"""Compares Storefront with Vendure and Medusa: `make bench-products`.

- catalog.py, shops.py, storefront.py, vendure.py, medusa.py: the products for sale, and how a buyer orders them
- npm.py, processes.py, client.py: installs the Node.js projects, runs servers, and sends requests
- one_client.py, statements.py, rush.py: the measurements
- report.py: writes PRODUCTS.md, with setup.md, the part of it that is written by hand
"""
