"""Manifests, groups and the integrity report."""

import io
import json

import licensed_trees as trees
import numpy as np
import pandas as pd
import pytest
import yaml

from deepfn_lib.artefacts import project_root
from deepfn_lib.commands.check.folders import check_dataset, failure_table, run_check
from deepfn_lib.datasets.bp4d import PARTICIPANTS, TASKS
from deepfn_lib.datasets.manifests import check_groups, load_manifest, read_groups, template_notice
from deepfn_lib.errors import StudyError
from deepfn_lib.frames import participant_table

DATASETS = ("bp4d", "disfa", "rendered-bp4d", "rendered-disfa", "scanned-bp4d", "scanned-disfa", "orl")


@pytest.mark.parametrize("name", DATASETS)
def test_manifests_keep_the_schema(name):
    manifest = load_manifest(name)
    assert manifest.citation and manifest.licence and manifest.access and manifest.showable_reason


def test_nobody_of_the_licensed_datasets_may_be_shown():
    for name in ("bp4d", "disfa"):
        manifest = load_manifest(name)
        assert manifest.showable == () and manifest.template_consent == () and manifest.smallest_mean == 0
    assert load_manifest("rendered-bp4d").showable == "all"
    assert load_manifest("orl").showable == ()


def test_manifests_agree_with_the_loaders():
    counts = load_manifest("bp4d").counts
    assert counts["participants"] == len(PARTICIPANTS) == counts["female"] + counts["male"]
    assert counts["sessions"] == len(PARTICIPANTS) * len(TASKS)
    assert counts["female"] == sum(person.startswith("F") for person in PARTICIPANTS)
    assert [entry.participant for entry in load_manifest("bp4d").template_ranking][:2] == ["F007", "F022"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "other"}, "names itself 'other'"),
        ({"showable": 3}, "showable"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"licence": None}, "licence"),
        ({"smallest_mean": -1}, "smallest_mean"),
    ],
)
def test_a_manifest_against_the_schema_is_one_line(change, says, tmp_path):
    whole = yaml.safe_load((project_root() / "data_manifests/disfa.yml").read_text())
    (tmp_path / "disfa.yml").write_text(yaml.safe_dump({**whole, **change}))
    with pytest.raises(StudyError, match=says) as problem:
        load_manifest("disfa", tmp_path)
    assert "\n" not in str(problem.value)


def test_manifests_that_are_not_there_or_not_yaml(tmp_path):
    with pytest.raises(StudyError, match="has no manifest"):
        load_manifest("nothing", tmp_path)
    (tmp_path / "broken.yml").write_text("name: [")
    with pytest.raises(StudyError, match="is not YAML"):
        load_manifest("broken", tmp_path)


def test_the_template_of_a_licensed_dataset_is_said():
    assert "consent is not recorded" in template_notice("bp4d", "F007")
    assert template_notice("rendered-bp4d", "F007") == ""


def test_groups_from_a_licensees_file(tmp_path):
    people = participant_table("BP4D", ["F001", "F002", "M001", "M002"])
    path = tmp_path / "groups.csv"
    path.write_text(
        "\ufeffParticipant, Skin_Type ,Skin_Group,note\nf001,II,,x\nF002,5,,\nM001,3,,\nM002,,darker,\n",
        encoding="utf-8",
    )
    table, notices = read_groups(path, people)
    assert not notices
    assert table["skin_group"].tolist() == ["lighter", "darker", "", "darker"]
    assert table["skin_type"].tolist() == [2, 5, 3, -1]
    assert table["gender"].tolist() == ["female", "female", "male", "male"]


def test_groups_of_two_datasets_in_one_file(tmp_path):
    people = pd.concat([participant_table("BP4D", ["F001"]), participant_table("DISFA", ["SN001"])], ignore_index=True)
    path = tmp_path / "groups.csv"
    path.write_text("dataset,participant,gender,skin_type\nBP4D,F001,female,1\nDISFA,SN001,male,6\n")
    table, notices = read_groups(path, people)
    assert not notices and table["gender"].tolist() == ["female", "male"]


def test_group_sizes_are_checked_against_table_4():
    people = participant_table("BP4D", PARTICIPANTS)
    women, men = [p for p in PARTICIPANTS if p[0] == "F"], [p for p in PARTICIPANTS if p[0] == "M"]
    group = dict.fromkeys(women[1:3] + men[:5], "lighter") | dict.fromkeys(women[3:9] + men[5:7], "darker")
    people["skin_group"] = [group.get(person, "") for person in people["participant"]]
    manifest = load_manifest("bp4d")
    assert check_groups(people, manifest, template="F001") == []
    notices = check_groups(people, manifest, template="F002")
    assert notices == ["bp4d, lighter: 6 people, 1 female; the paper has 7, 2 female"]


def _subjects(report, subject):
    return [f"{finding.level}: {finding.text}" for finding in report.findings if finding.subject == subject]


def test_offsets_are_compared_and_one_is_recommended(tmp_path):
    for name, shift in (("same", 0), ("less", -1)):
        root = trees.write_bp4d(tmp_path / name, image_shift=shift, extra_images=0)
        report = check_dataset(root, "BP4D")
        assert _subjects(report, "offset")[0].endswith(f"recommended frame_offset {shift}")
        table = report.tables["Label rows without an image, by offset"]
        assert len(table) == 6
        other = "without image at -1" if shift == 0 else "without image at 0"
        assert table[other].tolist() == [1] * 6
        assert table[f"without image at {shift}"].sum() == 0


def test_report_says_what_is_there(tmp_path):
    root = trees.write_bp4d(tmp_path / "b")
    trees.write_bp4d(root, tasks=("T3",), digits=3)
    (root / "Sequences(2D+3D)/F001/T1/0004.jpg").write_bytes(b"")
    (root / "Sequences(2D+3D)/F001/T2/0006.jpg").unlink()
    report = check_dataset(root, "BP4D")
    assert report.usable
    assert "digits in image names: 3 in 3 sessions, 4 in 6 sessions" in _subjects(report, "names")[0]
    assert any("F001 T2 (1)" in line for line in _subjects(report, "gaps"))
    assert any("1 labelled images are empty files" in line for line in _subjects(report, "files"))
    assert "expected F007" in _subjects(report, "template")[0]
    assert set(report.tables["Template ranking"]["participant"]) == {"F001", "F002", "M001"}


def test_published_ranking_agrees_where_the_counts_do(tmp_path, monkeypatch):
    """A tree whose medians are the published ones is recognised as such."""
    root = trees.write_bp4d(tmp_path, people=("F007", "F022"), tasks=("T1",), frames=6)
    ranking = check_dataset(root, "BP4D").tables["Template ranking"].set_index("participant")["median"]
    whole = load_manifest("bp4d")
    entries = tuple(
        entry.model_copy(update={"participant": one, "median": float(ranking[one])})
        for entry, one in zip(whole.template_ranking, ranking.index)
    )
    agreeing = whole.model_copy(update={"template_ranking": entries})
    monkeypatch.setattr("deepfn_lib.commands.check.bp4d.load_manifest", lambda name: agreeing)
    report = check_dataset(root, "BP4D")
    assert _subjects(report, "template")[0].startswith("good:")


def test_reports_are_saved_and_no_picture_is_written(tmp_path):
    bp4d, disfa = trees.write_bp4d(tmp_path / "b"), trees.write_disfa(tmp_path / "d")
    before = {path: path.stat().st_mtime_ns for root in (bp4d, disfa) for path in root.rglob("*")}
    said = io.StringIO()
    assert run_check(str(bp4d), str(disfa), tmp_path / "out", stream=said) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "check-bp4d.json",
        "check-bp4d.md",
        "check-disfa.json",
        "check-disfa.md",
    }
    saved = json.loads((tmp_path / "out/check-bp4d.json").read_text())
    assert saved["usable"] and saved["tables"]["Template ranking"][0]["participant"] == "F002"
    assert "BP4D check: usable" in said.getvalue() and "DISFA check: usable" in said.getvalue()
    assert {path: path.stat().st_mtime_ns for root in (bp4d, disfa) for path in root.rglob("*")} == before
    assert run_check(str(tmp_path / "nowhere"), str(disfa), stream=said) == 1
    with pytest.raises(StudyError, match="nothing to check"):
        run_check()


def test_videos_are_told_by_what_is_in_them(tmp_path):
    root = trees.write_disfa(tmp_path, cameras=("left",))
    for person, spoiling in (("SN001", {"dropped": (5,)}), ("SN002", {"zeroed": (3,)}), ("SN010", {"claimed": 9})):
        trees.spoil_video(root / f"Videos_LeftCamera/LeftVideo{person}_comp.avi", **spoiling)
    report = check_dataset(root, "DISFA")
    assert _subjects(report, "videos") == [
        "note: 1 left videos have frames that were dropped (1 in all); their rows are left out, no other moves: SN001",
        "note: 1 left videos have frames of nothing but zeros (1 in all): SN002",
        "note: 1 left videos have another number of frames than their headers say; what is in them counts: SN010",
        "good: 3 left videos",
    ]
    table = report.tables["Videos that are not as their labels"].set_index("participant")
    assert table["video frames"].tolist() == [12, 12, 12]
    assert table["dropped"].tolist() == [1, 0, 0] and table["header's"].tolist() == [12, 12, 9]


def test_at_most_one_image_a_participant_is_opened(tmp_path, monkeypatch):
    from deepfn_lib.faces import sources

    opened, read = [], sources.read_grey
    monkeypatch.setattr(sources, "read_grey", lambda path: opened.append(path) or read(path))
    check_dataset(trees.write_bp4d(tmp_path), "BP4D")
    assert len(opened) == 3


def test_detection_failures_by_group():
    detections = pd.DataFrame(
        {"participant": ["F001", "F002", "M001"], "due": [10, 10, 20], "failed": [1, 2, 0], "recovered": [1, 0, 0]}
    )
    people = participant_table("BP4D", ["F001", "F002", "M001"])
    people["skin_group"] = ["lighter", "darker", ""]
    table = failure_table(detections, people).set_index(["by", "group"])
    assert table.loc[("gender", "female"), "failure %"] == 15
    assert table.loc[("gender", "female"), "not even beside"] == 2
    assert table.loc[("gender", "male"), "failure %"] == 0
    assert table.loc[("skin group", "darker"), "without a face"] == 2
    assert table.loc[("skin group", "not given"), "people"] == 1


def test_detection_failures_of_a_faces_artefact_are_reported(tmp_path):
    root = trees.write_bp4d(tmp_path / "b")
    faces = tmp_path / "faces"
    faces.mkdir()
    people = participant_table("BP4D", ["F001", "F002", "M001"])
    people.to_parquet(faces / "participants.parquet")
    rows = [
        ("BP4D", person, task, 12, 3, int(person == "M001"), 0)
        for person in people["participant"]
        for task in ("T1", "T2")
    ]
    names = ["dataset", "participant", "task", "frames", "due", "failed", "recovered"]
    pd.DataFrame(rows, columns=names).to_parquet(faces / "detections.parquet")
    report = check_dataset(root, "BP4D", faces=faces)
    table = report.tables["Detection failures by group"].set_index("group")["failure %"]
    assert np.isclose(table["male"], 33.33) and table["female"] == 0
    broken = check_dataset(root, "BP4D", faces=tmp_path / "nowhere")
    assert not broken.usable
