"""The API's description in OpenAPI 3.1, made from the code. Never deployed.

products, orders, payments, refunds, reconciliation, docs   each feature: response models, example requests and routes
payment_bodies   the events that the webhook reads
operations   the table of all routes
operation    what the description says about one route
responses    response models that several features share
headers      the headers of requests and responses
security     access tokens and signatures
problems     an example of every kind of problem
schemas      pydantic models as JSON Schema
document     the OpenAPI document
fields       JSON Schema as text
reference    the generated parts of docs/reference/
events       the example events in events/
__main__     writes docs/openapi.json, docs/reference/ and events/

https://spec.openapis.org/oas/v3.1.1.html
"""
