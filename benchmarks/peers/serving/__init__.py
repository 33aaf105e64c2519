"""The peers' own code: what somebody would write to serve these models with each of them.

Runs in the peers' environments, so nothing here imports what they do not have.
"""
