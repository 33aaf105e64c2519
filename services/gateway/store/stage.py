"""Objects on their way into a store, all of one organisation."""

from abc import ABC, abstractmethod

from services.gateway.store.intact import digest


class Stage(ABC):
    """Some objects, taken together; none is there before all are published.

    Attributes:
        organisation_id: whose they are.
        contents: of the objects, by name.

    """

    def __init__(self, organisation_id: str) -> None:
        self.organisation_id = organisation_id
        self.contents: dict[str, bytes] = {}

    @property
    def names(self) -> list[str]:
        """The names of the objects added so far."""
        return list(self.contents)

    @property
    def size(self) -> int:
        """How many bytes they have together."""
        return sum(map(len, self.contents.values()))

    def begin(self, name: str, content: bytes) -> None:
        """Take an object that is known early, and return at once; a slow place may begin now."""
        self.contents[name] = content

    def add(self, content: bytes) -> str | None:
        """Take an object; return its name, None for nothing."""
        if not content:
            return None
        name = digest(content)
        self.contents.setdefault(name, content)
        return name

    @abstractmethod
    async def publish(self) -> None:
        """Let the objects appear, each whole and to stay; may be done again."""
