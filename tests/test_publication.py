"""The gate for pictures of people, and the scan that proves it: what may be shown is traced, the rest is refused."""

import base64
import io
import json

import cv2
import nbformat
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from deepfn_lib.artefacts import Store
from deepfn_lib.commands.cleaning import CARD_METADATA, clean_notebook, used_artefacts
from deepfn_lib.commands.scan import scan_book
from deepfn_lib.errors import StudyError
from deepfn_lib.page import Mean, card, face_grid, gate
from deepfn_lib.page.plotly_mime import MIME_TYPE, figure_markup
from deepfn_lib.settings import load_settings
from deepfn_lib.study import Study

SHOWN, HIDDEN = "rendered-bp4d/F001", "bp4d/F001"


@pytest.fixture()
def face():
    return np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)


def embedded(markup):
    return [base64.b64decode(part.split('"')[0]) for part in markup.split("data:image/png;base64,")[1:]]


def test_a_picture_of_showable_people_carries_them(face):
    shown = face_grid(
        [[face, None, face]], [[SHOWN, "", (SHOWN, "rendered-disfa/SN001")]], ["row"], caption="Two <b>faces"
    )
    (data,) = embedded(shown.markup)
    people, means = gate.read_people(data)
    assert people == [SHOWN, "rendered-disfa/SN001"] and means == []
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None
    assert not shown.refusal and "Two &lt;b&gt;faces" in shown.markup and 'alt="Two' in shown.markup
    assert set(shown._repr_mimebundle_()) == {"text/html", "text/plain"}


@pytest.mark.parametrize(
    "who", [HIDDEN, "disfa/SN001", "unheard-of/F001", (SHOWN, HIDDEN), [[SHOWN], [HIDDEN]]], ids=str
)
def test_anyone_who_may_not_be_shown_makes_a_grey_card(face, who):
    refused = face_grid([[face, face]], [[SHOWN, who]], caption="Faces")
    assert refused.refusal and "may not be shown" in refused.markup and "data_manifests/" in refused.markup
    assert "<img" not in refused.markup and "base64" not in refused.markup


def test_means_need_enough_people(face, monkeypatch):
    few, many = Mean(["bp4d/F001", "bp4d/F002"]), Mean([f"bp4d/F{n:03d}" for n in range(1, 11)])
    assert "mean of 2 people" in face_grid([[face]], [[few]]).refusal  # the manifest lets no mean be shown
    with_means = gate._manifest("bp4d").model_copy(update={"smallest_mean": 10})
    monkeypatch.setattr(gate, "_manifest", lambda name: with_means)
    assert "fewer than 10" in face_grid([[face]], [[few]]).refusal
    allowed = face_grid([[face]], [[many]])
    (data,) = embedded(allowed.markup)
    people, (mean,) = gate.read_people(data)
    assert people == [] and mean.people == many.people
    assert face_grid([[face, face]], [[many, "bp4d/F001"]]).refusal  # one of them alone is another matter


def test_what_is_not_a_face_or_not_named_is_an_error(face):
    with pytest.raises(ValueError, match="shape of rows"):
        face_grid([[face, face]], [[SHOWN]])
    with pytest.raises(ValueError, match="manifest/participant"):
        face_grid([[face]], [["F001"]])
    with pytest.raises(ValueError, match="uint8"):
        face_grid([[face / 255]], [[SHOWN]])
    with pytest.raises(ValueError, match="at least one"):
        face_grid([[None]], [[SHOWN]])
    with pytest.raises(ValueError, match="who is on each image"):
        face_grid([[face]], [[()]])
    with pytest.raises(ValueError, match="somebody"):
        Mean([])
    with pytest.raises(ValueError, match="labels"):
        face_grid([[face]], [[SHOWN]], ["one", "two"])


def test_a_png_that_did_not_pass_the_gate_names_nobody(face):
    assert gate.read_people(cv2.imencode(".png", face)[1].tobytes()) is None
    assert gate.read_people(b"GIF89a") is None
    with pytest.raises(StudyError, match="may not be shown"):
        gate.png(face, [HIDDEN])


@pytest.mark.parametrize(
    "damage", ["cut", "cut in its header", "wrong sum", "another's record", "no such name", "no picture", "empty"]
)
def test_a_damaged_png_did_not_pass_the_gate(tmp_path, face, damage):
    data = gate.png(face, [SHOWN, Mean([SHOWN, "rendered-bp4d/M001"])])
    assert gate.read_people(data)[0] == [SHOWN]
    at = data.index(SHOWN.encode())
    damaged = {
        "cut": data[: len(data) // 2],
        "cut in its header": data[: at + 3],
        "wrong sum": data[:at] + b"X" + data[at + 1 :],
        "another's record": resealed(face, '["somebody"]'),
        "no such name": resealed(face, '{"people": ["somebody"], "means": []}'),
        "no picture": b"\x89PNG\r\n\x1a\n" + data[::-1],
        "empty": b"",
    }[damage]
    assert gate.read_people(damaged) is None
    (tmp_path / "face.png").write_bytes(damaged)
    (problem,) = scan_book(tmp_path).problems
    assert "did not come through the gate" in problem


def resealed(face, record):
    """A whole PNG with a chunk of the gate's name that the gate did not write."""
    stream, chunks = io.BytesIO(), PngImagePlugin.PngInfo()
    chunks.add_text(gate.CHUNK, record)
    Image.fromarray(face).save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()


def test_exports_need_people_who_may_be_shown(tmp_path):
    path = gate.export(tmp_path / "out" / "decoder.weights.h5", [SHOWN, Mean([SHOWN, "rendered-bp4d/M001"])])
    record = json.loads((tmp_path / "out" / "decoder.weights.h5.people.json").read_text())
    assert path.parent.is_dir() and record["people"] == [SHOWN] and len(record["means"][0]) == 2
    for people, reason in (([HIDDEN], "may not be shown"), ([], "name the people"), ([SHOWN, HIDDEN], "may not be")):
        with pytest.raises(StudyError, match=reason):
            gate.export(tmp_path / "other" / "faces.npy", people)
    assert not (tmp_path / "other").exists()


def test_a_template_needs_consent():
    gate.require_template_consent(SHOWN)
    with pytest.raises(StudyError, match="no recorded consent"):
        gate.require_template_consent(HIDDEN)


def test_a_face_made_of_two_people_needs_a_template_who_agreed(face, monkeypatch):
    rendered = gate._manifest("rendered-bp4d")
    pair = ("rendered-bp4d/M001", SHOWN)
    for consent, refused in (("all", False), (("F001",), False), (("F002",), True), ((), True)):
        changed = rendered.model_copy(update={"template_consent": consent})
        monkeypatch.setattr(gate, "_manifest", lambda name, changed=changed: changed)
        assert bool(face_grid([[face, face]], [[pair, SHOWN]]).refusal) == refused
        assert not face_grid([[face]], [[SHOWN]]).refusal  # by herself she is no template


def test_a_picture_of_nobody_says_so(tmp_path, face):
    (tmp_path / "page.html").write_text(gate.picture(face, caption="Noise").markup)
    report = scan_book(tmp_path)
    assert report.problems == [] and report.traced == [("page.html (embedded)", ())]


def planted(kind, face):
    """A page or notebook with a picture written around the gate: (file name, bytes)."""
    png = cv2.imencode(".png", face)[1].tobytes()
    jpeg = cv2.imencode(".jpg", face)[1].tobytes()
    uri = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    heatmap = {"data": [{"type": "heatmap", "z": face.tolist()}], "layout": {}}
    if kind in ("png", "jpg", "npy"):
        return f"face.{kind}", {"png": png, "jpg": jpeg, "npy": face.tobytes()}[kind]
    if kind == "data URI":
        return "page.html", f'<img src="{uri}">'.encode()
    if kind == "bare base64":
        return "page.js", f'var face = "{base64.b64encode(png).decode()}"'.encode()
    if kind == "background":
        return "page.css", f"div {{background: url({uri})}}".encode()
    if kind == "plotly heatmap":
        return "page.html", figure_markup(heatmap).encode()
    image = {"data": [], "layout": {"images": [{"source": uri}]}}
    if kind == "plotly image":
        return "page.html", figure_markup(image).encode()
    cell = nbformat.v4.new_code_cell()
    data = {
        "notebook image": {"image/png": base64.b64encode(png).decode()},
        "notebook heatmap": {MIME_TYPE: heatmap},
        "notebook plotly image": {MIME_TYPE: image},
    }[kind]
    cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    return "page.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode()


@pytest.mark.parametrize(
    "kind",
    [
        "png",
        "jpg",
        "npy",
        "data URI",
        "bare base64",
        "background",
        "plotly heatmap",
        "plotly image",
        "notebook image",
        "notebook heatmap",
        "notebook plotly image",
    ],
)
def test_a_picture_written_around_the_gate_is_found(tmp_path, face, kind):
    name, data = planted(kind, face)
    (tmp_path / name).write_bytes(data)
    report = scan_book(tmp_path)
    assert report.problems and all(problem.startswith(name) for problem in report.problems)
    assert not report.traced


def test_pictures_that_passed_are_traced_and_small_fields_are_no_faces(tmp_path, face):
    shown = face_grid([[face]], [[SHOWN]]).markup
    small = {"data": [{"type": "heatmap", "z": np.eye(5).tolist()}], "layout": {}}
    named = {"data": [{"type": "heatmap", "z": face.tolist()}], "layout": {"meta": {"people": [SHOWN]}}}
    (tmp_path / "page.html").write_text(shown + figure_markup(small) + figure_markup(named))
    report = scan_book(tmp_path)
    assert report.problems == []
    assert len(report.traced) == 2 and report.people == [SHOWN]


def test_somebody_taken_off_the_list_is_found_in_an_old_page(tmp_path, face, monkeypatch):
    (tmp_path / "page.html").write_text(face_grid([[face]], [[SHOWN]]).markup)
    nobody = gate._manifest("rendered-bp4d").model_copy(update={"showable": ()})
    monkeypatch.setattr(gate, "_manifest", lambda name: nobody)
    (problem,) = scan_book(tmp_path).problems
    assert SHOWN in problem
    assert face_grid([[face]], [[SHOWN]]).refusal


def test_files_of_installed_themes_pass_and_changed_ones_do_not(tmp_path):
    from deepfn_lib.commands.scan import _theme_files

    source = next(path for paths in _theme_files().values() for path in paths if path.suffix == ".png")
    data = source.read_bytes()
    (tmp_path / source.name).write_bytes(data)
    assert scan_book(tmp_path).static == 1 and not scan_book(tmp_path).problems
    (tmp_path / source.name).write_bytes(data + b"more")
    assert scan_book(tmp_path).problems


def test_a_cleaned_notebook_has_no_run_metadata_no_paths_and_no_standard_error(tmp_path):
    store = Store(tmp_path / "artefacts")
    cell = nbformat.v4.new_code_cell('overrides = {"bp4d": "/data/secret"}')
    tags = ["injected-parameters", "papermill-x"]
    cell.metadata = nbformat.from_dict({"tags": tags, "papermill": {"duration": 1}, "execution": {"x": "y"}})
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="a bar"),
        nbformat.v4.new_output("stream", name="stdout", text=f"in {store.root}/faces"),
        nbformat.v4.new_output(
            "display_data", data={"text/plain": "card"}, metadata={CARD_METADATA: [["faces", "ab"]]}
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"papermill": {"input_path": str(tmp_path)}})
    assert used_artefacts(notebook) == [["faces", "ab"]]
    clean = clean_notebook(notebook, store.root)
    text = nbformat.writes(clean)
    assert str(tmp_path) not in text and "secret" not in text and "papermill" not in text and "a bar" not in text
    assert "in artefacts/faces" in text and CARD_METADATA not in text
    assert clean.cells[0].metadata == {"tags": ["injected-parameters"]}
    assert notebook.cells[0].metadata["papermill"]  # the original is left as it was


def test_the_card_lists_what_the_chapter_used(tmp_path):
    store = Store(tmp_path)
    folder = store.get("step", {"a": 1}, lambda where: (where / "x.txt").write_text("1"))
    made = card(Study(load_settings("smoke"), store))
    assert ("step", folder.name) in made.artefacts
    bundle, metadata = made._repr_mimebundle_()
    assert folder.name in bundle["text/html"] and "commit" in bundle["text/html"]
    assert ["step", folder.name] in metadata[CARD_METADATA]


def test_an_arm_is_exported_whole_or_not_at_all(session_store, tmp_path, monkeypatch):
    from deepfn_lib.commands.exports import export_arm

    study = Study(load_settings("smoke"), session_store)
    path = export_arm(study, "flow-residual", tmp_path / "faces.npz")
    with np.load(path, allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["faces"], study.arm("flow-residual"))
        assert len(stored["person"]) == len(stored["frame"]) == len(stored["task"]) == len(stored["faces"])
    assert "rendered-bp4d/F007" in (tmp_path / "faces.npz.people.json").read_text()
    with pytest.raises(StudyError, match="ends in .npz"):
        export_arm(study, "original", tmp_path / "faces.csv")
    known = gate._manifest
    for change, message in (({"template_consent": ()}, "no recorded consent"), ({"showable": ()}, "is not exported")):
        monkeypatch.setattr(gate, "_manifest", lambda name, change=change: known(name).model_copy(update=change))
        with pytest.raises(StudyError, match=message):
            export_arm(study, "flow-residual", tmp_path / "other.npz")
        assert not list(tmp_path.glob("other*"))
