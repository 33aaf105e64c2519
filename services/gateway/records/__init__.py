"""The tables: what the gateway remembers. They import nothing of ours."""

from services.gateway.records.accounts import RefreshToken, Role, SignIn, User
from services.gateway.records.analysis import Analysis
from services.gateway.records.base import Record, new_id, now

__all__ = ["Analysis", "Record", "RefreshToken", "Role", "SignIn", "User", "new_id", "now"]
