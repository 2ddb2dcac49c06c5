"""The house: who may import whom, arms known in one place, keys that cannot forget."""

import ast
import inspect
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from deepfn_lib import arms, rooms
from deepfn_lib.artefacts import Store, project_root
from deepfn_lib.errors import StudyError
from deepfn_lib.settings import Settings
from deepfn_lib.study import Study, data, makers, networks, quality, scores, sweep
from deepfn_lib.study.steps import Named, Step, key_of, step

# From the ground up: a room imports from rooms before it, and from itself.
GROUND = ("errors", "progress", "rooms", "device", "arms", "artefacts", "settings", "cluster", "frames", "template")
FLOORS = (*GROUND, "datasets", "faces", "rendering", "measures", "normaliser", "recognition", "statistics")
ABOVE = {"study": {*FLOORS}, "page": {*FLOORS}, "commands": {*FLOORS, "study", "page"}}
STEPS = [one for room in (data, makers, networks, quality, scores, sweep) for one in vars(room).values()
         if isinstance(one, Step)]  # fmt: skip
STEPS = list({step.function.__name__: step for step in STEPS}.values())
each_step = pytest.mark.parametrize("one", STEPS, ids=lambda one: one.function.__name__)


def room_of(module: str) -> str:
    return module.split(".")[0]


def imported(module: str) -> tuple[str, ...]:
    return rooms.read_room(module)[1]


@pytest.mark.parametrize("module", rooms.everyone())
def test_nothing_is_imported_from_above(module):
    room = room_of(module)
    allowed = ABOVE.get(room) or set(FLOORS[: FLOORS.index(room)])
    assert {room_of(other) for other in imported(module)} - {room} <= allowed


def test_there_is_no_circle():
    """Counting imports inside functions, too."""
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for other in imported(module):
            visit(other)
        done.add(path.pop())

    for module in rooms.everyone():
        visit(module)


def test_rooms_know_nothing_of_settings_and_stores():
    """Only the study and the commands have both; the page's card is handed a study."""
    for module in rooms.everyone():
        if room_of(module) in (*GROUND, "study", "commands"):
            continue
        assert not {"settings", "study"} & {room_of(other) for other in imported(module)}, module


def literals(path: Path) -> set[str]:
    """The string constants of a source that are no docstrings."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told)
    return {node.value for node in constants if isinstance(node.value, str)}


def test_arms_are_named_in_their_table_and_nowhere_else():
    names = {arm.name for arm in arms.ARMS}
    for path in sorted((project_root() / "deepfn_lib").rglob("*.py")):
        assert not literals(path) & names, path.name


def test_the_table_of_arms_is_whole():
    assert len({arm.name for arm in arms.ARMS}) == len({arm.colour for arm in arms.ARMS}) == len(arms.ARMS)
    for arm in arms.ARMS:
        assert bool(arm.change) + bool(arm.network) + arm.exact == 1, arm.name
        assert not (arm.each or arm.strangers) or arm.network, arm.name
        assert not arm.how or "how" in Named(arm.maker).function.inputs, arm.name
    assert {arm.paper for arm in arms.ARMS} == {"", arms.ORIGINAL, arms.PAPERS}
    with pytest.raises(StudyError, match="arm 'deepfnn' is unknown; choose one of original"):
        arms.find("deepfnn")


def test_a_new_arm_is_one_entry_and_one_function(monkeypatch, session_store):
    """It is made, scored, coloured and named, and stands in a table of a page, without another line anywhere."""
    from deepfn_lib.faces import images
    from deepfn_lib.page import figures, table

    def upside_down(faces, median, template):
        return faces[:, ::-1]

    entry = {"name": "upside-down", "label": "upside down", "what": "faces on their heads", "colour": "#123456"}
    new = arms.Arm(**entry, maker="study.makers:pictured", change="faces.images:upside_down", wears_template=False)
    monkeypatch.setattr(images, "upside_down", upside_down, raising=False)
    monkeypatch.setattr(arms, "ARMS", (*arms.ARMS, new))
    study = Study.open("smoke", {"arms": ["original", "upside-down"]}, str(session_store.root))
    assert study.arms[-1] == "upside-down"
    assert (study.arm("upside-down") == study.arm("original")[:, ::-1]).all()
    found = study.scores_of({name: study.arm_path(name) for name in ("original", "upside-down")})
    means = found.groupby("arm", sort=False)["f1"].mean().rename(index=figures.arm_label).reset_index()
    assert "upside down" in table(means, "Arms.")._repr_html_() and figures.arm_colour("upside-down") == "#123456"


# Keys.


@each_step
def test_a_step_names_the_rooms_that_it_runs_through(one):
    """The library's modules that its lines name, or those of a function of `study` that it calls, are among its rooms
    or what these import."""
    used = rooms_of(one.function.__module__.removeprefix("deepfn_lib.study."), one.function.__name__, set())
    counted = {name for name in used if rooms.read_room(name)[0] is not None}
    assert counted <= set(rooms.code_versions(one.rooms)), counted


def rooms_of(module: str, name: str, seen: set) -> set[str]:
    """The rooms that a function of the module `study.<module>` names, and those that its functions there name."""
    tree = ast.parse(rooms.source(f"study.{module}").read_text())
    inside = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if (module, name) in seen or not inside:
        return set()
    seen.add((module, name))
    found = set()
    for word in {node.id for node in ast.walk(inside[0]) if isinstance(node, ast.Name)}:
        place, level = imported_from(tree, word)
        found |= {place} if level == 2 else rooms_of(place or module, word, seen)
    return found


def imported_from(tree: ast.AST, word: str) -> tuple[str, int]:
    """The module that a name of a source stands for or is taken from, and how many folders up that is counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                if word == (alias.asname or alias.name):
                    whole = f"{node.module}.{alias.name}" if node.module else alias.name
                    return whole if node.level == 2 and is_module(whole) else node.module, node.level
    return "", 0


def test_rooms_are_found_through_a_steps_own_functions():
    assert {"normaliser.per_person", "faces.images", "measures.nearness"} <= rooms_of("sweep", "swept", set())
    assert "normaliser.per_person" in rooms_of("networks", "_timed", set())


def test_every_reader_of_a_dataset_counts():
    """Loaders are named and not imported."""
    assert {dataset.loader.module for dataset in data.DATASETS} <= set(rooms.code_versions(data.cut_faces.rooms))


def test_a_version_of_a_steps_own_module_counts_where_there_is_one(monkeypatch):
    """And that of a module of the study that it imports."""
    chosen, read = Settings(profile="none"), rooms.read_room
    steps = (data.cut_faces, networks.own_network, makers.by_joint, sweep.swept)
    before = [one.key(chosen, {}) for one in steps]
    raised = lambda name: (1, read(name)[1]) if name == "study.data" else read(name)  # noqa: E731
    monkeypatch.setattr(rooms, "read_room", raised)
    after = [one.key(chosen, {}) for one in steps]
    assert [one == other for one, other in zip(before, after)] == [False, True, True, False]
    assert after[0]["code"] == {**before[0]["code"], "study.data": 1}


def is_module(name: str) -> bool:
    try:
        return rooms.source(name) is not None
    except KeyError:
        return False


@each_step
def test_a_step_reads_no_setting_that_it_does_not_name(one):
    tree = ast.parse(inspect.getsource(inspect.getmodule(one.function)))
    (body,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == one.function.__name__]
    read = {n.attr for n in ast.walk(body) if isinstance(n, ast.Attribute) and getattr(n.value, "id", "") == "chosen"}
    assert read <= set(one.settings) <= set(Settings.model_fields)


# What stands directly behind each artefact of the walk below: its key holds the other's.
BEHIND = {
    "rendered_corpora": {"cut_faces"},
    "cut_faces": {"pictured", "exact", "joint_network", "own_network", "motion_network", "joined", "by_motion",
                  "by_joint", "by_reference", "combined", "course", "held_still", "exact_still", "judged"},
    "joint_network": {"own_network", "by_joint"}, "own_network": {"joined"}, "motion_network": {"by_motion"},
    "rendered_pairs": {"reader", "on_pairs"}, "reader": {"on_pairs"}, "on_pairs": {"by_reference"},
    "pictured": {"judged"}, "exact": {"judged"}, "joined": {"judged"}, "by_motion": {"combined", "judged"},
    "held_still": {"exact_still"}, "exact_still": set(), "by_joint": set(), "by_reference": set(), "combined": set(),
    "course": set(), "judged": set(),
}  # fmt: skip
# Every setting of an artefact, with another value of it, and the first artefacts that it changes.
READ, PAPERS, SHARED = ("cut_faces",), ("joint_network", "own_network", "course"), ("motion_network", "on_pairs")
OTHER = {
    "seed": (7, "rendered_corpora", "rendered_pairs"), "bp4d_people": (11, "rendered_corpora"),
    "disfa_people": (7, "rendered_corpora"), "bp4d_frame_rate": (0.5, "rendered_corpora"),
    "disfa_frame_rate": (0.2, "rendered_corpora"), "groups": ("g.csv", *READ), "frame_offset": (-1, *READ),
    "disfa_camera": ("right", *READ), "disfa_threshold": (3, *READ), "disfa_drop_error_log": (True, *READ),
    "disfa_frames": ("elsewhere", *READ), "disfa_first_image": (1, *READ), "detect_every": (3, *READ),
    "alignment": ("eyes", "cut_faces", "rendered_pairs"), "crop_size": (64, *READ),
    "pair_people": (5, "rendered_pairs"), "pair_frames": (7, "rendered_pairs"),
    "normaliser_size": (128, *PAPERS), "normaliser_width": (0.0625, *PAPERS), "normaliser_batch": (4, *PAPERS),
    "normaliser_learning_rate": (0.001, *PAPERS), "warp_pixels": (1.0, *PAPERS), "loss": ("rmse", *PAPERS),
    "normaliser_precision": ("bfloat16", *PAPERS, *SHARED), "normaliser_xla": (True, *PAPERS, *SHARED),
    "normaliser_iterations": (7, "own_network", "course"), "joint_iterations": (7, "joint_network"),
    "motion_iterations": (7, "motion_network"), "taught_iterations": (7, "on_pairs"),
    "normaliser_arm": ("taught-on-pairs", "judged"), "arms": (("original",), "judged"),
    "classifier": ("modern", "judged"), "repetitions": (3, "judged"), "person_repetitions": (2, "judged"),
    "train_people": (2, "judged"), "validation_people": (2, "judged"), "train_tasks": (3, "judged"),
    "validation_tasks": (1, "judged"), "epochs": (3, "judged"), "person_epochs": (3, "judged"),
    "classifier_batch": (16, "judged"), "classifier_inputs": ("0-1", "judged"),
    "classifier_learning_rate": (0.002, "judged"), "empty_f1": ("zero", "judged"),
}  # fmt: skip
NOT_KEYS = {"profile", "cluster", "workers", "gpus_per_worker", "ict_facekit"} | {
    dataset.folder_setting for dataset in data.DATASETS
}


def with_what_follows(firsts) -> set[str]:
    """Artefacts with all that stand behind them, near or far."""
    found, waiting = set(), list(firsts)
    while waiting:
        one = waiting.pop()
        waiting += BEHIND[one] - found
        found.add(one)
    return found


class Counted(Store):
    """A store that makes nothing and says for which keys it was asked: an artefact is a folder with a name."""

    def __init__(self, known: Store):
        super().__init__(known.root)
        self.asked: dict[str, set[str]] = {}

    def get(self, step, inputs, make):
        folder = self.folder(step, inputs)
        self.asked.setdefault(inputs["made_by"], set()).add(folder.name)
        return folder


@pytest.fixture
def usual(session_store):
    """The unchanged study, its faces read: made before a test pretends to other versions."""
    study = Study.open("smoke", artefacts=str(session_store.root))
    assert len(study.faces.frames)
    return study


def keys_of(usual, **changed) -> dict[str, set[str]]:
    """The keys of the walk with some settings changed; nothing is made, and faces are those of the unchanged study."""
    study = usual.changed(**changed)
    study.store, study.machine = Counted(usual.store), SimpleNamespace(run=lambda function, jobs, **more: None)
    study._memory = Remembering(usual.faces)
    files = {arm.name: study.arm_path(arm.name) for arm in arms.ARMS}
    study.judged(study.models(study.splits), {name: files[name] for name in study.arms})
    study.joint_arms({"usual": study.joint})
    study.unseen_arm(), study.matched_arm()
    study.make(sweep.course, person=study.others[0], autoencoder=study.autoencoder, marks=(1, 2))
    return study.store.asked


def made_anew(before, after, all_arms=True) -> set[str]:
    """The artefacts of a walk that have other keys than before: all of a kind, but for arms without a network."""
    changed = {what for what in before if before[what] != after[what]}
    assert not any(before[what] & after[what] for what in changed if all_arms or what != "pictured"), changed
    return changed


class Remembering(dict):
    """A memory in which the faces of any folder are the same rows under that folder's name."""

    def __init__(self, faces):
        super().__init__()
        self.faces = faces

    def __contains__(self, what):
        return isinstance(what, Path) or super().__contains__(what)

    def __getitem__(self, what):
        from dataclasses import replace

        return replace(self.faces, folder=what) if isinstance(what, Path) else super().__getitem__(what)


def test_every_setting_is_known_to_this_test():
    assert set(OTHER) | NOT_KEYS == set(Settings.model_fields)


def test_each_setting_makes_exactly_the_right_artefacts_anew(usual):
    before = keys_of(usual)
    assert set(before) == set(BEHIND) and keys_of(usual) == before
    for name, (value, *firsts) in OTHER.items():
        assert made_anew(before, keys_of(usual, **{name: value})) == with_what_follows(firsts), name
    assert keys_of(usual, person_epochs=usual.settings.epochs) == before
    for name, value in (("workers", 3), ("cluster", "slurm"), ("gpus_per_worker", 1), ("profile", "other")):
        assert keys_of(usual, **{name: value}) == before, name


def test_from_random_weights_there_is_no_joint_network_and_everybodys_own_is_another(usual):
    assert usual.changed(joint_iterations=0).start is None
    before, after = keys_of(usual), keys_of(usual, joint_iterations=0)
    assert made_anew(before, after) == with_what_follows(["own_network"]) | {"joint_network", "by_joint"}
    assert len(after["joint_network"]) == 1  # the one that `joint_arms` is asked for, of one iteration


VERSIONS = {
    "rendering.corpora": ("rendered_corpora", "rendered_pairs"), "rendering.pairs": ("rendered_pairs", "on_pairs"),
    "faces.crops": ("cut_faces",), "datasets.bp4d": ("cut_faces",), "datasets.disfa": ("cut_faces",),
    "faces.images": ("pictured", "exact", "exact_still", "joint_network", "motion_network", "reader", "course"),
    "faces.motion": ("pictured", "motion_network", "by_motion"),
    "normaliser.motion": ("motion_network", "by_motion"), "normaliser.reference": ("on_pairs", "by_reference"),
    "normaliser.reader": ("reader", "on_pairs"), "normaliser.examples": ("on_pairs", "by_reference"),
    "normaliser.per_person": ("joint_network", "own_network", "joined", "by_joint", "course"),
    "normaliser.networks": ("joint_network", "own_network", "motion_network", "reader", "on_pairs", "course"),
    "normaliser.augmentation": ("joint_network", "own_network", "motion_network", "on_pairs", "course"),
    "recognition.scores": ("judged",), "recognition.bank": ("judged",), "recognition.protocol": ("judged",),
    "rendering.still": ("held_still",), "measures.score": ("judged",),
}  # fmt: skip


def test_each_version_makes_exactly_the_right_artefacts_anew(usual, monkeypatch):
    """Raising a room's CODE_VERSION changes what is named here and what follows, and nothing that comes before it."""
    before, read = keys_of(usual), rooms.read_room
    for room, firsts in VERSIONS.items():
        raised = lambda name, room=room: (99, read(name)[1]) if name == room else read(name)  # noqa: E731
        monkeypatch.setattr(rooms, "read_room", raised)
        changed = made_anew(before, keys_of(usual), all_arms=False)
        monkeypatch.setattr(rooms, "read_room", read)
        assert with_what_follows(firsts) == changed, room
    assert keys_of(usual) == before


def test_what_has_no_content_cannot_stand_in_a_key():
    with pytest.raises(TypeError, match="object cannot stand in a key"):
        key_of(object())


def test_a_step_cannot_have_what_is_not_in_its_key(tmp_path):
    @step("tiny", rooms=("faces.images",), settings=("seed",))
    def tiny(folder, chosen, number):
        (folder / "text").write_text(f"{chosen.seed} {number}")

    @step("tiny", rooms=("faces.images",), settings=("seed",))
    def greedy(folder, chosen, number):
        (folder / "text").write_text(str(chosen.epochs))

    study = Study.open("smoke", artefacts=str(tmp_path))
    assert (study.make(tiny, number=3) / "text").read_text() == "2022 3"
    assert study.make(tiny, number=3) != study.make(tiny, number=4) != study.changed(seed=1).make(tiny, number=4)
    assert study.changed(epochs=9).make(tiny, number=3) == study.make(tiny, number=3)
    with pytest.raises(AttributeError, match="epochs"):
        study.make(greedy, number=3)
    shutil.rmtree(tmp_path)
