"""The API's description in OpenAPI 3.1, made from the code. Never deployed.

answers     what the routes answer with
problems    an example of every kind of problem
operations  what each route takes and answers, in one table
schemas     the models as JSON Schema
document    all of it put together
__main__    writes docs/openapi.json

https://spec.openapis.org/oas/v3.1.1.html
"""
