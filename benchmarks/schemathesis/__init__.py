"""Whether the gateway keeps what its OpenAPI document says, tried out by Schemathesis.

Schemathesis draws requests from the document, valid and wrong ones, follows its links from what
was made to what can be done with it, and holds every answer against the document. All its checks
are on. It asks real gateways with real inference, as an administrator and as a clinician, who must
not see each other's records, on SQLite and on PostgreSQL.

    python -m benchmarks.schemathesis      five minutes each; writes results/schemathesis.json
"""
