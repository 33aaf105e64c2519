"""What is common to all answers. What a later gateway says beside it is let pass."""

from typing import Generic, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """Something that the gateway tells; it does not change once it is read."""

    model_config = ConfigDict(frozen=True)


class Editable(Shape):
    """A record that can be changed.

    ``etag`` names the revision that was seen; None in lists, which do not tell it.
    """

    etag: str | None = Field(None, exclude=True)

    @classmethod
    def read(cls, response: httpx.Response) -> Self:
        """Return the record that an answer shows, with the revision that its head names."""
        return cls.model_validate({**response.json(), "etag": response.headers.get("ETag")})

    def if_match(self) -> dict[str, str]:
        """Return the header of a change that is meant for what was seen."""
        if self.etag is None:
            raise ValueError("get the record first: a list does not tell its revision")
        return {"If-Match": self.etag}


_Item = TypeVar("_Item", bound=Shape)


class Page(Shape, Generic[_Item]):
    """Some of a list."""

    items: list[_Item]
    next_cursor: str | None
