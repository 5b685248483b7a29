"""Requests that match no route: 404 for an unknown path, or 405 with the allowed methods."""

from storefront.http import create_app, entry_point

app = create_app()

lambda_handler = entry_point(app)
