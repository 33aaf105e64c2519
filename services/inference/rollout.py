"""Brings a slot to what its labels say, while it serves: load beside, swap, drain.

A version takes traffic only when it is loaded, verified and warm. One that cannot be leaves
everything as it is: a new stable version does not replace the old one, a canary or shadow does
not begin. What was tried is tried again when something in the model's folder has changed. What
serves stays as it was loaded, whatever becomes of its files; that they are others is said.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic

from services import telemetry
from services.inference.labels import Label, Labels
from services.inference.metrics import Metrics
from services.inference.model_file import ModelError
from services.inference.repository import Sight
from services.inference.slot import Lineup, Slot
from services.inference.version import Contract, Version

_log = telemetry.logger(__name__)


class Rollout(Generic[Contract]):
    """Follows the labels of one model."""

    def __init__(
        self,
        slot: Slot[Contract],
        look: Callable[[], Awaitable[Sight]],
        load: Callable[[int], Awaitable[Version[Contract]]],
        check: Callable[[Version[Contract]], Awaitable[None]],
        metrics: Metrics,
    ) -> None:
        """Begin with what the slot has.

        Args:
            slot: whose lineup is kept as the labels say.
            look: says what is to be seen of the model now; raises ``ModelError``.
            load: loads, verifies and warms a version; raises ``ModelError``.
            check: sees that a version still lies on disk as it was loaded; raises ``ModelError``.
            metrics: where it is shown who answers.

        """
        self._metrics = metrics
        self._slot = slot
        self._look = look
        self._load = load
        self._check = check
        self._seen: Sight | str | None = None
        self._done: Sight | str | None = None
        self._watching: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    async def begin(self, period_s: float) -> None:
        """Act on what is to be seen now, then look again and again until closed.

        Args:
            period_s: seconds between two looks; 0 for never again.

        """
        self._seen = await self._see()
        await self._act(self._seen)
        if period_s:
            self._watching = asyncio.create_task(self._watch(period_s))

    async def close(self) -> None:
        """Run what waits in every version, then stop; requests that come now are refused."""
        ending = [*self._retiring, *([self._watching] if self._watching else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for version in list(self._slot.versions()):
            await version.stage.close()

    async def _watch(self, period_s: float) -> None:
        while True:
            await asyncio.sleep(period_s)
            try:
                await self._follow()
            except Exception:  # noqa: BLE001 - logged in full
                # The next look may do better; what serves goes on serving.
                _log.exception("labels could not be followed", model=self._slot.name)

    async def _follow(self) -> None:
        """Look once, and act on what has changed and is the same as at the last look.

        What changes from look to look is still being written.
        """
        seen = await self._see()
        settled, self._seen = seen == self._seen, seen
        if settled and seen != self._done:
            await self._act(seen)

    async def _see(self) -> Sight | str:
        try:
            return await self._look()
        except ModelError as error:
            return str(error)

    async def _act(self, seen: Sight | str) -> None:
        before, self._done = self._done, seen
        if isinstance(seen, str):
            self._slot.complaint = seen
            _log.error("labels refused", model=self._slot.name, reason=seen)
            return
        self._slot.complaint = ""
        self._slot.wanted = seen.labels
        self._slot.refused.clear()
        loaded = await self._loaded(seen.labels)
        self._line_up(seen.labels, loaded)
        # Last, as it may take long where files come over a network; what was just read is there.
        if before is not None and (isinstance(before, str) or before.files != seen.files):
            self._slot.astray = await self._astray()

    async def _loaded(self, labels: Labels) -> dict[int, Version[Contract]]:
        """Return the labelled versions by number, without those that cannot serve."""
        at_hand = {each.number: each for each in self._slot.lineup.by_label().values()}
        for number in labels.by_label().values():
            if number not in at_hand and (version := await self._try(number)):
                at_hand[number] = version
        return at_hand

    async def _astray(self) -> dict[int, str]:
        """Return why a service that starts would not have a version that serves, by version."""
        found = {}
        for version in self._slot.lineup.by_label().values():
            try:
                await self._check(version)
            except ModelError as error:
                name, number = self._slot.name, version.number
                here = "this service serves on as it was loaded; one that starts would not have it"
                found[number] = f"{here}: {error}"
                _log.error("model version astray", model=name, version=number, reason=str(error))
            except Exception:  # noqa: BLE001 - logged in full; it serves, whatever this was
                _log.exception("model version could not be checked", model=self._slot.name)
        return found

    async def _try(self, number: int) -> Version[Contract] | None:
        self._slot.loading.add(number)
        try:
            return await self._load(number)
        except ModelError as error:
            self._refuse(number, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the others go on
            _log.exception("model version could not be loaded", model=self._slot.name)
            self._refuse(number, f"it could not be loaded ({type(error).__name__})")
        finally:
            self._slot.loading.discard(number)
        return None

    def _refuse(self, number: int, reason: str) -> None:
        self._slot.refused[number] = reason
        _log.error("model version refused", model=self._slot.name, version=number, reason=reason)

    def _line_up(self, labels: Labels, at_hand: dict[int, Version[Contract]]) -> None:
        slot = self._slot
        wanted = {label: at_hand.get(number) for label, number in labels.by_label().items()}
        stable = wanted.get(Label.STABLE) or slot.lineup.stable
        canary, shadow = (
            None if (version := wanted.get(label)) is stable else version
            for label in (Label.CANARY, Label.SHADOW)
        )
        share = labels.canary.share if canary and labels.canary else 0.0
        before = set(slot.versions())
        slot.lineup = Lineup(stable, canary, share, shadow)
        for version in before - set(slot.lineup.by_label().values()) - slot.draining:
            self._retire(version)
        self._show()
        _log.info(
            "models lined up",
            model=slot.name,
            **{label.value: version.number for label, version in slot.lineup.by_label().items()},
        )

    def _retire(self, version: Version[Contract]) -> None:
        self._slot.draining.add(version)

        async def retire() -> None:
            await version.retire()
            self._slot.draining.discard(version)
            self._show()
            _log.info("model version closed", model=self._slot.name, version=version.number)

        task = asyncio.create_task(retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def _show(self) -> None:
        slot = self._slot
        # Those on their way out come first: one that was called back may be among them.
        versions = (*slot.draining, *slot.lineup.by_label().values())
        shares = {each.stage.model.provenance: slot.lineup.share_of(each) for each in versions}
        self._metrics.models_serve(slot.name, shares)
