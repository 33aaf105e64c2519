"""Options are read the same way from the command line and from a recipe."""

from __future__ import annotations

import pytest

from tests.weights.training.tiny import PLAN
from weights.training import __main__ as command
from weights.training.config import Config, Phase, Run


def test_a_phase_is_read_from_the_command_line() -> None:
    args = command.parser().parse_args(
        ["classifier", "--run", "try", "--phases", "128x8", "192x4", "--freeze", "2"]
    )
    run = command.single_run(args)
    assert run.phases == (Phase(128, 8), Phase(192, 4))
    assert (run.name, run.task, run.start, run.freeze) == ("try", "classifier", "imagenet", 2)


def test_what_the_command_line_says_holds_for_every_run_of_a_recipe() -> None:
    args = command.parser().parse_args(
        ["recipe", "--preset", "full", "--batch", "256", "--precision", "mixed_bfloat16"]
    )
    runs = command.whole_recipe(args).run
    assert {(run.batch, run.precision) for run in runs} == {(256, "mixed_bfloat16")}
    assert [str(phase) for phase in runs[1].phases] == ["192x8", "224x3"]


def test_an_option_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="cut_mix"):
        Config(phases=(Phase(32, 1),), cut_mix=1.5)
    with pytest.raises(ValueError, match="not both"):
        Config(phases=(Phase(32, 1),), cut_mix=0.6, mix_up=0.6)


def test_the_report_fold_is_never_learnt_from() -> None:
    with pytest.raises(ValueError, match="only reported"):
        Config(phases=(Phase(32, 1),), folds=(0, 1, 2, 3, 4))


def test_who_learns_from_the_validation_fold_is_not_judged_by_it() -> None:
    assert PLAN.judged
    assert not Config(phases=(Phase(32, 1),), folds=(0, 1, 2, 3)).judged


def test_a_run_cannot_be_named_out_of_its_folder() -> None:
    with pytest.raises(ValueError, match="name"):
        Run(name="../elsewhere", task="classifier", phases=(Phase(32, 1),))


def test_pictures_grow_as_the_phases_say() -> None:
    assert [PLAN.size_of(epoch) for epoch in range(4)] == [16, 16, 32, 32]
