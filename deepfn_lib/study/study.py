"""`Study`: the way of the data as methods. What is asked for is made where it is missing, and remembered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import arms as table
from ..artefacts import Store
from ..cluster import Machine
from ..errors import StudyError
from ..faces import images
from ..normaliser.augmentation import Augmentation
from ..normaliser.precision import Precision
from ..normaliser.recipe import AutoencoderRecipe, ReferenceRecipe
from ..recognition import protocol
from ..recognition.protocol import Training
from ..settings import Settings, load_settings
from ..template import MeanFace, Template, choose_template
from . import data, makers, networks, quality, scores, sweep
from .steps import Named, Step


class Study:
    """Settings and a store; every result of the study is a method or attribute, made once.

    `template` is who wears everybody's expression, by default whom section 3.2's rule names.
    """

    def __init__(
        self, settings: Settings, store: Store, template: Template | MeanFace | None = None, memory: dict | None = None
    ):
        self.settings, self.store, self._given_template = settings, store, template
        self._memory: dict[Any, Any] = {} if memory is None else memory
        self.machine = Machine(settings.cluster, settings.workers, settings.gpus_per_worker)

    @classmethod
    def open(cls, profile: str = "quick", overrides: Mapping[str, Any] | None = None, artefacts: str = "") -> "Study":
        """The study of a profile, some of its settings overridden, in an artefact folder (empty: the default one).

        Raises StudyError for an unknown profile or setting, or a value of the wrong type or range.
        """
        return cls(load_settings(profile, dict(overrides or {})), Store(artefacts))

    def changed(self, **values: Any) -> "Study":
        """The same study with other settings; what it shares with this one is not read again.

        Raises StudyError for an unknown setting, or a value of the wrong type or range.
        """
        settings = load_settings(self.settings.profile, {**self.settings.model_dump(), **values})
        return Study(settings, self.store, self._given_template, self._memory)

    def at_budget(self, share: float) -> "Study":
        """The same study with that share of the shared networks' iterations."""
        return self.changed(shared_iterations=max(1, round(self.settings.shared_iterations * share)))

    def wearing(self, other: Template | MeanFace) -> "Study":
        """The same study with another template; it is the rule's choice that takes no part in the splits."""
        return Study(self.settings, self.store, other, self._memory)

    # Steps and what they leave.

    def make(self, step: Step, **given: Any) -> Path:
        """The artefact of a step, made if it is not there. Inputs that are not given are this study's own."""
        inputs = self._inputs(step, given)
        key = step.key(self.settings, inputs)
        return self.store.get(step.artefact, key, lambda folder: step.fill(folder, self.settings, self.machine, inputs))

    def is_made(self, step: Step, **given: Any) -> bool:
        """Whether the artefact of a step is there already. What it is made from is made, if it is not there."""
        return self.store.folder(step.artefact, step.key(self.settings, self._inputs(step, given))).exists()

    def _inputs(self, step: Step, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: given[name] if name in given else getattr(self, name) for name in step.inputs}

    def remembered(self, what: Any, read: Callable[[], Any]) -> Any:
        """What was read before under the name `what`, by this study or one that it was changed from."""
        if what not in self._memory:
            self._memory[what] = read()
        return self._memory[what]

    # The data.

    @cached_property
    def corpora(self) -> data.Corpora:
        """The licensed folders where any is given, else the rendered corpora, written if they are not there."""
        return data.licensed(self.settings) or data.rendered(self.make(data.rendered_corpora))

    @cached_property
    def faces(self) -> data.Faces:
        """One aligned face for each labelled frame, and what was left out and why (section 4.2)."""
        folder = self.make(data.cut_faces)
        return self.remembered(folder, lambda: data.read_faces(folder, self.corpora.manifests))

    @cached_property
    def chosen_template(self) -> Template:
        """The template participant by the paper's rule (section 3.2), with the whole ranking."""
        faces = self.faces
        return self.remembered(("template", faces.key), lambda: choose_template(faces.frames))

    @property
    def template(self) -> Template | MeanFace:
        """Whose face everybody wears."""
        return self._given_template or self.chosen_template

    @cached_property
    def others(self) -> list[str]:
        """Everybody but the template, as `dataset/participant`."""
        return [name for name in np.unique(self.faces.names).tolist() if name != self.template.name]

    @cached_property
    def pairs(self) -> Path:
        """The folder of rendered pairs of people who are in neither corpus; the answers show the rendered template.

        On licensed data the template is a rendered face too: exact answers exist for no other.
        Raises StudyError where the settings ask for no pairs.
        """
        from ..rendering.label_statistics import MOST_EXPRESSIVE

        if not self.settings.pair_people * self.settings.pair_frames:
            raise StudyError("rendered pairs are needed here; set pair_people and pair_frames above 0")
        wearer = self.chosen_template.participant if self.corpora.rendered else MOST_EXPRESSIVE
        return self.make(data.rendered_pairs, wearer=wearer)

    # Arms and their networks.

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The arms of the settings that these data can have: the oracle only where the exact answer exists."""
        there = self.faces.truth is not None
        wanted = table.in_order((*self.settings.arms, self.settings.normaliser_arm))
        return tuple(name for name in wanted if there or not table.find(name).exact)

    @property
    def normaliser(self) -> str:
        """The arm that the chapters' claims are about."""
        return self.settings.normaliser_arm

    def arm(self, name: str) -> np.ndarray:
        """The faces as one arm's classifier sees them: a read-only map, uint8 (n, 64, 64), row by row with `faces`."""
        return np.load(self.arm_path(name), mmap_mode="r")

    def arm_path(self, name: str) -> Path:
        """The file of `arm`, made if it is not there.

        Raises StudyError for an unknown arm, for the exact answer where there is none, and for networks of everybody
        where `normaliser_people` leaves people out.
        """
        arm = table.find(name)
        given: dict[str, Any] = {}
        if arm.exact:
            self.require_truth(f"the {name} arm", "; leave it out of `arms`")
        if arm.change:
            given = {"change": Named(arm.change), "template": self.template if arm.wears_template else None}
        elif arm.each:
            given = {"networks": self.person_networks(name)}
        elif arm.network:
            given = {"network": self.network(name)}
        return self.make(Named(arm.maker).function, **given) / makers.FILE

    def require_truth(self, what: str, remedy: str = ": leave bp4d and disfa empty") -> None:
        """Raises StudyError where the data have no exact answers."""
        if self.faces.truth is None:
            raise StudyError(f"{what} needs the exact answer, which only the rendered corpora have{remedy}")

    @cached_property
    def precision(self) -> Precision:
        """With which numbers networks are trained, and compiled by what."""
        return Precision(self.settings.normaliser_precision, self.settings.normaliser_xla)

    @cached_property
    def recipe(self) -> ReferenceRecipe:
        """How the reference networks are trained under these settings."""
        chosen = self.settings
        return ReferenceRecipe(seed=chosen.seed, iterations=chosen.shared_iterations, precision=self.precision)

    @cached_property
    def autoencoder(self) -> AutoencoderRecipe:
        """How the paper's networks are trained under these settings."""
        chosen = self.settings
        return AutoencoderRecipe(
            size=chosen.normaliser_size,
            width=chosen.normaliser_width,
            seed=chosen.seed,
            batch=chosen.normaliser_batch,
            iterations=chosen.normaliser_iterations,
            learning_rate=chosen.normaliser_learning_rate,
            loss=chosen.loss,
            augmentation=Augmentation(warp_pixels=chosen.warp_pixels),
            precision=self.precision,
        )

    @cached_property
    def shared(self) -> AutoencoderRecipe:
        """How the one autoencoder for everybody is trained: all shared methods see equally many images.

        An iteration of it takes two batches.
        """
        own, other = self.autoencoder, self.recipe
        return replace(own, iterations=max(1, other.iterations * other.batch // (2 * own.batch)))

    @cached_property
    def reader(self) -> Path:
        """The folder of the reader of action units that the supervised network is trained with."""
        return self.make(networks.reader, size=self.recipe.size)

    def network(self, name: str) -> Path:
        """The folder of the one network of an arm, with its losses and previews, trained if it is not there.

        Raises StudyError for an arm that has none for everybody.
        """
        arm = table.find(name)
        if arm.each or not arm.network:
            shared = ", ".join(one.name for one in table.ARMS if one.network and not one.each)
            raise StudyError(f"the arm {name} has no network for everybody; those that have one are {shared}")
        return self.make(Named(arm.network).function)

    def has_network(self, name: str) -> bool:
        """Whether the one network of an arm is trained already."""
        return self.is_made(Named(table.find(name).network).function)

    def person_network(self, name: str, person: str) -> Path:
        """The folder of one person's own network (`dataset/participant`), with their faces on the template."""
        arm = table.find(name)
        start = self.network(arm.start) if arm.start else None
        return self.make(Named(arm.network).function, person=person, start=start)

    def person_networks(self, name: str) -> dict[str, Path]:
        """Everybody's own network but the template's, those that are missing trained in parallel: folder by name."""
        if self.settings.normaliser_people:
            raise StudyError(
                f"the arm {name} needs a network for everyone, and normaliser_people is "
                f"{self.settings.normaliser_people}; set it to 0, or choose an arm with one network for all"
            )
        arm = table.find(name)
        step, start = Named(arm.network).function, self.network(arm.start) if arm.start else None
        missing = [person for person in self.others if not self.is_made(step, person=person, start=start)]
        if missing:
            jobs = [(self._packed, name, person) for person in missing]
            self.machine.run(_person_network, jobs, description=name, unit="person")
        return {person: self.person_network(name, person) for person in self.others}

    @property
    def _packed(self) -> tuple:
        """What a worker opens this study from (`_opened`)."""
        return str(self.store.root), self.settings.model_dump(), self._given_template

    def cost(self, name: str) -> dict[str, float]:
        """What an arm's networks took: images through the encoder, core_seconds, networks, and parameters of one."""
        arm = table.find(name)
        folders = list(self.person_networks(name).values()) if arm.each else [self.network(name)]
        each = [networks.cost(folder) for folder in folders]
        total = {what: sum(one[what] for one in each) for what in ("images", "core_seconds", "networks")}
        return {**total, "parameters": each[0]["parameters"]}

    def of_strangers(self, name: str, faces: np.ndarray, people: np.ndarray, calibration: np.ndarray) -> np.ndarray:
        """An arm of people outside the study: faces uint8 (n, side, side) of `people` (n,) to uint8 (n, 64, 64).

        `calibration` bool (n,) marks the faces of each person that their median is taken over. An arm's network is
        trained on the study's own people if it is not there yet.
        Raises StudyError for an arm that cannot serve strangers, or a person without calibration faces.
        """
        arm, people, calibration = table.find(name), np.asarray(people), np.asarray(calibration, bool)
        if not arm.strangers and not arm.change:
            able = [one.name for one in table.ARMS if one.strangers or one.change]
            raise StudyError(f"{name} cannot show strangers; choose one of {', '.join(able)}")
        without = [person for person, rows in images.by_person(people) if not calibration[rows].any()]
        if without:
            raise StudyError(f"{without[0]} has no calibration face to take a median over; mark at least one")
        if arm.strangers:
            return Named(arm.strangers).function(self, self.network(name), faces, people, calibration)
        medians = images.median_faces(faces[calibration], people[calibration])
        out, change = np.empty((len(faces), images.SIZE, images.SIZE), np.uint8), Named(arm.change).function
        for person, rows in images.by_person(people):
            changed = change(np.asarray(faces[rows]), medians[person], self.template.face_among(self.faces))
            out[rows] = images.resize(changed)
        return out

    @cached_property
    def photographs(self) -> tuple[np.ndarray, pd.DataFrame]:
        """Aligned photographs of strangers, uint8 (n, side, side), and a row for each photograph there is: person,
        number, found (whether it has a face). Raises StudyError where they are not installed."""
        from ..datasets.manifests import load_manifest

        folder = self.make(data.photographs, digests=load_manifest("orl").digests)
        return np.load(folder / makers.FILE), pd.read_parquet(folder / "photographs.parquet")

    # Scores.

    @cached_property
    def training(self) -> Training:
        """How every classifier is trained and judged."""
        chosen = self.settings
        return Training(
            classifier=chosen.classifier,
            epochs=chosen.epochs,
            batch=chosen.classifier_batch,
            learning_rate=chosen.classifier_learning_rate,
            empty_f1=chosen.empty_f1,
        )

    @cached_property
    def splits(self) -> pd.DataFrame:
        """Who trains, who chooses the epoch and who is tested, in every model of every condition."""
        return self.draw()

    def draw(self, families: Sequence[str] = protocol.FAMILIES, left_out: Sequence[str] = ()) -> pd.DataFrame:
        """The splits of some families, with nobody of `left_out` (BP4D participants) in any.

        A group that is too small is told where all families are drawn, and not again for each of them.
        """
        frames, chosen = self.faces.frames, self.settings
        some = frames[~((frames["dataset"] == "BP4D") & frames["participant"].isin(left_out))]
        splits, notices = protocol.draw_splits(
            some,
            self.faces.participants,
            template=self.chosen_template.participant,
            repetitions=chosen.repetitions,
            person_repetitions=chosen.person_repetitions,
            sizes=protocol.Sizes(
                chosen.train_people, chosen.validation_people, chosen.train_tasks, chosen.validation_tasks
            ),
            seed=chosen.seed,
            families=tuple(families),
        )
        for notice in notices if set(families) == set(protocol.FAMILIES) else ():
            print(notice)
        return splits

    def models(self, splits: pd.DataFrame) -> list[protocol.Split]:
        """Splits as rows of the faces, a model each."""
        chosen = self.settings
        own = chosen.person_epochs if chosen.person_epochs != chosen.epochs else 0  # the same epochs, the same key
        return protocol.rows_of(splits, self.faces.frames, own)

    def judged(self, models: Sequence[protocol.Split], files: Mapping[str, Path]) -> Path:
        """The folder of the scores of these models on some arms, name to file."""
        return self.make(scores.judged, splits=list(models), arms=dict(files))

    @cached_property
    def _protocol(self) -> Path:
        return self.judged(self.models(self.splits), {name: self.arm_path(name) for name in self.arms})

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row for each condition, direction, arm, repetition, participant and action unit."""
        return pd.read_parquet(self._protocol / scores.SCORES)

    @cached_property
    def constants(self) -> pd.DataFrame:
        """What a constant that sees no image scores on the same splits; the keys of `scores` without the arm."""
        return pd.read_parquet(self._protocol / "constants.parquet")

    def scores_of(self, files: Mapping[str, Path], left_out: Sequence[str] = ()) -> pd.DataFrame:
        """Person-independent scores of any arms (name to file), paired by splits; columns as of `scores`."""
        models = self.models(self.draw(("people",), left_out))
        return pd.read_parquet(self.judged(models, files) / scores.SCORES)

    def scores_of_models(self, models: Sequence[protocol.Split], names: Sequence[str]) -> pd.DataFrame:
        """Scores of any models on some of the arms; columns as of `scores`."""
        return pd.read_parquet(self.judged(models, {name: self.arm_path(name) for name in names}) / scores.SCORES)

    def control_scores(self, names: Sequence[str]) -> pd.DataFrame:
        """Scores of LeNet-5 taught by the rendered pairs' people, one training for each of some arms without a
        network, on all BP4D participants but the template; columns as of `scores`."""
        changes = {name: Named(table.find(name).change) for name in names}
        return pd.read_parquet(self.make(scores.control, arms=changes) / scores.SCORES)

    # Quality.

    @cached_property
    def exact(self) -> quality.Exact:
        """What every arm is measured against. Raises StudyError where there is no exact answer."""
        self.require_truth("measuring normalisation")
        rows = quality.compared_rows(self.faces, self.template.name)
        path = self.arm_path(table.ORACLE)
        return quality.Exact(self.faces, np.load(path, mmap_mode="r"), rows, self.settings.seed, path.parent.name)

    def quality(self, files: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
        """Every arm's (name to file) nearness, expression kept and identity left: a table for each of
        `quality.KINDS`, with a column `arm`."""
        folders = {name: self.make(quality.measured, arm=path) for name, path in files.items()}
        tables = {
            kind: [pd.read_parquet(folder / f"{kind}.parquet").assign(arm=name) for name, folder in folders.items()]
            for kind in quality.KINDS
        }
        return {kind: pd.concat(found, ignore_index=True) for kind, found in tables.items()}

    def curve(self, name: str, shares: Sequence[float]) -> pd.DataFrame:
        """An arm at several budgets, each trained from the start: share, images, core_seconds, psnr, correlation,
        auc (means over people), and the arm's `file`."""
        studies = {f"{share:g}": self.at_budget(share) for share in shares}
        files = {label: study.arm_path(name) for label, study in studies.items()}
        found = quality.summary(self.quality(files)).set_index("arm")[["psnr", "correlation", "auc"]]
        paid = pd.DataFrame({label: study.cost(name) for label, study in studies.items()}).T
        curve = paid[["images", "core_seconds"]].join(found)
        return curve.assign(share=list(shares), file=list(files.values())).reset_index(drop=True)

    def own_networks(self, people: Sequence[str], share: float, name: str) -> pd.DataFrame:
        """The own networks of some people (`dataset/participant`): person, share, images, core_seconds, psnr.

        `share` is that of `normaliser_iterations`. The cost of a network they start from is not counted.
        """
        from ..measures.nearness import fidelity

        smaller = self.changed(normaliser_iterations=max(1, round(self.settings.normaliser_iterations * share)))
        self.require_truth("measuring normalisation")
        lines = []
        for person in people:
            folder, rows = smaller.person_network(name, person), self.faces.rows(person)
            faces = images.resize(np.load(folder / networks.FACES))
            answers = images.prepare(self.faces.answers, images.SIZE, rows)
            near = fidelity(faces, answers, self.faces.names[rows]).set_index("region")["psnr"]
            cost = networks.cost(folder)
            paid = {what: cost[what] for what in ("images", "core_seconds")}
            lines.append({"person": person, "share": share, "psnr": float(near["face"]), **paid})
        return pd.DataFrame(lines)

    # Other augmentations.

    def swept(self, people: Sequence[str], variants: Sequence[tuple[str, float, Augmentation]], iterations, batch):
        """One small network for each person and variant: varied, value, person, and `nearness.moved_faces`.

        Raises StudyError where there is no exact answer.
        """
        self.require_truth("measuring augmentations")
        small = replace(self.autoencoder, iterations=iterations, batch=batch, augmentation=Augmentation())
        given = {"people": list(people), "variants": list(variants), "autoencoder": small}
        return pd.read_parquet(self.make(sweep.swept, **given) / sweep.SWEEP)

    def bent_arms(self, recipes: Mapping[str, ReferenceRecipe]) -> dict[str, Path]:
        """BP4D's faces through reference networks on rendered pairs under other recipes: label to file.

        Those that are missing are trained in parallel.
        """
        missing = [recipe for recipe in recipes.values() if not self.is_made(sweep.bent_arm, recipe=recipe)]
        if missing:
            jobs = [(self._packed, recipe) for recipe in missing]
            self.machine.run(_bent_arm, jobs, description="augmentation, scored", unit="network")
        return {label: self.bent_arm(recipe) for label, recipe in recipes.items()}

    def bent_arm(self, recipe: ReferenceRecipe) -> Path:
        """One of `bent_arms`."""
        return self.make(sweep.bent_arm, recipe=recipe) / makers.FILE


# Jobs of workers, each of which opens the study anew. A function each, as `Machine.run` keeps workers by function.


def _opened(packed: tuple) -> Study:
    root, values, given_template = packed
    return Study(Settings(**values), Store(root), given_template)


def _person_network(packed: tuple, name: str, person: str) -> Path:
    return _opened(packed).person_network(name, person)


def _bent_arm(packed: tuple, recipe: ReferenceRecipe) -> Path:
    return _opened(packed).bent_arm(recipe)
