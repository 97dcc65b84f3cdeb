"""The command layerglass."""

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from .cnn.types import PoolingMode
from .datasets.digits import DigitSet
from .hosting.redis_counts import RedisUnavailable, require_redis
from .hosting.resources import TooLittle, fit_connections, require_address_space
from .hosting.server import bind, describe_bind_error, run_server
from .library.files import EmptyLibrary, find_files
from .library.store import ObjectStore
from .library.uploads import StorageError
from .settings import Settings, describe_errors, describe_missing
from .temporary import PREFIX, TemporaryFolder, remove_leftovers

cli = typer.Typer(no_args_is_help=True, add_completion=False)

# The options of the training commands are in app.training, which loads TensorFlow: imported only when one is called.
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

_NO_STATE = (
    "Models of your own cannot be opened, since no folder for temporary files can be written to: {reason}. "
    "Name one in LAYERGLASS_STATE, and start again."
)
_FEWER_CONNECTIONS = (
    "At most {fitting:,} connections are held instead of {connections:,}, since this process may open few files. "
    "Raise the limit with `ulimit -n` for more."
)
_NO_RATE = (
    "LAYERGLASS_LIMITS counts nothing, since a server on a loopback address has no limit of its own. "
    "Set LAYERGLASS_REQUESTS_PER_MINUTE for one."
)


@cli.callback()
def main() -> None:
    """Draw a digit and see every layer of a convolutional network."""


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on. [default: 8000]", min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes answer. [default: 1]", min=1)] = None,
    models: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="A folder of your own models; repeatable."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A .keras, .h5, .hdf5 or .zip file of your own; repeatable."),
    ] = None,
    lessons: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="A folder of your own lessons; repeatable."),
    ] = None,
    pictures: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="A folder of your own pictures, for the atlas; repeatable."),
    ] = None,
) -> None:
    """Serve the app. Each option can also be set in the environment, as LAYERGLASS_PORT and so on."""
    options = {"host": host, "port": port, "workers": workers, "models": _join(models), "model": _join(model)}
    options |= {"lessons": _join(lessons), "pictures": _join(pictures)}
    for name, value in options.items():
        if value is not None:  # in the environment, worker processes see it too
            os.environ[f"LAYERGLASS_{name.upper()}"] = str(value)
    settings = _checked_settings()
    remove_leftovers()
    with _state_folder():
        _serve(settings)


def _checked_settings() -> Settings:
    """Return the settings, if a server can run with them and with what the system gives it. Raises: typer.Exit."""
    settings = _read_settings()
    if missing := describe_missing(settings):
        raise _refusal(*missing)
    try:
        require_address_space()
        fitting = fit_connections(settings.connections)
        if settings.limits:
            require_redis(str(settings.limits))
        if settings.store:
            ObjectStore(settings.store).try_out()
    except (TooLittle, RedisUnavailable, StorageError) as error:
        raise _refusal(str(error)) from None
    if fitting < settings.connections:
        typer.echo(_FEWER_CONNECTIONS.format(fitting=fitting, connections=settings.connections), err=True)
        os.environ["LAYERGLASS_CONNECTIONS"] = str(fitting)
    if settings.limits and not settings.rate_limit:
        typer.echo(_NO_RATE, err=True)
    return settings.model_copy(update={"connections": fitting})


def _read_settings() -> Settings:
    """Return the settings. Raises: typer.Exit."""
    try:
        return Settings()
    except ValidationError as error:
        raise _refusal(*describe_errors(error)) from None


def _refusal(*sentences: str) -> typer.Exit:
    """Say why the command does not start, a line each, and return its end."""
    for sentence in sentences:
        typer.echo(sentence, err=True)
    return typer.Exit(2)


def _join(paths: list[Path] | None) -> str | None:
    """Return absolute paths as one environment variable's value."""
    for path in paths or ():
        if os.pathsep in str(path):
            raise typer.BadParameter(f"{path} has a “{os.pathsep}” in it, which separates paths. Rename it.")
    return os.pathsep.join(str(path.absolute()) for path in paths) if paths else None


@contextmanager
def _state_folder() -> Iterator[None]:
    """Set LAYERGLASS_STATE to a temporary folder that all workers share, unless it names a folder already.

    Where it is a store's address, the folder is a copy of what is in the store.
    """
    named = os.environ.get("LAYERGLASS_STATE")
    if named is not None and "://" not in named:
        yield
        return
    if named is not None:
        os.environ["LAYERGLASS_STORE"] = named
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryFolder())
        except OSError as error:  # nothing can be written; built-in models do not need it
            typer.echo(_NO_STATE.format(reason=error.strerror), err=True)
            folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"{PREFIX}{secrets.token_hex(8)}")
        os.environ["LAYERGLASS_STATE"] = folder
        # uvicorn raises SIGTERM again once it has stopped: by default that ends the process, and the folder stays.
        previous_handler = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous_handler)
            del os.environ["LAYERGLASS_STATE"]
            if named is not None:
                os.environ["LAYERGLASS_STATE"] = named
                del os.environ["LAYERGLASS_STORE"]


def _serve(settings: Settings) -> None:
    if not find_files(settings.built_in_models, settings.models, settings.model):
        raise _refusal(str(EmptyLibrary(settings.built_in_models)))  # before a worker fails on it
    try:
        listener = bind(settings.host, settings.port)
    except OSError as error:
        raise _refusal(describe_bind_error(settings.host, settings.port, error)) from None
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    typer.echo(f"Loading the network that {address} opens with …")
    with listener:
        run_server(settings, listener)


@cli.command(context_settings=_PASS_ON, add_help_option=False)
def train(context: typer.Context) -> None:
    """Train the models in models/ on MNIST. See `layerglass train --help`."""
    from .training.command import train

    _run_command("layerglass train", train, context.args)


@cli.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's file, or the name of a built-in one.")],
    pooling: Annotated[
        PoolingMode | None, typer.Option(help="Replaces every pooling layer's mode. [default: as trained]")
    ] = None,
    invert: Annotated[bool, typer.Option("--invert", help="Swap ink and paper before the network.")] = False,
    digit_set: Annotated[
        DigitSet, typer.Option("--set", help="MNIST's 10,000 test digits, or 6,000 of its training digits.")
    ] = DigitSet.TEST,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many digits. [default: all]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as the API answers.")] = False,
    check_card: Annotated[
        bool,
        typer.Option("--check-card", help="Measure the card's figures again, with TensorFlow."),
    ] = False,
    mnist: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For --check-card: MNIST as an npz file, else it is downloaded.")
    ] = None,
    strokes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For --check-card: pen strokes by real writers, as JSON lines.")
    ] = None,
) -> None:
    """Run a model over real digits, which come with Layerglass: accuracy, calibration, confusion matrix."""
    if check_card:
        if pooling or invert or limit or as_json or digit_set is not DigitSet.TEST:
            raise typer.BadParameter("--check-card goes with --mnist and --strokes alone.")
        from .training.command import check_card as compare_card

        compare_card(Path(model), mnist, strokes)
        return
    if mnist or strokes:
        raise typer.BadParameter("--mnist and --strokes go with --check-card.")
    from .evaluation_command import describe, report_on  # here, since the server starts without it

    report = report_on(model, _read_settings(), pooling=pooling, invert=invert, digit_set=digit_set, count=limit)
    typer.echo(report.model_dump_json(indent=2) if as_json else describe(report))


@cli.command()
def experiment(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Left out, the experiments are listed.")] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="A model's file, or its name. [default: the one that the page opens with]"),
    ] = None,
    models: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="A folder of your own models; repeatable.")
    ] = None,
    digits: Annotated[int, typer.Option(help="How many of MNIST's 10,000 test digits, evenly spread.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as the API answers.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV, numbers in full.")] = False,
) -> None:
    """Measure a claim about networks on real digits. The same command gives the same numbers."""
    from .experiment_command import describe_all, run_experiment, write  # here, since the server starts without it

    if as_json and as_csv:
        raise typer.BadParameter("Choose --json or --csv.")
    if name is None:
        typer.echo(describe_all())
        return
    result = run_experiment(name, model, models or (), digits, _read_settings())
    typer.echo(write(result, as_json, as_csv))


@cli.command()
def maps(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's file, or the name of a built-in one.")],
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Pictures' files.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where a folder is made for each picture.")] = Path(
        "maps"
    ),
    pooling: Annotated[
        PoolingMode | None, typer.Option(help="Replaces every pooling layer's mode. [default: as trained]")
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER", help="A layer to draw; repeatable. [default: all convolutions and poolings]"),
    ] = None,
    zoom: Annotated[int, typer.Option(min=1, max=32, help="Pixels a cell, across and down.")] = 1,
) -> None:
    """Run a model on pictures: feature maps as PNG, all activations as NPZ, the answer as JSON."""
    from .maps_command import save_maps  # here, since the server starts without it

    for line in save_maps(model, pictures, out, pooling, layers or (), zoom):
        typer.echo(line)


@cli.command(context_settings=_PASS_ON, add_help_option=False)
def calibrate(context: typer.Context) -> None:
    """Fit how sure a model is, and what it does not know. See `layerglass calibrate --help`."""
    from .training.command import calibrate

    _run_command("layerglass calibrate", calibrate, context.args)


def _run_command(name: str, command: Callable[..., None], arguments: list[str]) -> None:
    app = typer.Typer(add_completion=False)
    app.command()(command)
    app(arguments, prog_name=name)
