"""One model's place in the service: the versions that are there, and which of them answers."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic

from services.inference.labels import Label, Labels
from services.inference.onnx_model import OnnxModel
from services.inference.version import Contract, Version

_TAIL_BYTES = 4096
"""So much of a picture tells it from others: the end of a file is compressed pixels."""

_HASH_BYTES = 8


class State(StrEnum):
    """What a version is doing."""

    LOADING = "loading"
    SERVING = "serving"
    DRAINING = "draining"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is to be said of one version.

    Attributes:
        number: its folder's name.
        state: what it is doing. A shadow that is compared is ``SERVING`` too.
        label: what it is for, or would be for if it served; None while it drains.
        share: of the pictures that it answers, 0..1.
        model: None when it is not loaded.
        reason: why it was refused, or a start would not have it.

    """

    number: int
    state: State
    label: Label | None = None
    share: float = 0.0
    model: OnnxModel | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lineup(Generic[Contract]):
    """Who answers now.

    Attributes:
        stable: answers.
        canary: answers a share of the pictures in its place.
        share: that share, 0..1.
        shadow: is compared with stable, never answers.

    """

    stable: Version[Contract]
    canary: Version[Contract] | None = None
    share: float = 0.0
    shadow: Version[Contract] | None = None

    def by_label(self) -> dict[Label, Version[Contract]]:
        """Return the versions by label."""
        versions = {
            Label.STABLE: self.stable,
            Label.CANARY: self.canary,
            Label.SHADOW: self.shadow,
        }
        return {label: version for label, version in versions.items() if version is not None}

    def share_of(self, version: Version[Contract]) -> float:
        """Return the share of the pictures that a version answers, 0..1."""
        if version is self.stable:
            return 1 - self.share
        return self.share if version is self.canary else 0.0


class Slot(Generic[Contract]):
    """A model by name, whatever version answers for it.

    Attributes:
        name: ``"segmenter"`` or ``"classifier"``.
        lineup: who answers; replaced as a whole, between two requests.
        wanted: what the labels ask for; differs from the lineup while a version loads, or when
            one was refused.
        loading: versions that are being loaded.
        refused: why, by version.
        astray: of versions that serve, why a service that starts would not have them.
        draining: versions that only answer who began with them.
        complaint: why the labels cannot be used; empty when they can.

    """

    def __init__(self, name: str, stable: Version[Contract]) -> None:
        """Begin with a version that answers everything."""
        self.name = name
        self.lineup = Lineup(stable)
        self.wanted = Labels(stable=stable.number)
        self.loading: set[int] = set()
        self.refused: dict[int, str] = {}
        self.astray: dict[int, str] = {}
        self.draining: set[Version[Contract]] = set()
        self.complaint = ""

    def lease(self, content: bytes) -> AbstractContextManager[Version[Contract]]:
        """Choose a version for a request and keep it open as long as the context.

        The choice is a hash of what is asked about: the same picture gets the same version on
        every replica and at every try, and a larger share keeps those that a smaller one had.
        Every canary draws pictures of its own, so that none always gets what is new.

        Args:
            content: the request's encoded picture, or whatever tells it from others.

        """
        return self.choose(content).lease()

    def choose(self, content: bytes) -> Version[Contract]:
        """Return the version that answers a request."""
        canary = self.lineup.canary
        if canary is not None and self._draw(content, canary.number) < self.lineup.share:
            return canary
        return self.lineup.stable

    def versions(self) -> Iterator[Version[Contract]]:
        """Return every version that may have work; metrics ask from a thread of their own."""
        yield from self.lineup.by_label().values()
        yield from tuple(self.draining)

    def queue_size(self) -> int:
        """Return how many pictures wait for a runner, over all versions."""
        return sum(version.stage.queue_size for version in self.versions())

    def problems(self) -> int:
        """Return how many versions are refused or astray, and one more for labels of no use."""
        return len(self.refused) + len(self.astray) + bool(self.complaint)

    def standings(self) -> list[Standing]:
        """Return what is to be said of every version: those that answer first."""
        lineup = self.lineup
        serving = [
            Standing(each.number, State.SERVING, label, lineup.share_of(each), each.stage.model)
            for label, each in lineup.by_label().items()
        ]
        draining = [
            Standing(each.number, State.DRAINING, model=each.stage.model) for each in self.draining
        ]
        loading = [Standing(each, State.LOADING, self._purpose(each)) for each in self.loading]
        refused = [
            Standing(each, State.REFUSED, self._purpose(each), reason=reason)
            for each, reason in (*self.refused.items(), *self.astray.items())
        ]
        return serving + draining + loading + refused

    def _purpose(self, number: int) -> Label | None:
        purposes = {version: label for label, version in self.wanted.by_label().items()}
        return purposes.get(number)

    def _draw(self, content: bytes, number: int) -> float:
        key = f"{self.name}/{number}".encode()
        digest = hashlib.blake2b(content[-_TAIL_BYTES:], digest_size=_HASH_BYTES, key=key).digest()
        return int.from_bytes(digest) / float(256**_HASH_BYTES)
