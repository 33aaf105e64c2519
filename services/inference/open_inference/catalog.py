"""The models as this protocol sees them: each by its name, its version or its label."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from services.inference.admission import Admission
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.forecast import Forecast
from services.inference.labels import Label
from services.inference.priority import Priority, Urgency
from services.inference.refusal import UnknownModelError
from services.inference.runners import Contender
from services.inference.slot import Slot
from services.inference.version import Version

AnyVersion = Version[SegmenterContract] | Version[ClassifierContract]
AnySlot = Slot[SegmenterContract] | Slot[ClassifierContract]


class Catalog:
    """Finds models, and places for what they are to do."""

    def __init__(
        self,
        slots: Sequence[AnySlot],
        admission: Admission,
        coming: Callable[[Priority], Mapping[Contender, int]],
    ) -> None:
        """Offer models.

        Args:
            slots: one a model.
            admission: bounds what is in work, whatever protocol asked for it.
            coming: says how many rows are on their way to each stage before new ones.

        """
        self._coming = coming
        self._slots = {slot.name: slot for slot in slots}
        self._admission = admission

    def versions(self, name: str = "") -> list[AnyVersion]:
        """Return the versions that answer, of one model or of all; stable ones first.

        A shadow is not among them: it is compared, and never answers.
        """
        slots = [slot for slot in self._slots.values() if name in ("", slot.name)]
        return [version for slot in slots for version in _answering(slot).values()]

    def find(self, name: str, version: str) -> AnyVersion:
        """Return a version of a model.

        Args:
            name: of the model.
            version: its number, or ``stable`` or ``canary``; empty for the stable one.

        Raises:
            UnknownModelError: it does not answer here.

        """
        wanted = version or Label.STABLE
        slot = self._slots.get(name)
        for label, each in _answering(slot).items() if slot else ():
            if wanted in (label, each.stage.model.provenance.version):
                return each
        known = ", ".join(
            f"{each.stage.model.provenance.name} {each.number}" for each in self.versions()
        )
        asked = f"{name} {version}".strip() or "a model without a name"
        raise UnknownModelError(f"there are {known}; {asked} was asked for")

    def lease(
        self, name: str, version: str, fingerprint: Callable[[], bytes]
    ) -> AbstractContextManager[AnyVersion]:
        """Find the version that answers a request, and keep it open as long as the context.

        Args:
            name: of the model.
            version: see ``find``; where it is empty, a canary has its share of the requests, if
                it takes and gives the same tensors as the stable version.
            fingerprint: tells the request from others; asked only where it matters.

        Raises:
            UnknownModelError: it does not answer here.

        """
        found = self.find(name, version)
        slot = self._slots[name]
        if not version and slot.lineup.canary is not None:
            chosen = slot.choose(fingerprint())
            if chosen.stage.model.signature == found.stage.model.signature:
                found = chosen
        return found.lease()

    def most_rows(self, version: AnyVersion) -> int:
        """Return how many rows one request to a version may have."""
        return min(version.stage.sizing.largest, self._admission.largest)

    def place(
        self, version: AnyVersion, rows: int, urgency: Urgency
    ) -> AbstractContextManager[Forecast]:
        """Take places for the rows of one request; each counts in admission as a picture does.

        Args:
            version: which the caller has on lease.
            rows: at least one and at most ``most_rows``.
            urgency: until when, and how soon, the answer is needed.

        Raises:
            QueueFullError: too many pictures are in work already.
            TooLateError: by the measured cost, the answer would come after the deadline.

        """

        def outlook() -> Forecast:
            priority = urgency.priority
            return version.stage.forecast(priority, rows, coming=self._coming(priority))

        return self._admission.place(outlook, urgency, rows)


def _answering(slot: AnySlot) -> dict[Label, AnyVersion]:
    return {
        label: version
        for label, version in slot.lineup.by_label().items()
        if label is not Label.SHADOW
    }
