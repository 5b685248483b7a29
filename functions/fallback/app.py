"""Where API Gateway sends what no route matches: 404, or 405 with the methods that there are."""

from storefront.http import create_app, entry_point

app = create_app()

lambda_handler = entry_point(app)
