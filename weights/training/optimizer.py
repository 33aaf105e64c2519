"""The optimizer: AdamW with a warm start, a cosine, and averages beside the weights."""

from __future__ import annotations

import keras
from keras import ops

from weights.training.config import Config


class AveragingAdamW(keras.optimizers.AdamW):  # type: ignore[misc] # Keras ships no types
    """Keeps averages beside the weights and leaves the weights alone.

    Keras would put the averages in the weights' place whenever ``fit`` returns,
    which here is after every epoch: with a long memory, training would be thrown
    back to where the epoch began.
    """

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Change nothing."""


def build(config: Config) -> AveragingAdamW:
    """Return the optimizer of a run."""
    adam = AveragingAdamW(
        learning_rate(config),
        weight_decay=config.weight_decay,
        use_ema=True,
        ema_momentum=config.ema,
        clipnorm=1.0,
    )
    # Norms and biases have no size to keep small: only what they scale has.
    adam.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return adam


def learning_rate(config: Config) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rise for a moment, then fall along a half cosine to nearly nothing."""
    warmup = int(config.warmup_epochs * config.steps)
    return keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 20,
        decay_steps=max(1, config.epochs * config.steps - warmup),
        alpha=0.01,
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )


class Averaged:
    """Puts the averaged weights into the model for as long as the block runs."""

    def __init__(self, model: keras.Model) -> None:
        """Hold the model whose optimizer keeps the averages."""
        self.model = model
        # In half precision Keras wraps the optimizer in one that scales the loss.
        keeper = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        self.averages = keeper._model_variables_moving_average  # noqa: SLF001 - no public way

    def __enter__(self) -> None:
        """Swap the averages in."""
        variables = self.model.trainable_variables
        self.raw = [ops.convert_to_numpy(variable.value) for variable in variables]
        for variable, average in zip(variables, self.averages, strict=True):
            variable.assign(average)

    def __exit__(self, *_: object) -> None:
        """Swap the raw weights back."""
        for variable, raw in zip(self.model.trainable_variables, self.raw, strict=True):
            variable.assign(raw)
