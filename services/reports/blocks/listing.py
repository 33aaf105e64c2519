"""A table of many rows, whose head stands again on every page."""

from collections.abc import Callable, Sequence

from reportlab.platypus import Flowable


class Listing(Flowable):
    """Rows under each other, each whole: whoever sets one keeps it lower than a page."""

    def __init__(
        self, head: Flowable, rows: Sequence[Flowable], give_way: Callable[[], None]
    ) -> None:
        """Set a table.

        Args:
            head: of its columns.
            rows: under it.
            give_way: lets other documents be set; called between two rows, and between two pages.

        """
        super().__init__()
        self._give_way = give_way
        self._head = head
        self._rows = list(rows)
        self._heights: list[float] = []

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        if not self._heights:
            self._heights = [self._measured(row, aW, aH) for row in self._rows]
        self._head_height = self._head.wrap(aW, aH)[1]
        self.height = self._head_height + sum(self._heights)
        return aW, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        del aW
        room = aH - self._head_height
        count = 0
        while count < len(self._rows) and self._heights[count] <= room:
            room -= self._heights[count]
            count += 1
        return [self._part(0, count), self._part(count, len(self._rows))] if count else []

    def draw(self) -> None:
        self._give_way()
        y = self.height - self._head_height
        self._head.drawOn(self.canv, 0, y)
        for row, height in zip(self._rows, self._heights, strict=True):
            y -= height
            row.drawOn(self.canv, 0, y)

    def _measured(self, row: Flowable, width: float, height: float) -> float:
        self._give_way()
        return row.wrap(width, height)[1]

    def _part(self, start: int, end: int) -> "Listing":
        part = Listing(self._head, self._rows[start:end], self._give_way)
        # What was measured once is not measured again on each of many pages.
        part._heights = self._heights[start:end]
        return part
