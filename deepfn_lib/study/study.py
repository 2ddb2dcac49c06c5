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
from ..normaliser.recipe import AutoencoderRecipe, MotionRecipe, ReferenceRecipe
from ..recognition import protocol
from ..recognition.protocol import Training
from ..settings import PATH_SETTINGS, Settings, load_settings
from ..statistics import (
    REFERENCE,
    Plan,
    Run,
    beside,
    judge,
    reference_card,
    reference_constants,
    reference_frames,
    reference_participants,
    reference_scores,
    reference_training,
    trained,
)
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
        """The same study with that share of every normaliser's iterations."""
        names = ("joint_iterations", "normaliser_iterations", "motion_iterations", "taught_iterations")
        now = {name: getattr(self.settings, name) for name in names}
        return self.changed(**{name: max(1, round(value * share)) for name, value in now.items() if value})

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

    # The reference run.

    @property
    def has_reference(self) -> bool:
        """Whether the reference run is about these data: the project's own, with no file of the user's among them."""
        return not any(getattr(self.settings, name) for name in PATH_SETTINGS)

    @cached_property
    def on_reference(self) -> bool:
        """Whether these are the reference run's settings: its committed scores are then read, and nothing is trained.

        Networks and pictures are not committed; what needs them makes them.
        """
        if not self.has_reference:
            return False
        apart = {"profile", "cluster", "workers", "gpus_per_worker", "repetitions"}
        mine = Settings.model_validate({"profile": ""}).model_dump(mode="json", exclude=apart)
        theirs = {**mine, **{name: one for name, one in reference_card()["settings"].items() if name not in apart}}
        return self.settings.model_dump(mode="json", exclude=apart) == theirs

    def basis(self, run: str = "reference") -> "Study":
        """Whose scores a page shows: "reference", the committed ones of the reference run, where it is about these
        data; else, or with "this", the study's own. Raises StudyError for another word."""
        if run not in ("reference", "this"):
            raise StudyError(f'run is "reference" or "this", not {run!r}')
        theirs = run == "reference" and self.has_reference
        return Study(load_settings("reference"), self.store) if theirs else self

    # The data.

    @property
    def rendered(self) -> bool:
        """Whether the data are the rendered corpora, which have exact answers."""
        return not any(getattr(self.settings, dataset.folder_setting) for dataset in data.DATASETS)

    @property
    def frames(self) -> pd.DataFrame:
        """Every labelled frame; of the reference run as far as labels go, which needs no picture."""
        return reference_frames() if self.on_reference else self.faces.frames

    @property
    def participants(self) -> pd.DataFrame:
        """Everybody with gender and skin group: dataset, participant, gender, skin_group and what else is known."""
        return reference_participants() if self.on_reference else self.faces.participants

    @cached_property
    def corpora(self) -> data.Corpora:
        """The licensed folders where any is given, else the rendered corpora, written if they are not there."""
        given = tuple(getattr(self.settings, name) for name in PATH_SETTINGS)
        licensed = self.remembered(("licensed", given), lambda: data.licensed(self.settings))
        return licensed or data.rendered(self.make(data.rendered_corpora), self.settings)

    @cached_property
    def family(self) -> Path | None:
        """The folder of the family of faces that the renderer takes, None for the first.

        Raises StudyError where `ict_facekit` is no whole checkout.
        """
        if not self.settings.ict_facekit:
            return None
        from ..rendering.scans import checked

        return self.make(data.scanned_family, checkout=data.Checkout(checked(self.settings.ict_facekit)))

    @cached_property
    def faces(self) -> data.Faces:
        """One aligned face for each labelled frame, and what was left out and why (section 4.2)."""
        folder = self.make(data.cut_faces)
        return self.remembered(folder, lambda: data.read_faces(folder, self.corpora.manifests))

    @property
    def pictures(self) -> data.Pictures:
        """The faces without labels and exact answers: all that self-supervised steps are given."""
        return self.faces.pictures

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

    @cached_property
    def still(self) -> Path:
        """The folder of the exact answers with the head held still, rendered if they are not there.

        Raises StudyError where there is no exact answer.
        """
        self.require_truth("holding the head still")
        return self.make(data.held_still)

    # Arms and their networks.

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The arms of the settings that these data can have: exact answers only where they exist."""
        wanted = table.in_order((*self.settings.arms, self.settings.normaliser_arm))
        return tuple(name for name in wanted if self.rendered or not table.find(name).exact)

    @cached_property
    def still_arms(self) -> tuple[str, ...]:
        """Further exact answers that these data can have, beside those of the settings: a second ceiling."""
        return tuple(arm.name for arm in table.ARMS if self.rendered and arm.exact and arm.name not in self.arms)

    @property
    def normaliser(self) -> str:
        """The arm that the chapters judge the paper's claims on."""
        return self.settings.normaliser_arm

    @property
    def compared(self) -> tuple[str, ...]:
        """The arms that claims are judged on, each in a family of its own: `normaliser`, and ours where it is there."""
        both = (self.normaliser, table.OURS)
        return tuple(dict.fromkeys(name for name in both if name in self.arms))

    def arm(self, name: str) -> np.ndarray:
        """The faces as one arm's classifier sees them: a read-only map, uint8 (n, 64, 64), row by row with `faces`."""
        return np.load(self.arm_path(name), mmap_mode="r")

    def arm_path(self, name: str) -> Path:
        """The file of `arm`, made if it is not there.

        Raises StudyError for an unknown arm, and for the exact answer where there is none.
        """
        arm = table.find(name)
        given: dict[str, Any] = {}
        if arm.exact:
            self.require_truth(f"the {name} arm", "; leave it out of `arms`")
        if arm.change:
            given = {"change": Named(arm.change), "template": self.template if arm.wears_template else None}
        elif arm.each:
            given = {"networks": self.person_networks(name), "file": networks.FACES}
        elif arm.network:
            given = {"network": self.network(name)}
        step = Named(arm.maker).function
        if "how" in step.inputs:
            given["how"] = arm.how
        return self.make(step, **given) / makers.FILE

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
        return ReferenceRecipe(seed=chosen.seed, iterations=chosen.taught_iterations, precision=self.precision)

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
    def joint(self) -> AutoencoderRecipe:
        """How the joint network is trained that everybody's own one starts from: the same, for `joint_iterations`."""
        return replace(self.autoencoder, iterations=max(1, self.settings.joint_iterations))

    @cached_property
    def start(self) -> Path | None:
        """The folder of the joint network; None where everybody's own one starts from random weights."""
        return self.make(networks.joint_network) if self.settings.joint_iterations else None

    @cached_property
    def motion(self) -> MotionRecipe:
        """How the network of DeepFN by motion is trained under these settings."""
        chosen = self.settings
        return MotionRecipe(seed=chosen.seed, iterations=chosen.motion_iterations, precision=self.precision)

    trained_on = None  # whose frames the motion network learns from: everybody's

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
        return self.make(Named(table.find(name).network).function, person=person)

    def person_networks(self, name: str) -> dict[str, Path]:
        """Everybody's own network but the template's, those that are missing trained in parallel: folder by name."""
        step = Named(table.find(name).network).function
        missing = [person for person in self.others if not self.is_made(step, person=person)]
        if missing:
            jobs = [(self._packed, name, person) for person in missing]
            self.machine.run(_person_network, jobs, description=name, unit="person")
        return {person: self.person_network(name, person) for person in self.others}

    @property
    def _packed(self) -> tuple:
        """What a worker opens this study from (`_opened`): its data are looked at here, once."""
        return str(self.store.root), self.settings.model_dump(), self._given_template, self.corpora

    def cost(self, name: str) -> dict[str, float]:
        """What an arm's networks took: images through the encoder, core_seconds, networks, and parameters of one.

        Of the reference run it is on the card. Raises StudyError where it is not there.
        """
        if not self.on_reference:
            return self.spent(name)
        try:
            return reference_card()["costs"][name]
        except KeyError:
            raise StudyError(
                f"the reference run's card lacks the cost of {name!r}; `deepfn reference` adds it"
            ) from None

    def spent(self, name: str) -> dict[str, float]:
        """The same from the networks themselves, which are trained if they are not there."""
        arm = table.find(name)
        folders = [self.network(name)] if not arm.each else [*self.person_networks(name).values()]
        folders += [self.start] if arm.each and self.start else []
        each = [networks.cost(folder) for folder in folders]
        total = {what: sum(one[what] for one in each) for what in ("images", "core_seconds", "networks")}
        return {**total, "parameters": each[0]["parameters"]}

    def matched_arm(self) -> Path:
        """The paper's method with each person's mean code moved onto the template's; the file as of `arm_path`."""
        given = {"networks": self.person_networks(table.PAPERS), "file": networks.MATCHED}
        return self.make(makers.joined, **given) / makers.FILE

    def motion_arm(
        self, how: Mapping[str, Any], recipe: MotionRecipe | None = None, trained_on: Sequence[str] | None = None
    ) -> Path:
        """DeepFN by motion with something changed: `how` as of `makers.by_motion`, another recipe, or a network that
        learns from some people's frames only. The file as of `arm_path`."""
        recipe, people = recipe or self.motion, None if trained_on is None else sorted(trained_on)
        network = self.make(networks.motion_network, motion=recipe, trained_on=people)
        return self.make(makers.by_motion, network=network, motion=recipe, how=dict(how)) / makers.FILE

    def unseen_arm(self, recipe: MotionRecipe | None = None) -> Path:
        """DeepFN by motion of people its network never saw: two networks, each trained on half of the people (and the
        template) and used for the other half. The file as of `arm_path`."""
        drawn = protocol.generator(self.settings.seed, "unseen").permutation(sorted(self.others)).tolist()
        halves = [sorted(drawn[::2]), sorted(drawn[1::2])]
        made = [self.motion_arm({}, recipe, [*half, self.template.name]) for half in halves]
        return self.make(makers.combined, parts=list(zip(made, reversed(halves)))) / makers.FILE

    def everybody_seconds(self, name: str) -> float:
        """Seconds by the clock that everybody's own networks took, and the network they start from, when they were
        made: from the cards, the workers all at work."""
        folders = list(self.person_networks(name).values())
        own = [self.store.used[folder]["seconds"] for folder in folders]
        start = [self.store.used[folder]["seconds"] for folder in [self.start] if folder]
        return sum(start) + sum(own) / min(self.machine.processes, len(own))

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
            changed = change(np.asarray(faces[rows]), medians[person], self.template.face_among(self.pictures))
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
            inputs=chosen.classifier_inputs,
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
        if self.on_reference:
            return self._of_arms(reference_scores())
        return pd.read_parquet(self._protocol / scores.SCORES)

    @cached_property
    def constants(self) -> pd.DataFrame:
        """What a constant that sees no image scores on the same splits; the keys of `scores` without the arm."""
        return reference_constants() if self.on_reference else pd.read_parquet(self._protocol / "constants.parquet")

    @cached_property
    def trained(self) -> pd.DataFrame:
        """A line for each classifier, as of `statistics.trained`: did its validation F1 flatten?"""
        if self.on_reference:
            return self._of_arms(reference_training())
        return trained(pd.read_parquet(self._protocol / "courses.parquet"))

    def _of_arms(self, lines: pd.DataFrame) -> pd.DataFrame:
        return lines[lines["arm"].isin(self.arms)].reset_index(drop=True)

    def claims(self, plan: Plan, question: str = "") -> dict[str, pd.DataFrame]:
        """The verdicts on the paper's sentences for each of `compared`, as of `statistics.judge`; the first one's has
        those about faces as filmed. With `question` ("gender") only its rows: all are one family nevertheless.

        Each stands on the reference run, where that is about these data and has its cells, else on this run. A column
        `here` says what this run has where the verdict is the reference run's.
        """
        runs = [here := Run("this run", self.scores, self.trained)]
        if self.on_reference:
            runs = [here := replace(here, name=REFERENCE)]
        elif self.has_reference:
            runs.insert(0, Run(REFERENCE, reference_scores(), reference_training()))
        lists = {arm: judge(runs, arm, plan, filmed=arm == self.normaliser) for arm in self.compared}
        asked = {arm: rows[rows["question"] == question] if question else rows for arm, rows in lists.items()}
        return {arm: beside(rows, here, arm, plan) for arm, rows in asked.items()}

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
        auc, linear (means over people), and the arm's `file`."""
        studies = {f"{share:g}": self.at_budget(share) for share in shares}
        files = {label: study.arm_path(name) for label, study in studies.items()}
        found = quality.summary(self.quality(files)).set_index("arm")[["psnr", "correlation", "auc", "linear"]]
        paid = pd.DataFrame({label: study.cost(name) for label, study in studies.items()}).T
        curve = paid[["images", "core_seconds"]].join(found)
        return curve.assign(share=list(shares), file=list(files.values())).reset_index(drop=True)

    def courses(self, people: Sequence[str], marks: Sequence[int]) -> pd.DataFrame:
        """The paper's method from random weights, for some BP4D people (`dataset/participant`), at some iterations.

        Columns: person, iteration, images, core_seconds, reconstruction (Eq. 1's term), psnr, expression_kept,
        identity_left (`nearness.moved_faces`), and auc, a reader's (`measures.expression`). The networks are trained in
        parallel; each can be interrupted.
        """
        from ..frames import BP4D_ACTION_UNITS
        from ..measures.expression import expression_kept
        from ..measures.nearness import moved_faces

        self.require_truth("measuring normalisation")
        marks = tuple(sorted(marks))
        given = self._followed(marks)
        recipe = given["autoencoder"]
        missing = [person for person in people if not self.is_made(sweep.course, person=person, **given)]
        if missing:
            jobs = [(self._packed, person, recipe, marks) for person in missing]
            self.machine.run(_course, jobs, description="the paper's method", unit="person")
        lines = []
        for person in people:
            folder, rows = self.make(sweep.course, person=person, **given), self.faces.rows(person)
            own = images.prepare(self.faces.images, images.SIZE, rows)
            answers = images.prepare(self.faces.answers, images.SIZE, rows)
            labels = self.faces.frames[list(BP4D_ACTION_UNITS)].to_numpy()[rows]
            who = self.faces.frames["participant"].astype(str).to_numpy()[rows]
            strange = [probe for known, probe in self.exact.probes if who[0] not in self.exact.people[known]]
            probes = [(np.zeros(len(who), bool), probe) for probe in strange]  # those that never saw this person
            for line in pd.read_csv(folder / sweep.COURSE).to_dict("records"):
                moved = images.resize(np.load(folder / f"faces-{line['iteration']:.0f}.npy"))
                read = expression_kept(moved, answers, labels, who, BP4D_ACTION_UNITS, probes)
                auc = float(read["auc"].mean())
                lines.append({"person": person, **line, **moved_faces(own, moved, answers), "auc": auc})
        return pd.DataFrame(lines)

    def _followed(self, marks: Sequence[int]) -> dict[str, Any]:
        marks = tuple(sorted(marks))
        return {"autoencoder": replace(self.autoencoder, iterations=marks[-1]), "marks": marks}

    def course_pictures(self, person: str, marks: Sequence[int], row: int) -> list[np.ndarray]:
        """One frame (a row of the faces) as `courses` has it on the template at each mark: uint8 (64, 64) each."""
        folder, at = self.make(sweep.course, person=person, **self._followed(marks)), self.faces.rows(person)
        frame = int(np.flatnonzero(at == row)[0])
        found = (np.load(folder / f"faces-{mark}.npy", mmap_mode="r")[frame] for mark in sorted(marks))
        return list(images.resize(np.stack(list(found))))

    # Other augmentations.

    def swept(self, people: Sequence[str], variants: Sequence[tuple[str, float, Augmentation]], iterations, batch):
        """One small network for each person and variant: varied, value, person, and `nearness.moved_faces`.

        Raises StudyError where there is no exact answer.
        """
        self.require_truth("measuring augmentations")
        small = replace(self.autoencoder, iterations=iterations, batch=batch, augmentation=Augmentation())
        given = {"people": list(people), "variants": list(variants), "autoencoder": small}
        return pd.read_parquet(self.make(sweep.swept, **given) / sweep.SWEEP)

    def joint_arms(self, recipes: Mapping[str, AutoencoderRecipe]) -> dict[str, Path]:
        """Everybody's faces through joint networks (Eq. 1 summed over people) under other recipes: label to file.

        Those that are missing are trained in parallel.
        """
        missing = [recipe for recipe in recipes.values() if not self.is_made(networks.joint_network, joint=recipe)]
        if missing:
            jobs = [(self._packed, recipe) for recipe in missing]
            self.machine.run(_joint_arm, jobs, description="joint networks", unit="network")
        return {label: self.joint_arm(recipe) for label, recipe in recipes.items()}

    def joint_arm(self, recipe: AutoencoderRecipe) -> Path:
        """One of `joint_arms`."""
        network = self.make(networks.joint_network, joint=recipe)
        return self.make(makers.by_joint, network=network) / makers.FILE


# Jobs of workers, each of which opens the study anew. A function each, as `Machine.run` keeps workers by function.


def _opened(packed: tuple) -> Study:
    root, values, given_template, corpora = packed
    opened = Study(Settings(**values), Store(root), given_template)
    opened.__dict__["corpora"] = corpora
    return opened


def _person_network(packed: tuple, name: str, person: str) -> Path:
    _one_thread()
    return _opened(packed).person_network(name, person)


def _joint_arm(packed: tuple, recipe: AutoencoderRecipe) -> Path:
    _one_thread()
    return _opened(packed).joint_arm(recipe)


def _course(packed: tuple, person: str, recipe: AutoencoderRecipe, marks: tuple[int, ...]) -> Path:
    _one_thread()
    return _opened(packed).make(sweep.course, person=person, autoencoder=recipe, marks=marks)


def _one_thread() -> None:
    """A worker's TensorFlow keeps to the worker's processor."""
    from ..device import configure_tensorflow

    configure_tensorflow(threads=1)
