"""What comes in from outside: bounded while it is read, believed only after it is decoded."""

from services.gateway.uploads.body import Bodies, Upload
from services.gateway.uploads.rewrite import Rewritten, rewrite

__all__ = ["Bodies", "Rewritten", "Upload", "rewrite"]
