"""The contracts: files per provider, and the code that reads them, in layers.

`<provider>/` holds the files of one provider and `control/` the OpenAPI file of the control API.
The modules of this folder read a file with limits, or are used by all four folders. Each room below
imports only the ones above it:

- `openapi`: the operations, schemas and examples of an OpenAPI file;
- `behaviour`: what a provider does over time, and the refusal reasons;
- `contracts`: a provider's files together, the control API, and which headers are credentials;
- `clauses`: the numbered clauses of a provider's document, and what each cited place is about;
- `checks`: how a promise is observed;
- `linting`: mistakes in contract files;
- `drafting`: a first contract out of an OpenAPI file and recorded calls.

Pure: nothing here opens a socket, reads a clock or imports a web framework. The mock simulates
from these contracts and the contract kit judges by them, so each state, price and limit is written
once.
"""
