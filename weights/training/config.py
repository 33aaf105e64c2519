"""What a run is told: one list of options for the command line and the recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from weights import dataset, efficientnet_lite

IMAGENET, RANDOM = "imagenet", "random"
"""What `Run.start` may say beside a run's name and a file's path."""

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training at one picture size."""

    size: int
    epochs: int

    @classmethod
    def parse(cls, text: str) -> Phase:
        """Read ``128x8`` as eight epochs at 128 pixels; else raise ``ValueError``."""
        size, epochs = text.split("x")
        return cls(int(size), int(epochs))

    def __str__(self) -> str:
        return f"{self.size}x{self.epochs}"


_PhaseText = Annotated[
    Phase,
    BeforeValidator(lambda value: Phase.parse(value) if isinstance(value, str) else value),
    PlainSerializer(str),
]


class Config(BaseModel):
    """The hyper-parameters of one run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phases: tuple[_PhaseText, ...] = Field(min_length=1, description="SIZExEPOCHS, one by one")
    batch: int = Field(32, gt=0, description="pictures a step")
    epoch_pictures: int = Field(8000, gt=0, description="pictures an epoch")
    backbone: efficientnet_lite.Name = Field("lite0", description="which EfficientNet-Lite")
    learning_rate: float = Field(1e-3, gt=0, description="its highest value")
    warmup_epochs: float = Field(0.5, ge=0, description="epochs until that value is reached")
    weight_decay: float = Field(
        1e-4, ge=0, description="of kernels: each step takes so much times the learning rate"
    )
    ema: Share = Field(0.995, description="memory of the averaged weights")
    label_smoothing: Share = Field(0.05, description="share of a target given to every label")
    freeze: int = Field(0, ge=0, description="leave so many first stages as they are")
    frozen_norms: bool = Field(default=False, description="leave all batch norms as they are")
    cut_mix: Share = Field(0.0, description="share of batches cut and pasted")
    mix_up: Share = Field(0.0, description="share of batches blended in pairs")
    hair: Share = Field(0.0, description="share of pictures that get hairs drawn on them")
    ruler: Share = Field(0.0, description="share of pictures that get a ruler drawn on them")
    balance: Share = Field(0.5, description="labels are drawn by their number to this power")
    crop_share: Share = Field(0.12, description="share of centre crops")
    hand_drawn: Share = Field(0.25, description="share of ISIC 2017 masks")
    folds: tuple[int, ...] = Field(dataset.TRAINING_FOLDS, description="folds to learn from")
    teachers: tuple[str, ...] = Field((), description="runs or weights files to learn from")
    distill: Share = Field(0.5, description="share of the teachers' word in a target")
    teacher_backbone: efficientnet_lite.Name = Field("lite0", description="which the teachers have")
    teacher_size: int = Field(224, gt=0, description="pixels a side that the teachers see")
    one_teacher: bool = Field(default=False, description="ask one a batch, by chance, not all")
    teacher_temperature: float = Field(1.0, gt=0, description="softens the teachers' word")
    patience: int = Field(6, ge=0, description="epochs without gain to accept")
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="float32, or one of the mixed policies on a GPU"
    )
    seed: int = Field(7, description="the source of all chance")
    eager: bool = Field(default=False, description="compile nothing: quick for a handful of steps")
    workers: int = Field(2, gt=0, description="threads that prepare pictures")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if dataset.REPORT_FOLD in self.folds:
            raise ValueError(f"fold {dataset.REPORT_FOLD} is only reported, never learnt from")
        if self.cut_mix + self.mix_up > 1:
            raise ValueError("a batch is cut or blended, not both: the shares exceed 1")
        return self

    @property
    def architecture(self) -> efficientnet_lite.Architecture:
        """The backbone that `backbone` names."""
        return efficientnet_lite.ARCHITECTURES[self.backbone]

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return max(1, self.epoch_pictures // self.batch)

    @property
    def epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def judged(self) -> bool:
        """Whether the validation fold is unknown to the run and may judge it."""
        return dataset.VALIDATION_FOLD not in self.folds

    def size_of(self, epoch: int) -> int:
        """Return the picture size of ``epoch`` (counted from 0)."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase.size
            epoch -= phase.epochs
        return self.phases[-1].size


class Run(Config):
    """A run: what it is called, what it trains, and what it begins with."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="folder under weights/runs")
    task: Literal["classifier", "segmenter"] = Field(description="which network")
    start: str = Field(IMAGENET, description="imagenet, random, a run's name or a weights file")

    @model_validator(mode="after")
    def _check_task(self) -> Self:
        if self.task == "segmenter" and self.backbone != "lite0":
            raise ValueError("the segmenter's encoder is lite0")
        return self
