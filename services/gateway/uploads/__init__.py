"""What comes in from outside: bounded while it is read, believed only after it is decoded."""

from services.gateway.uploads.archive import Archive, Member
from services.gateway.uploads.body import Bodies, Upload
from services.gateway.uploads.parts import Part, parts
from services.gateway.uploads.rewrite import Rewritten, rewrite

__all__ = ["Archive", "Bodies", "Member", "Part", "Rewritten", "Upload", "parts", "rewrite"]
