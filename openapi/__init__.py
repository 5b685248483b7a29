"""The API's description in OpenAPI 3.1, made from the code. Never deployed.

operations  what each route takes and answers, in one table
responses   what the routes answer with
events      the bodies that the webhook takes
parameters  what the lists' parameters mean
headers     the headers of requests and answers
security    who may use a route
problems    an example of every kind of problem
schemas     the models as JSON Schema
document    all of it put together
reference   the reference's table of routes
__main__    writes docs/openapi.json and that table

https://spec.openapis.org/oas/v3.1.1.html
"""
