"""The console script `deepfn`: the study for people with their own data, machines or patience."""

import signal
import sys
import time
from pathlib import Path

import click

from ..arms import NORMALISER
from ..artefacts import Store, project_root
from ..device import NOT_COUNTED
from ..errors import StudyError
from ..settings import absolute


def _once(context, option, pairs) -> dict[str, str]:
    """Names with their values. Raises StudyError for a name that is given twice."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"parameter {name!r} is given twice; give it once")
    return dict(pairs)


def _path(context, option, value) -> str:
    """A path as it is from here, `~` too. Raises StudyError for what is none."""
    try:
        return absolute(value)
    except ValueError as problem:
        raise StudyError(f"{option.opts[0]} {value!r} is no path: {problem}") from None


def _place(*names: str, **more):
    """An option that names a folder or a file."""
    return click.option(*names, default="", callback=_path, **{"metavar": "DIR", **more})


PROFILE = click.option(
    "--profile", default="quick", show_default=True, help="smoke, quick, overnight or paper (chapters/profiles.yml)"
)
PARAMETERS = click.option(
    "-p",
    "parameters",
    nargs=2,
    multiple=True,
    callback=_once,
    metavar="NAME VALUE",
    help="a setting or a chapter's own parameter",
)
ARTEFACTS = _place("--artefacts", help="artefact folder (default: DEEPFN_ARTEFACTS, or artefacts/)")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def deepfn():
    """The DeepFN study: render the data, run the chapters, build the book."""


@deepfn.command()
@PROFILE
@PARAMETERS
@ARTEFACTS
def render(profile, parameters, artefacts):
    """Write the two rendered corpora, with the exact answers, and say where they are."""
    study = _opened(profile, parameters, artefacts)
    if study.settings.bp4d or study.settings.disfa:
        raise StudyError("render writes rendered corpora; leave out the settings bp4d and disfa")
    for name, folder in study.corpora.roots.items():
        click.echo(f"{name}: {folder}")


@deepfn.command()
@_place("--bp4d", help="folder of BP4D")
@_place("--disfa", help="folder of DISFA")
@_place("--groups", metavar="CSV", help="participant, gender, skin_group")
@_place("--faces", help="a faces artefact, for detection failures by group")
@click.option("--sample", default=0, metavar="N", help="detect faces in N sampled frames of each dataset")
@_place("--out", help="save the reports here")
def check(bp4d, disfa, groups, faces, sample, out):
    """Say what is in licensed folders and whether it is whole; the exit code says whether it can be used."""
    from .check.folders import run_check

    sys.exit(run_check(bp4d, disfa, out, groups=groups, faces=faces, sample=sample))


@deepfn.command()
@PROFILE
@click.option("--chapter", "chapters", multiple=True, metavar="C", help="a chapter's number or name; may be repeated")
@PARAMETERS
@_place("--bp4d", help="folder of the licensed BP4D")
@_place("--disfa", help="folder of the licensed DISFA")
@click.option("--cluster", default="", metavar="WHERE", help="local, slurm or a Dask scheduler's address")
@click.option("--limit", default=None, type=float, metavar="MINUTES", help="time limit of each chapter")
@click.option("--again", is_flag=True, help="execute chapters even where nothing changed")
@ARTEFACTS
def run(profile, chapters, parameters, bp4d, disfa, cluster, limit, again, artefacts):
    """Execute chapters with papermill; what is finished is never computed again."""
    from .runner import failures, run_chapters

    values = dict(parameters)
    for name, value in (("bp4d", bp4d), ("disfa", disfa)):
        if value:
            values[name] = value
    if cluster:
        values["cluster"] = cluster
    store = Store(artefacts)
    if NOT_COUNTED:
        click.echo(f"settings of other programs do not count here: {', '.join(sorted(NOT_COUNTED))}", err=True)
    began = time.monotonic()
    runs = run_chapters(profile, values, chapters, store, limit_minutes=limit, again=again)
    for one in runs:
        if one.error:
            click.echo(f"{one.name}: {one.error}", err=True)
    if failures(runs):
        raise StudyError(failures(runs))
    from .screen import clock

    click.echo(f"{len(runs)} chapters in {clock(time.monotonic() - began)}; artefacts in {store.root}")


@deepfn.command()
@click.option("--partial", is_flag=True, help="leave out chapters that were not executed")
@_place("--output", help="build below this folder")
def book(partial, output):
    """Build the book from the executed chapters, offline and strict, and say where it is."""
    from .book import build_book

    click.echo(f"the book: {build_book(output=Path(output) if output else None, partial=partial)}")


@deepfn.command()
@PROFILE
@click.option("--arm", default=NORMALISER, show_default=True, help="one of deepfn_lib/arms.yml")
@PARAMETERS
@ARTEFACTS
@click.argument("path", metavar="FILE.npz")
def export(profile, arm, parameters, artefacts, path):
    """Write an arm's faces to a file, if everybody in them may be shown."""
    from .exports import export_arm

    click.echo(f"exported: {export_arm(_opened(profile, parameters, artefacts), arm, path)}")


@deepfn.command()
@click.option("--verify", is_flag=True, help="compare the contents of every file with its digest")
@ARTEFACTS
def status(verify, artefacts):
    """What artefacts there are: age, cost, size and digest; a damaged one is named and makes the exit code 2."""
    store, damaged = Store(artefacts), 0
    cards = store.cards()
    if not cards:
        click.echo(f"nothing in {store.root} yet; `deepfn run` makes everything")
    for folder, card in cards:
        name = f"{folder.parent.name}/{folder.name}"
        try:
            card = store.check(folder, contents=verify)
        except StudyError as problem:
            damaged += 1
            click.echo(f"DAMAGED {problem}")
            continue
        size = sum(entry["bytes"] for entry in card["files"].values())
        age = time.time() - (folder / "card.json").stat().st_mtime
        click.echo(f"{name:50} {age / 3600:7.1f} h old {card['seconds']:9.1f} s {size / 2**20:9.1f} MiB")
    for partial in sorted(store.root.glob("*/*.partial")):
        click.echo(f"{partial.parent.name}/{partial.stem}: unfinished; the next run goes on from it")
    if damaged:
        raise StudyError(f"{damaged} damaged artefacts; delete the folders named above and run again")


@deepfn.command()
@PROFILE
def settings(profile):
    """All settings: their value under a profile, and what they mean."""
    from ..settings import Settings, load_settings

    values = load_settings(profile)
    for name, field in Settings.model_fields.items():
        click.echo(f"{name:24} {getattr(values, name)!r:44} {field.description}")


@deepfn.command()
@click.option("--only", multiple=True, metavar="NAME", help="measure only these")
@ARTEFACTS
def bench(only, artefacts):
    """Measure speeds as ratios, in turn, in one run; writes bench.json into the artefact folder."""
    from .bench.measures import run_bench

    results = run_bench(Store(artefacts), only)
    for name, entry in results.items():
        spread = f"({entry['low']:.3g} to {entry['high']:.3g}, n={entry['n']})"
        click.echo(f"{name:40} {entry['value']:10.3g} {entry['unit']} {spread}")


@deepfn.command()
@click.option("--only", multiple=True, metavar="NAME", help="score only these; lines of the others stay")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="only these: person, people, gender, skin, dataset"
)
@click.option("--part", "parts", multiple=True, metavar="NAME", help="only scores, curve, sensitivity or courses")
@click.option("--again", is_flag=True, help="make anew what is in the tables, too")
@_place("--ict-facekit", help="a checkout of ICT-FaceKit: the tables on faces from scans instead")
@ARTEFACTS
def reference(only, families, parts, again, ict_facekit, artefacts):
    """Go on with the reference run's small tables (data_manifests/reference); hours, and it can be interrupted."""
    from .reference import PARTS, run_reference, run_scans

    store = Store(artefacts)
    if ict_facekit:
        folder = run_scans(store, ict_facekit, only)
    else:
        folder = run_reference(store, only, families, parts or PARTS, again)
    click.echo(f"the reference tables: {folder}")


@deepfn.command()
@ARTEFACTS
@click.option("--yes", is_flag=True, help="do not ask")
def clean(artefacts, yes):
    """Delete artefacts, executed chapters and the built book, and nothing that is not the study's."""
    from .clearing import clear, made

    store = Store(artefacts)
    found = made(store)
    if not found:
        click.echo(f"nothing of the study's is in {store.root} or {project_root()}")
        return
    for place, paths in found.items():
        click.echo(f"{place}: {len(paths)} to delete, such as {paths[0].relative_to(place)}")
    if not yes:
        click.confirm("Delete them?", abort=True)
    for line in clear(store, found):
        click.echo(line)


def _opened(profile: str, parameters, artefacts: str):
    """The study that a command is about."""
    from ..study import Study
    from .chapters import sort_values

    return Study.open(profile, sort_values(parameters, [])[0], artefacts)


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: a StudyError becomes one line and exit code 2. To be told to end is to be interrupted."""
    for name in {"SIGTERM", "SIGHUP"} & set(signal.Signals.__members__):
        if signal.getsignal(signal.Signals[name]) == signal.SIG_DFL:
            signal.signal(signal.Signals[name], _interrupt)
    try:
        sys.exit(deepfn(standalone_mode=False))
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except (StudyError, OSError) as problem:  # a file or folder that the system refused is named by it
        last_line, code = str(problem), 2
    except (click.Abort, KeyboardInterrupt):
        last_line, code = "stopped; what is finished is kept", 130
    click.echo(f"deepfn: {last_line}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
