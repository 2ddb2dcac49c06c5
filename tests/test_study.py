"""A study: what it refuses, what its keys know of a licensee's files, and what it sends to workers."""

import pickle
from dataclasses import dataclass, replace
from types import SimpleNamespace

import licensed_trees as trees
import numpy as np
import pytest

from deepfn_lib.arms import ARMS, ORACLE
from deepfn_lib.artefacts import Store
from deepfn_lib.cluster import Machine
from deepfn_lib.errors import StudyError
from deepfn_lib.faces import images
from deepfn_lib.settings import load_settings
from deepfn_lib.study import Study, data, makers, study
from deepfn_lib.template import MeanFace, Template


def test_a_changed_setting_is_one_that_there_is():
    usual = Study.open("smoke")
    assert usual.changed(warp_pixels=3).autoencoder.key == usual.changed(warp_pixels=3.0).autoencoder.key
    with pytest.raises(StudyError, match="'epoch' is unknown .did you mean 'epochs'"):
        usual.changed(epoch=3)
    with pytest.raises(StudyError, match="setting epochs: .* got 0"):
        usual.changed(epochs=0)


def test_an_arm_without_a_network_for_everybody_says_so():
    usual = Study.open("smoke")
    for name in ("equalised", "deepfn"):
        with pytest.raises(StudyError, match=f"the arm {name} has no network for everybody; .* are deepfn-motion"):
            usual.network(name)


def test_what_needs_exact_answers_or_pairs_says_so():
    usual = Study.open("smoke", {"pair_frames": 0})
    with pytest.raises(StudyError, match="set pair_people and pair_frames above 0"):
        assert usual.pairs
    usual.__dict__["faces"] = SimpleNamespace(truth=None)
    with pytest.raises(StudyError, match="measuring augmentations needs the exact answer"):
        usual.swept(["BP4D/F001"], [], 1, 1)


def test_exact_answers_are_refused_on_licensed_data(tmp_path):
    exact = [arm.name for arm in ARMS if arm.exact]
    assert exact == ["oracle", "oracle-still"] and exact[0] == ORACLE
    assert exact[1] not in Study.open("smoke").settings.arms  # it is rendered when it is asked for
    licensed = Study.open("smoke", {"arms": ("original", *exact), "disfa": str(tmp_path)}, str(tmp_path))
    licensed.__dict__["faces"] = SimpleNamespace(truth=None)
    assert not {*licensed.arms} & {*exact}
    for name in exact:
        with pytest.raises(StudyError, match=f"the {name} arm needs the exact answer, .*; leave it out of `arms`"):
            licensed.arm_path(name)
    with pytest.raises(StudyError, match="holding the head still needs the exact answer"):
        assert licensed.still


def test_both_exact_arms_are_their_pictures_equalised(tmp_path):
    random = np.random.default_rng(0)
    truth, still = random.integers(0, 200, (2, 5, 64, 64)).astype(np.uint8)
    np.save(tmp_path / makers.FILE, still)
    faces = SimpleNamespace(images=truth, truth=truth, names=np.array(list("abaab")))
    for made, given, pictures in ((makers.exact, {}, truth), (makers.exact_still, {"still": tmp_path}, still)):
        folder = tmp_path / made.function.__name__
        folder.mkdir()
        made.function(folder, faces=faces, **given)
        np.testing.assert_array_equal(np.load(folder / makers.FILE), images.equalise(pictures))


def test_a_groups_file_and_extracted_frames_count_with_what_they_hold(tmp_path):
    trees.write_disfa(tmp_path / "disfa", people=("SN001",))
    groups, frames = tmp_path / "groups.csv", tmp_path / "frames" / "SN001"
    frames.mkdir(parents=True)
    groups.write_text("participant,skin_group\nSN001,lighter\n")
    beside = {"groups": str(groups), "disfa_frames": str(frames.parent)}

    def key(**more):
        return data.licensed(load_settings("smoke", {"disfa": str(tmp_path / "disfa"), **more})).key

    before = [key(), key(**beside)]
    assert before == [key(), key(**beside)]
    groups.write_text("participant,skin_group\nSN001,darker\n")
    before.append(key(**beside))
    (frames / "1.png").touch()
    assert len({*before, key(**beside)}) == 4 and key() == before[0]


def test_a_groups_file_beside_rendered_corpora_counts_too(tmp_path):
    groups = tmp_path / "groups.csv"

    def key(**given):
        return data.rendered(tmp_path / "made", load_settings("smoke", given)).key

    groups.write_text("participant,skin_group\nF001,lighter\n")
    before = key(groups=str(groups))
    groups.write_text("participant,skin_group\nF001,darker\n")
    assert len({before, key(groups=str(groups)), key()}) == 3 and key() == "made"


def test_data_are_looked_at_anew_by_each_study_and_once_for_its_workers(tmp_path):
    root = trees.write_disfa(tmp_path / "disfa", people=("SN001",), cameras=("left",))
    first = Study.open("smoke", {"disfa": str(root)}, str(tmp_path))
    before = first.corpora.key
    next(root.rglob("*_au1.txt")).write_text("1,0\n")
    assert first.changed(epochs=2).corpora.key == before == study._opened(first._packed).corpora.key
    assert Study.open("smoke", {"disfa": str(root)}, str(tmp_path)).corpora.key != before


def test_a_worker_sees_the_same_settings_store_and_template(tmp_path):
    sent = Study.open("smoke", {"seed": 7}, str(tmp_path)).at_budget(0.5).wearing(MeanFace())
    sent.__dict__["corpora"] = data.rendered(tmp_path, sent.settings)
    opened = study._opened(pickle.loads(pickle.dumps(sent._packed)))
    assert (opened.settings, opened.store.root, opened.template) == (sent.settings, sent.store.root, sent.template)


@dataclass
class Known:
    """Something of a study that is there already and says its key."""

    key: str
    rendered: bool = True


def test_workers_get_small_jobs_for_what_is_missing_and_find_the_rest(monkeypatch):
    asked, sent = [], []

    def get(store, kind, inputs, make):
        asked.append(inputs["made_by"])
        return store.folder(kind, inputs)

    def run(machine, function, jobs, **more):
        sent.extend((function, pickle.dumps(job), list(asked)) for job in jobs)

    monkeypatch.setattr(Store, "get", get)
    monkeypatch.setattr(Machine, "run", run)
    everyone = Study.open("smoke")
    known = {"corpora": Known("c"), "chosen_template": Template("F001", None), "others": ["BP4D/F002", "BP4D/M001"]}
    everyone.__dict__.update(known)
    monkeypatch.setattr(data, "read_faces", lambda folder, manifests: Known("f"))
    monkeypatch.setattr(Known, "manifests", {}, raising=False)
    monkeypatch.setattr(Known, "pictures", Known("f"), raising=False)
    recipes = {"one": everyone.joint, "other": replace(everyone.joint, seed=7)}
    assert list(everyone.joint_arms(recipes)) == ["one", "other"]
    assert [function for function, _, _ in sent] == [study._joint_arm] * 2
    assert set(sent[0][2]) == {"cut_faces"}  # what workers find there already
    assert list(everyone.person_networks("deepfn")) == known["others"]
    assert [function for function, _, _ in sent[2:]] == [study._person_network] * 2
    assert "joint_network" in sent[2][2]
    assert all(len(job) < 4000 for _, job, _ in sent)
    monkeypatch.setattr(Study, "is_made", lambda study, step, **given: given.get("person") != "BP4D/M001")
    del sent[:]
    assert list(everyone.person_networks("deepfn")) == known["others"] and len(sent) == 1
    assert len(everyone.joint_arms({"one": everyone.joint})) == len(sent) == 1


def test_budgets_change_every_networks_iterations_and_nothing_else():
    usual = Study.open("smoke", {"joint_iterations": 0, "normaliser_iterations": 40})
    small = usual.at_budget(0.1)
    changed = {name for name, value in small.settings if value != getattr(usual.settings, name)}
    assert changed == {"normaliser_iterations", "motion_iterations", "taught_iterations"}
    assert (small.settings.joint_iterations, small.settings.normaliser_iterations) == (0, 4)
    assert small.settings.motion_iterations == 1  # never none
