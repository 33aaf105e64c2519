"""Passwords, keys and tokens: pure functions of their arguments that know no record or route."""
