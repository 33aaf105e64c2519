"""The gateway: the only door to the outside, with accounts, records, pictures and reports."""
