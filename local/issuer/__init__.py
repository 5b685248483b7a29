"""An OpenID Connect issuer for `AUTH=on make run`, with two test users instead of passwords.

requests   Reads what clients send, and what they ask for.
sign_ins   Who is signed in: sessions, codes and refresh tokens.
documents  The JSON documents: metadata, the key and tokens.
pages      What people see in the browser.
server     The endpoints.
"""
