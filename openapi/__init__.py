"""The API's description in OpenAPI 3.1, made from the code. Never deployed.

operations  what each route takes and answers, in one table
responses   what the routes answer with
events      the bodies that the webhook takes
headers     the headers of requests and answers
security    who may use a route
problems    an example of every kind of problem
schemas     the models as JSON Schema
document    all of it put together
fields      JSON Schema in words
reference   the generated parts of docs/reference/
__main__    writes docs/openapi.json and docs/reference/

https://spec.openapis.org/oas/v3.1.1.html
"""
