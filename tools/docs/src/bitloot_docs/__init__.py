"""The public interfaces as documents, generated from the code and committed.

An OpenAPI document a service and one AsyncAPI document for all topics stand in
`docs/api/`, with a readable page each; `make check` fails when one is out of date.
"""
