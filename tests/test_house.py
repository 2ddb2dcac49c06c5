"""The house: who may import whom, arms known in one place, keys that cannot forget."""

import ast
import inspect
import shutil
from pathlib import Path

import pytest

from deepfn_lib import arms, rooms
from deepfn_lib.artefacts import Store, project_root
from deepfn_lib.errors import StudyError
from deepfn_lib.settings import Settings
from deepfn_lib.study import Study, data, makers, networks, quality, scores, sweep
from deepfn_lib.study.steps import Step, key_of, step

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
        assert not arm.start or arms.find(arm.start).network
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
    assert "normaliser.per_person" in rooms_of("makers", "by_differences", set())


def test_every_reader_of_a_dataset_counts():
    """Loaders are named and not imported."""
    assert {dataset.loader.module for dataset in data.DATASETS} <= set(rooms.code_versions(data.cut_faces.rooms))


def test_a_version_of_a_steps_own_module_counts_where_there_is_one(monkeypatch):
    chosen, read = Settings(profile="none"), rooms.read_room
    steps = (data.cut_faces, networks.own_network, makers.by_differences, makers.exact)
    before = [one.key(chosen, {}) for one in steps]
    raised = lambda name: (1, read(name)[1]) if name == "study.networks" else read(name)  # noqa: E731
    monkeypatch.setattr(rooms, "read_room", raised)
    after = [one.key(chosen, {}) for one in steps]
    assert [one == other for one, other in zip(before, after)] == [True, False, False, False]
    assert after[1]["code"] == {**before[1]["code"], "study.networks": 1}


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


# Every setting of an artefact, with another value of it, and the artefacts of the walk below that it changes. What
# stands behind a changed artefact is changed with it: its key holds the other's.
WALK = ("corpora", "faces", "arm", "scores")
OTHER = {
    "seed": (7, "corpora"), "bp4d_people": (11, "corpora"), "disfa_people": (7, "corpora"),
    "bp4d_frame_rate": (0.5, "corpora"), "disfa_frame_rate": (0.2, "corpora"), "groups": ("g.csv", "faces"),
    "frame_offset": (-1, "faces"), "disfa_camera": ("right", "faces"), "disfa_threshold": (3, "faces"),
    "disfa_drop_error_log": (True, "faces"), "disfa_frames": ("elsewhere", "faces"), "disfa_first_image": (1, "faces"),
    "alignment": ("eyes", "faces"), "detect_every": (3, "faces"), "crop_size": (64, "faces"),
    "pair_people": (5, "arm"), "pair_frames": (7, "arm"), "shared_iterations": (7, "arm"),
    "normaliser_precision": ("bfloat16", "arm"), "normaliser_xla": (True, "arm"),
    "normaliser_arm": ("deepfn-transplanted", "arm"), "arms": (("original",), "scores"),
    "classifier": ("modern", "scores"), "repetitions": (3, "scores"), "person_repetitions": (2, "scores"),
    "train_people": (2, "scores"), "validation_people": (2, "scores"), "train_tasks": (3, "scores"),
    "validation_tasks": (1, "scores"), "epochs": (3, "scores"), "person_epochs": (3, "scores"),
    "classifier_batch": (16, "scores"), "classifier_learning_rate": (0.002, "scores"), "empty_f1": ("zero", "scores"),
}  # fmt: skip
PERSONS = {
    "normaliser_size": 128, "normaliser_width": 0.0625, "normaliser_iterations": 7, "normaliser_batch": 4,
    "normaliser_learning_rate": 0.001, "warp_pixels": 1.0, "loss": "rmse", "seed": 7,
    "normaliser_precision": "bfloat16", "normaliser_xla": True,
}  # fmt: skip
NOT_KEYS = {"profile", "cluster", "workers", "gpus_per_worker", "normaliser_people"}
NOT_KEYS |= {dataset.folder_setting for dataset in data.DATASETS}


class Counted(Store):
    """A store that makes nothing and says for which key it was asked: an artefact is a folder with a name."""

    def __init__(self, known: Store):
        super().__init__(known.root)
        self.asked: dict[str, str] = {}

    def get(self, step, inputs, make):
        folder = self.folder(step, inputs)
        self.asked[inputs["made_by"]] = folder.name
        return folder


@pytest.fixture
def usual(session_store):
    """The unchanged study, its faces read: made before a test pretends to other versions."""
    study = Study.open("smoke", artefacts=str(session_store.root))
    assert len(study.faces.frames)
    return study


def keys_of(usual, **changed) -> dict[str, str]:
    """The keys of the walk with some settings changed; nothing is made, and faces are those of the unchanged study."""
    study = usual.changed(**changed)
    study.store = store = Counted(usual.store)
    study._memory = Remembering(usual.faces)
    study.judged(study.models(study.splits), {name: study.arm_path(name) for name in study.arms})
    study.person_network("deepfn", study.others[0])
    study.network("deepfn-shared")
    named = {"rendered_corpora": "corpora", "cut_faces": "faces", "by_reference": "arm", "judged": "scores"}
    return {named.get(made, made): key for made, key in store.asked.items()}


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
    assert set(OTHER) | set(PERSONS) | NOT_KEYS == set(Settings.model_fields)


def test_each_setting_makes_exactly_the_right_artefacts_anew(usual):
    before = keys_of(usual)
    assert keys_of(usual) == before
    for name, (value, first) in OTHER.items():
        after = keys_of(usual, **{name: value})
        changed = {what for what in WALK if after[what] != before[what]}
        expected = set(WALK[WALK.index(first) :])
        assert changed == expected, name
    for name, value in PERSONS.items():
        after = keys_of(usual, **{name: value})
        assert after["own_network"] != before["own_network"], name
        assert (after["shared_autoencoder"] == before["shared_autoencoder"]) == (name == "normaliser_iterations"), name
    assert keys_of(usual, shared_iterations=7)["shared_autoencoder"] != before["shared_autoencoder"]
    assert keys_of(usual, person_epochs=usual.settings.epochs) == before
    for name, value in (("workers", 3), ("cluster", "slurm"), ("gpus_per_worker", 1), ("profile", "other")):
        assert keys_of(usual, **{name: value}) == before, name


VERSIONS = {
    "rendering.corpora": {"corpora", "faces", "arm", "scores", "pairs"}, "rendering.pairs": {"pairs", "arm"},
    "faces.crops": {"faces", "arm", "scores"}, "faces.images": {"arm", "scores"},
    "normaliser.reference": {"on_pairs", "arm", "scores"}, "normaliser.reader": {"reader", "on_pairs", "arm", "scores"},
    "normaliser.examples": {"on_pairs", "arm", "scores"}, "normaliser.per_person": {"own_network"},
    "normaliser.augmentation": {"on_pairs", "own_network", "arm"}, "recognition.scores": {"scores"},
    "recognition.bank": {"scores"}, "recognition.protocol": {"scores"}, "measures.score": {"scores"},
    "datasets.bp4d": {"faces", "arm", "scores"},
}  # fmt: skip


def test_each_version_makes_exactly_the_right_artefacts_anew(usual, monkeypatch):
    """Raising a room's CODE_VERSION changes at least what is named here, and nothing that comes before it."""
    before, read = keys_of(usual), rooms.read_room
    for room, changes in VERSIONS.items():
        raised = lambda name, room=room: (99, read(name)[1]) if name == room else read(name)  # noqa: E731
        monkeypatch.setattr(rooms, "read_room", raised)
        after = keys_of(usual)
        monkeypatch.setattr(rooms, "read_room", read)
        changed = {what for what in before if after.get(what) != before[what]}
        named = {"pairs": "rendered_pairs"}
        assert {named.get(what, what) for what in changes} <= changed, room
        untouched = WALK[: min((WALK.index(what) for what in changes if what in WALK), default=len(WALK))]
        assert not changed & set(untouched), room
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
