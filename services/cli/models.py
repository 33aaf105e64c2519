"""``dermserve models``: what lies in the model folder, and which version answers."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services import environment
from services.inference import contract, labels, repository
from services.inference.labels import Label, Labels
from services.inference.model_file import ModelError, verified
from services.inference.onnx_model import OnnxModel
from services.inference.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What lies in the model folder, and answers."
)

Name = Annotated[str, typer.Argument(help="segmenter or classifier.")]


@app.command("list")
def list_models() -> None:
    """List the versions with their labels and hashes."""
    with _told():
        model_dir = _model_dir()
        for name in contract.CONTRACTS:
            given = repository.labelled(model_dir, name)
            for number in sorted(
                {*repository.numbers(model_dir, name), *given.by_label().values()}
            ):
                purpose = _purpose(given, number)
                typer.echo(f"{name:<12}{number:<5}{purpose:<14}{_hash(model_dir, name, number)}")


@app.command()
def verify() -> None:
    """Check hash, contract and one run of every version that has a label."""
    with _told():
        model_dir = _model_dir()
        for name in contract.CONTRACTS:
            for label, number in repository.labelled(model_dir, name).by_label().items():
                sha256 = _sound(model_dir, name, number)
                typer.echo(f"{name} {number} ({label}) {sha256} is sound")


@app.command()
def label(
    name: Name,
    label: Annotated[Label, typer.Argument(help="What the version is to be.")],
    version: Annotated[int | None, typer.Argument(help="Its number.", min=0)] = None,
    share: Annotated[
        float | None,
        typer.Option(help="Of the pictures, more than 0 and less than 1, for a canary."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the label away.")] = False,
    check: Annotated[bool, typer.Option(help="Verify the version before it is labelled.")] = True,
) -> None:
    """Say which version answers (stable), answers a share (canary) or is compared (shadow).

    A running service follows within a few seconds.
    """
    if clear == (version is not None):
        raise typer.BadParameter("name a version, or clear the label")
    if (share is not None) != (label is Label.CANARY and not clear):
        raise typer.BadParameter("a canary needs a --share, and nothing else has one")
    if name not in contract.CONTRACTS:
        raise typer.BadParameter(f"{name} is none of {', '.join(contract.CONTRACTS)}")
    with _told():
        model_dir = _model_dir()
        given = repository.labelled(model_dir, name)
        if version is None:
            given = given.cleared(label)
        else:
            given = given.moved(label, version, share)
            if check:
                _sound(model_dir, name, version)
        labels.write(model_dir / name, given)
        typer.echo(f"{name}: {_summary(given)}")


def _model_dir() -> Path:
    return environment.read(Settings).model_dir


def _sound(model_dir: Path, name: str, number: int) -> str:
    """Return the hash of a version that is what it should be."""
    model = OnnxModel.load(model_dir / name / str(number), name)
    contract.try_out(model, contract.CONTRACTS[name](model))
    return model.provenance.sha256


def _hash(model_dir: Path, name: str, number: int) -> str:
    try:
        content = verified(model_dir / name / str(number) / "model.onnx")
    except ModelError as error:
        return str(error)
    return hashlib.sha256(content).hexdigest()


def _purpose(given: Labels, number: int) -> str:
    purposes = {version: label for label, version in given.by_label().items()}
    purpose = purposes.get(number)
    if purpose is Label.CANARY and given.canary:
        return f"{purpose} {given.canary.share:.1%}"
    return purpose or "-"


def _summary(given: Labels) -> str:
    return ", ".join(
        f"version {number} is {_purpose(given, number)}" for number in given.by_label().values()
    )


@contextmanager
def _told() -> Iterator[None]:
    """End with a sentence where the settings, the labels or a model are wrong."""
    try:
        yield
    except (environment.SettingsError, ModelError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error
