"""``dermserve models``: what lies in the model folder."""

import typer

from services import environment
from services.inference import repository
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.onnx_model import ModelError, OnnxModel
from services.inference.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="What lies in the model folder.")

_CONTRACTS = {"segmenter": SegmenterContract.of, "classifier": ClassifierContract.of}


@app.command("list")
def list_models() -> None:
    """List the versions that would serve, with their hashes."""
    for name in _CONTRACTS:
        provenance = _loaded(name).provenance
        typer.echo(f"{name:<12}{provenance.version:<5}{provenance.sha256}")


@app.command()
def verify() -> None:
    """Check hash, contract and one run of every model that would serve."""
    for name, contract in _CONTRACTS.items():
        model = _loaded(name)
        try:
            contract(model)
            model.warm_up([1])
        except ModelError as error:
            _fail(error)
        typer.echo(f"{name} {model.provenance.version} {model.provenance.sha256} is sound")


def _loaded(name: str) -> OnnxModel:
    try:
        settings = environment.read(Settings)
        return OnnxModel.load(repository.latest(settings.model_dir, name), name, provider="cpu")
    except (environment.SettingsError, ModelError) as error:
        _fail(error)
        raise


def _fail(error: Exception) -> None:
    typer.echo(f"dermserve: {error}", err=True)
    raise typer.Exit(1) from error
