"""A QR code (ISO/IEC 18004): an address that a phone reads off the paper."""

from typing import Any

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.platypus import Flowable

from services.reports import styles, tags

_QUIET = 4
"""Empty modules around the code, as the standard asks for."""


class Code(Flowable):
    """A square of modules; each row is drawn in runs."""

    def __init__(self, address: str, side: float) -> None:
        """Encode an address.

        Args:
            address: what is read off.
            side: of the square with its quiet zone, in points.

        """
        super().__init__()
        self._address = address
        # The library's types say nothing of its methods.
        self._code: Any = QRCode(None, QRErrorCorrectLevel.M)
        self._code.addData(address)
        self._code.make()
        self.width = self.height = side

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        del aW, aH
        return self.width, self.height

    def draw(self) -> None:
        count = self._code.getModuleCount()
        module = self.width / (count + 2 * _QUIET)
        path = self.canv.beginPath()
        for row in range(count):
            bottom = self.height - (_QUIET + row + 1) * module
            for start, length in self._runs(row, count):
                path.rect((_QUIET + start) * module, bottom, length * module, module)
        with tags.tagged(self.canv, tags.Mark("Figure", self._address)):
            self.canv.setFillColor(styles.BLACK)
            self.canv.drawPath(path, stroke=0, fill=1)

    def _runs(self, row: int, count: int) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        for column in range(count):
            if not self._code.isDark(row, column):
                continue
            start, length = runs[-1] if runs else (-1, 0)
            if start + length == column and runs:
                runs[-1] = (start, length + 1)
            else:
                runs.append((column, 1))
        return runs
