"""Train one model: ``python -m weights.train classifier|segmenter --run NAME``.

A run is a folder under ``weights/runs``: ``last.npz`` and ``progress.json`` (model
and optimizer after every epoch, from which an interrupted run goes on),
``best.weights.h5`` (averaged weights of the best epoch on the validation fold)
and ``history.csv``. Resolution rises in phases, given as ``SIZExEPOCHS``:
``--phases 128x8 192x4`` trains long on small pictures and finishes on large.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image

from weights import augment, calibrate, classifier, dataset, efficientnet_lite, metrics, segmenter

Loss = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
"""From targets and logits to a number."""

RUNS = Path(__file__).parent / "runs"
CACHE_SIZE = 224
VALIDATION_BATCH = 50


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training at one picture size."""

    size: int
    epochs: int

    @classmethod
    def parse(cls, text: str) -> Phase:
        """Read ``128x8`` as eight epochs at 128 pixels."""
        size, epochs = text.split("x")
        return cls(int(size), int(epochs))


@dataclass(frozen=True, slots=True)
class Config:
    """The hyper-parameters of one run."""

    phases: tuple[Phase, ...]
    batch: int = 32
    epoch_pictures: int = 8000
    learning_rate: float = 1e-3
    warmup_epochs: float = 0.5
    label_smoothing: float = 0.05
    ema: float = 0.995
    cut_mix: float = 0.0
    frozen_stages: int = 0
    crop_share: float = 0.12
    hand_drawn: float = 0.25
    seed: int = 7

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self.epoch_pictures // self.batch

    @property
    def epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)

    def size_of(self, epoch: int) -> int:
        """Return the picture size of ``epoch`` (counted from 0)."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase.size
            epoch -= phase.epochs
        return self.phases[-1].size


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """Random augmented batches of one epoch, the same again for the same epoch."""

    def __init__(self, config: Config, epoch: int) -> None:
        """Prepare the batches of ``epoch``; subclasses bring the pictures."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=12)
        self.config = config
        self.epoch = epoch
        self.size = config.size_of(epoch)

    def __len__(self) -> int:
        """Batches an epoch."""
        return self.config.steps

    def rng(self, index: int) -> np.random.Generator:
        """Return the source of chance of one batch."""
        return np.random.default_rng((self.config.seed, self.epoch, index))


@dataclass(frozen=True, slots=True)
class Pool:
    """Pictures in memory (uint8 NxSxSx3) and their places in `LABELS`."""

    images: np.ndarray
    targets: np.ndarray

    def draw(self, rng: np.random.Generator, label: int) -> np.ndarray:
        """Draw one picture of ``label``."""
        picture: np.ndarray = self.images[rng.choice(np.flatnonzero(self.targets == label))]
        return picture


class ClassifierBatches(Batches):
    """Labels are drawn by the square root of their number, then pictures.

    A small part comes from the centre crops, with the same share in every
    label: so neither the crops' look nor the frames' look tells the label.
    """

    def __init__(
        self, config: Config, epoch: int, frames: Pool, crops: Pool, shares: np.ndarray
    ) -> None:
        """Draw labels by ``shares`` (7 probabilities)."""
        super().__init__(config, epoch)
        self.frames, self.crops, self.shares = frames, crops, shares

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures (float32, 0..255) and targets (float32 Nx7)."""
        rng = self.rng(index)
        labels = rng.choice(len(self.shares), self.config.batch, p=self.shares)
        pools = [
            self.crops if rng.random() < self.config.crop_share else self.frames for _ in labels
        ]
        drawn = np.stack([pool.draw(rng, label) for pool, label in zip(pools, labels, strict=True)])
        images = augment.pictures(rng, drawn, self.size, augment.STRONG)
        targets = np.eye(len(self.shares), dtype=np.float32)[labels]
        if rng.random() < self.config.cut_mix:
            images, targets = augment.cut_mix(rng, images, targets)
        return images.astype(np.float32), targets


class SegmenterBatches(Batches):
    """Pictures and their masks, each drawn equally often."""

    def __init__(
        self,
        config: Config,
        epoch: int,
        images: np.ndarray,
        masks: np.ndarray,
        shares: np.ndarray,
    ) -> None:
        """Draw from ``images`` (NxSxSx3) and ``masks`` (NxSxS), both uint8, by ``shares``."""
        super().__init__(config, epoch)
        self.images, self.masks, self.shares = images, masks, shares

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures (float32, 0..255) and masks (float32, 0..1, NxSxSx1)."""
        rng = self.rng(index)
        chosen = rng.choice(len(self.images), self.config.batch, replace=False, p=self.shares)
        images, masks = augment.pairs(
            rng, self.images[chosen], self.masks[chosen], self.size, augment.STRONG
        )
        return images.astype(np.float32), masks[..., None].astype(np.float32) / 255


def label_shares(targets: np.ndarray) -> np.ndarray:
    """Return how often each label is drawn: by the square root of its number."""
    counts = np.bincount(targets, minlength=len(classifier.LABELS))
    shares: np.ndarray = np.sqrt(counts)
    shares /= shares.sum()
    return shares


def adjusted_cross_entropy(shares: np.ndarray, smoothing: float) -> Loss:
    """Cross-entropy that adds the log of each label's share to its logit.

    The network then need not learn how common a label is, and its own logits
    favour none (Menon et al., logit adjustment, arXiv:2007.07314).
    """
    log_shares = np.log(shares).astype(np.float32)
    inner = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)

    def loss(targets: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        return inner(targets, logits + log_shares)

    return loss


def overlap_loss(masks: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Binary cross-entropy plus soft Dice loss, averaged over the batch."""
    entropy = ops.mean(ops.binary_crossentropy(masks, logits, from_logits=True))
    inside = ops.sigmoid(logits)
    both = ops.sum(inside * masks, axis=(1, 2, 3))
    sizes = ops.sum(inside, axis=(1, 2, 3)) + ops.sum(masks, axis=(1, 2, 3))
    return entropy + ops.mean(1 - (2 * both + 1) / (sizes + 1))


def predict(model: keras.Model, images: np.ndarray, size: int) -> np.ndarray:
    """Run uint8 pictures through ``model`` at ``size``; return its logits."""
    answers = []
    for start in range(0, len(images), VALIDATION_BATCH):
        chunk = images[start : start + VALIDATION_BATCH]
        if size != chunk.shape[1]:
            chunk = np.stack([_shrink(image, size) for image in chunk])
        answers.append(model.predict_on_batch(chunk.astype(np.float32)))
    return np.concatenate(answers)


def _shrink(image: np.ndarray, size: int) -> np.ndarray:
    return dataset.resize(Image.fromarray(image), size)


class Task:
    """What differs between training the classifier and the segmenter."""

    def __init__(self, config: Config, data: Path) -> None:
        """Read the pictures of folds 0 to 3 (and ISIC 2017) into memory."""
        self.config, self.data = config, data

    def model(self) -> keras.Model:
        """Build the network for any picture size, from ImageNet weights."""
        raise NotImplementedError

    def loss(self) -> Loss:
        """Return the loss on logits."""
        raise NotImplementedError

    def batches(self, epoch: int) -> Batches:
        """Return the batches of one epoch."""
        raise NotImplementedError

    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        """Return figures on the validation fold; the first is to be raised."""
        raise NotImplementedError


class ClassifierTask(Task):
    """Seven labels, judged by balanced accuracy."""

    def __init__(self, config: Config, data: Path) -> None:
        """Read frames and centre crops."""
        super().__init__(config, data)
        training = dataset.training(data)
        cropped = [p for p in training if p.has_centercrop]
        validation = dataset.ham10000(data, [dataset.VALIDATION_FOLD])
        self.frames = Pool(dataset.images(data, training, CACHE_SIZE), dataset.targets(training))
        self.crops = Pool(dataset.center_crops(data, cropped, CACHE_SIZE), dataset.targets(cropped))
        self.validation = Pool(
            dataset.images(data, validation, CACHE_SIZE), dataset.targets(validation)
        )
        self.shares = label_shares(self.frames.targets)

    def model(self) -> keras.Model:
        """Build the classifier."""
        return classifier.build(None)

    def loss(self) -> Loss:
        """Return the logit-adjusted cross-entropy."""
        return adjusted_cross_entropy(self.shares, self.config.label_smoothing)

    def batches(self, epoch: int) -> Batches:
        """Return an epoch of label-balanced batches."""
        return ClassifierBatches(self.config, epoch, self.frames, self.crops, self.shares)

    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        """Return balanced accuracy and macro AUC on fold 3."""
        logits, targets = predict(model, self.validation.images, size), self.validation.targets
        return {
            "balanced_accuracy": metrics.balanced_accuracy(targets, logits.argmax(axis=1)),
            "macro_auc": metrics.macro_auc(targets, calibrate.softmax(logits)),
        }


class SegmenterTask(Task):
    """One mask, judged by mean Dice."""

    def __init__(self, config: Config, data: Path) -> None:
        """Read pictures and masks, those with a suspect mask left out."""
        super().__init__(config, data)
        training = [p for p in dataset.training(data) if not p.mask_suspect]
        validation = [
            p for p in dataset.ham10000(data, [dataset.VALIDATION_FOLD]) if not p.mask_suspect
        ][::2]
        by_hand = np.array([p.fold is None for p in training])
        share = config.hand_drawn
        self.shares = np.where(by_hand, share / by_hand.sum(), (1 - share) / (~by_hand).sum())
        self.images = dataset.images(data, training, CACHE_SIZE)
        self.masks = dataset.masks(data, training, CACHE_SIZE)
        self.validation = validation
        self.validation_images = dataset.images(data, validation, CACHE_SIZE)

    def model(self) -> keras.Model:
        """Build the segmenter."""
        return segmenter.build(None)

    def loss(self) -> Loss:
        """Return cross-entropy plus Dice."""
        return overlap_loss

    def batches(self, epoch: int) -> Batches:
        """Return an epoch of pictures with masks."""
        return SegmenterBatches(self.config, epoch, self.images, self.masks, self.shares)

    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        """Return the mean Dice on every second picture of fold 3."""
        logits = predict(model, self.validation_images, size)[..., 0]
        masks = dataset.masks(self.data, self.validation, size)
        overlap = metrics.jaccard(masks > dataset.MIDDLE, logits > 0)
        return {
            "thresholded_jaccard": float(np.where(overlap < 0.65, 0, overlap).mean()),
            "mean_jaccard": float(overlap.mean()),
        }


TASKS: dict[str, type[Task]] = {"classifier": ClassifierTask, "segmenter": SegmenterTask}


def learning_rate(config: Config) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rise for a moment, then fall along a half cosine to nearly nothing."""
    warmup = int(config.warmup_epochs * config.steps)
    return keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 20,
        decay_steps=config.epochs * config.steps - warmup,
        alpha=0.01,
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )


class AveragingAdamW(keras.optimizers.AdamW):  # type: ignore[misc] # Keras ships no types
    """Keeps averages beside the weights and leaves the weights alone.

    Keras would put the averages in the weights' place whenever ``fit`` returns,
    which here is after every epoch: with a long memory, training would be thrown
    back to where the epoch began.
    """

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Change nothing."""


def trainable(task: Task, start: Path | None) -> keras.Model:
    """Build the network with logits as its only output, pretrained and compiled.

    ``start`` holds ImageNet's tensors (``.npz``) or an earlier run's weights
    (``.h5``); without it the weights are random.
    """
    full = task.model()
    model = keras.Model(full.input, full.output["logits"], name=full.name)
    if start is not None and start.suffix == ".npz":
        efficientnet_lite.load_imagenet(full, start)
    elif start is not None:
        model.load_weights(start)
    # The first stages see the largest maps: leaving them as they are saves
    # nearly half the time, and edges and colours are much the same everywhere.
    for layer in efficientnet_lite.first_layers(model, task.config.frozen_stages):
        layer.trainable = False
    optimizer = AveragingAdamW(
        learning_rate(task.config),
        weight_decay=1e-4,
        use_ema=True,
        ema_momentum=task.config.ema,
        clipnorm=1.0,
    )
    model.compile(optimizer, task.loss(), jit_compile=False)
    return model


class Averaged:
    """Puts the averaged weights into the model for as long as the block runs."""

    def __init__(self, model: keras.Model) -> None:
        """Hold the model whose optimizer keeps the averages."""
        self.model = model

    def __enter__(self) -> None:
        """Swap the averages in."""
        self.raw = [
            ops.convert_to_numpy(variable.value) for variable in self.model.trainable_variables
        ]
        averages = self.model.optimizer._model_variables_moving_average  # noqa: SLF001
        for variable, average in zip(self.model.trainable_variables, averages, strict=True):
            variable.assign(average)

    def __exit__(self, *_: object) -> None:
        """Swap the raw weights back."""
        for variable, raw in zip(self.model.trainable_variables, self.raw, strict=True):
            variable.assign(raw)


@dataclass(slots=True)
class Progress:
    """Where a run stands; written beside its weights."""

    epoch: int = 0
    best: float = 0.0
    best_epoch: int = -1


def run(task: Task, folder: Path, start: Path | None, *, minutes: float, patience: int) -> None:
    """Train until the phases end, the time is up or nothing improves.

    A folder that holds a checkpoint is gone on with. Time is looked at between
    epochs, so the last one may overrun it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * minutes
    progress = Progress()
    model = trainable(task, start)
    state = folder / "progress.json"
    if state.exists():
        progress = Progress(**json.loads(state.read_text(encoding="utf-8")))
        _load_checkpoint(model, folder / "last.npz")
    while progress.epoch < task.config.epochs and time.monotonic() < deadline:
        _epoch(task, model, folder, progress)
        _save_checkpoint(model, folder / "last.npz")
        state.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        if progress.epoch - progress.best_epoch > patience:
            break


def _epoch(task: Task, model: keras.Model, folder: Path, progress: Progress) -> None:
    """Train one epoch, judge the averaged weights, keep them if they are best."""
    started = time.monotonic()
    size = task.config.size_of(progress.epoch)
    grown = progress.epoch > 0 and size > task.config.size_of(progress.epoch - 1)
    if grown:
        # Traced for two sizes, TensorFlow's functions would take either as
        # unknown, which upsampling cannot use: each size gets its own.
        model.make_train_function(force=True)
        model.make_predict_function(force=True)
    history = model.fit(task.batches(progress.epoch), verbose=2, epochs=1, shuffle=False)
    trained = time.monotonic()
    with Averaged(model):
        scores = task.score(model, size)
        score = next(iter(scores.values()))
        # A larger size is a better judge: its first epoch always takes over.
        if score > progress.best or grown:
            progress.best, progress.best_epoch = score, progress.epoch
            model.save_weights(folder / "best.weights.h5")
    row = {
        "epoch": progress.epoch,
        "size": size,
        "loss": round(history.history["loss"][-1], 4),
        **{name: round(figure, 4) for name, figure in scores.items()},
        "train_seconds": round(trained - started),
        "score_seconds": round(time.monotonic() - trained),
    }
    _append(folder / "history.csv", row)
    print(row, flush=True)
    progress.epoch += 1


def _append(table: Path, row: dict[str, object]) -> None:
    fresh = not table.exists()
    with table.open("a", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, row)
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def _save_checkpoint(model: keras.Model, path: Path) -> None:
    """Write weights and optimizer state; a half-written file never has the name."""
    variables = [*model.variables, *model.optimizer.variables]
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, *[ops.convert_to_numpy(variable.value) for variable in variables])
    partial.replace(path)


def _load_checkpoint(model: keras.Model, path: Path) -> None:
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    with np.load(path) as arrays:
        for variable, name in zip(variables, arrays.files, strict=True):
            variable.assign(arrays[name])


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m weights.train")
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--run", required=True, help="folder under weights/runs")
    parser.add_argument("--data", type=Path, default=dataset.data_folder())
    parser.add_argument("--phases", nargs="+", type=Phase.parse, required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epoch-pictures", type=int, default=8000)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--cut-mix", type=float, default=0.0, help="share of batches mixed")
    parser.add_argument("--ema", type=float, default=0.995, help="memory of the averaged weights")
    parser.add_argument("--hand-drawn", type=float, default=0.25, help="share of ISIC 2017 masks")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", type=Path, help="weights to begin with (default: ImageNet's)")
    parser.add_argument("--freeze", type=int, default=0, help="leave the first stages as they are")
    parser.add_argument("--minutes", type=float, default=120, help="stop after this long")
    parser.add_argument("--patience", type=int, default=6, help="epochs without gain to accept")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(argv)


def main() -> None:
    """Train from the command line."""
    args = arguments()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415 - only this backend has it

        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(7)
    config = Config(
        phases=tuple(args.phases),
        batch=args.batch,
        epoch_pictures=args.epoch_pictures,
        learning_rate=args.learning_rate,
        cut_mix=args.cut_mix,
        ema=args.ema,
        hand_drawn=args.hand_drawn,
        seed=args.seed,
        frozen_stages=args.freeze,
    )
    task = TASKS[args.task](config, args.data)
    start = args.start or args.data / "efficientnet_lite0_imagenet.npz"
    run(task, RUNS / args.run, start, minutes=args.minutes, patience=args.patience)


if __name__ == "__main__":
    main()
