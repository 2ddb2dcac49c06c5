"""Classifiers, score, protocol and bank against other references: scikit-learn, Keras's own fit, hand-made cases."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from chapter_code import chapter_code
from sklearn import metrics as reference

from deepfn_lib.cluster import Machine
from deepfn_lib.errors import StudyError
from deepfn_lib.frames import BP4D_ACTION_UNITS, SHARED_ACTION_UNITS
from deepfn_lib.measures import score
from deepfn_lib.recognition import jobs, protocol, scores

SIZES = protocol.Sizes(train_people=2, validation_people=1, train_tasks=4, validation_tasks=2)


def planted(people=10, tasks=8, frames_per_task=6, disfa=5, disfa_frames=20, seed=0):
    """Frames, participants and faces: each action unit brightens a band of its own, and some labels are missing."""
    random = np.random.default_rng(seed)
    rows, participants = [], []
    for number in range(people):
        name = f"{'FM'[number % 2]}{number:03d}"
        skin = ("lighter", "darker")[number // 2 % 2]
        participants.append((name, "BP4D", ("female", "male")[number % 2], 1 if skin == "lighter" else 6, skin))
        rows += [("BP4D", name, f"T{task + 1}", frame) for task in range(tasks) for frame in range(frames_per_task)]
    for number in range(disfa):
        participants.append((f"SN{number:03d}", "DISFA", "", -1, ""))
        rows += [("DISFA", f"SN{number:03d}", "video", frame) for frame in range(disfa_frames)]
    frames = pd.DataFrame(rows, columns=["dataset", "participant", "task", "frame"])
    labels = (random.random((len(frames), 12)) < 0.3).astype(np.int8)
    faces = random.integers(0, 60, (len(frames), 64, 64))
    for unit in range(12):
        faces[:, 5 * unit : 5 * unit + 5, 20:40] += labels[:, unit, None, None] * 80
    labels[random.random(labels.shape) < 0.03] = -1
    for unit, name in enumerate(BP4D_ACTION_UNITS):
        frames[name] = labels[:, unit]
    columns = ["participant", "dataset", "gender", "skin_type", "skin_group"]
    return frames, pd.DataFrame(participants, columns=columns), faces.astype(np.uint8), labels


# Metric


@pytest.mark.parametrize("empty_f1, zero_division", [("zero", 0.0), ("one-if-no-false-positive", 1.0)])
def test_metric_agrees_with_scikit_learn(empty_f1, zero_division):
    random = np.random.default_rng(1)
    labels = random.integers(-1, 2, (300, 6)).astype(np.int8)
    labels[:, 4] = np.minimum(labels[:, 4], 0)  # an action unit that never occurs
    probabilities = random.random((300, 6)).round(2).astype(np.float16)
    probabilities[:, 4] = 0.1
    groups = random.integers(0, 4, 300)
    ours = score.evaluate(labels, probabilities, groups, 4, empty_f1)
    for group in range(4):
        for unit in range(6):
            rows = (groups == group) & (labels[:, unit] >= 0)
            truth, chance = labels[rows, unit], probabilities[rows, unit]
            predicted = chance >= 0.5
            expected = reference.f1_score(truth, predicted, zero_division=zero_division)
            assert ours["f1"][group, unit] == pytest.approx(expected)
            assert ours["accuracy"][group, unit] == pytest.approx(reference.accuracy_score(truth, predicted))
            assert (ours["n_frames"][group, unit], ours["n_positive"][group, unit]) == (rows.sum(), truth.sum())
            if truth.any():
                assert ours["roc_auc"][group, unit] == pytest.approx(reference.roc_auc_score(truth, chance))
            else:
                assert np.isnan(ours["roc_auc"][group, unit])


def test_empty_f1_policies_by_hand():
    # columns: nothing to find and nothing found; nothing to find but one found; one found of two
    counts = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1]]).T
    assert score.f1_score(*counts, "zero").tolist() == pytest.approx([0, 0, 2 / 3])
    assert score.f1_score(*counts, "one-if-no-false-positive").tolist() == pytest.approx([1, 0, 2 / 3])
    skipped = score.f1_score(*counts, "skip")
    assert np.isnan(skipped[:2]).all() and skipped[2] == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="empty_f1"):
        score.f1_score(*counts, "one")


def test_an_action_unit_without_codes_has_no_score():
    labels = np.full((5, 1), -1, np.int8)
    result = score.evaluate(labels, np.ones((5, 1)), np.zeros(5, int), 1, "one-if-no-false-positive")
    assert np.isnan(result["f1"]).all() and np.isnan(result["accuracy"]).all() and result["n_frames"][0, 0] == 0


@pytest.mark.parametrize("empty_f1", score.EMPTY_F1)
def test_constant_scores_are_the_scores_of_constant_predictions(empty_f1):
    labels = np.array([[1, 0, -1], [0, 0, 1], [0, 0, 1], [1, 0, -1]], np.int8)
    for says in (False, True):
        result = score.evaluate(labels, np.full(labels.shape, float(says)), np.zeros(4, int), 1, empty_f1)
        constant = score.constant_score(result["n_positive"], result["n_frames"], says, empty_f1)
        np.testing.assert_allclose(constant, score.score(result["f1"], result["accuracy"]))


# Protocol


@pytest.fixture(scope="module")
def drawn():
    frames, participants, _, _ = planted()
    splits, notices = protocol.draw_splits(frames, participants, template="F000", repetitions=3, sizes=SIZES, seed=7)
    assert not notices
    return frames, participants, splits, protocol.rows_of(splits, frames)


def test_splits_are_disjoint_and_as_sized(drawn):
    frames, _, splits, models = drawn
    assert "F000" not in set(splits["participant"])
    assert {model.family for model in models} == set(protocol.FAMILIES)
    for model in models:
        rows = [model.train, model.validation, *model.tests.values()]
        assert len(np.unique(np.concatenate(rows))) == sum(map(len, rows))
        unit = "task" if model.family == "person" else "participant"
        sizes = (4, 2) if model.family == "person" else (2, 1)
        assert tuple(frames.iloc[part][unit].nunique() for part in rows[:2]) == sizes
        if model.family != "person":
            people = [set(frames.iloc[part]["participant"]) for part in rows]
            assert sum(map(len, people)) == len(set.union(*people))


def test_tests_cover_the_rest_of_the_group_and_all_of_the_other(drawn):
    frames, participants, _, models = drawn
    women = set(participants.query("gender == 'female'")["participant"]) - {"F000"}
    model = next(m for m in models if (m.family, m.train_group) == ("gender", "male"))
    assert set(frames.iloc[model.tests["female"]]["participant"]) == women
    assert model.condition("female") == "gender-independent" and model.condition("male") == "gender-dependent"
    assert frames.iloc[model.tests["male"]]["participant"].nunique() == 5 - 3
    assert {m.condition(group) for m in models for group in m.tests} == set(protocol.CONDITIONS)


def test_splits_depend_on_the_seed_and_the_pool_alone(drawn):
    frames, participants, splits, _ = drawn
    fewer, _ = protocol.draw_splits(
        frames, participants, template="F000", repetitions=1, sizes=SIZES, seed=7, families=("gender",)
    )
    same = splits.query("family == 'gender' and repetition == 0").reset_index(drop=True)
    pd.testing.assert_frame_equal(fewer, same)
    person, _ = protocol.draw_splits(
        frames, participants, template="F000", repetitions=3, person_repetitions=1, sizes=SIZES, seed=7
    )
    first = splits[(splits["family"] != "person") | (splits["repetition"] == 0)]
    pd.testing.assert_frame_equal(person, first.reset_index(drop=True))
    other, _ = protocol.draw_splits(frames, participants, template="F000", repetitions=3, sizes=SIZES, seed=8)
    assert not other["participant"].equals(splits["participant"])
    trained = splits[(splits["role"] == "train") & (splits["train_group"] == "BP4D")]
    assert (
        trained.groupby("repetition")["participant"].unique().map(len).eq(2).all()
    )  # people and dataset families agree


def test_only_person_dependent_models_have_epochs_of_their_own(drawn):
    frames, _, splits, models = drawn
    own = protocol.rows_of(splits, frames, person_epochs=50)
    assert {model.epochs for model in own if model.family == "person"} == {50}
    assert {model.epochs for model in own if model.family != "person"} == {0}
    assert all(model.epochs == 0 for model in models)


def test_the_control_learns_from_rendered_people_only():
    from deepfn_lib.study.scores import control_split

    people = [*(f"P{number:03d}" for number in range(1, 21)), "F001", "M001"]
    frames = pd.DataFrame({"participant": np.repeat(people, 3)})
    frames["dataset"] = np.where(frames["participant"].str.startswith("P"), "pairs", "BP4D")
    split = control_split(frames)
    who = [set(frames.iloc[rows]["participant"]) for rows in (split.train, split.validation, split.tests["BP4D"])]
    assert who == [set(people[:18]), {"P019", "P020"}, {"F001", "M001"}]
    assert split.condition("BP4D") == "person-independent"


def test_groups_that_are_absent_are_a_notice():
    frames, participants, _, _ = planted(disfa=0)
    participants = participants.assign(skin_group="")
    splits, notices = protocol.draw_splits(frames, participants, template="", repetitions=1, sizes=SIZES, seed=7)
    assert len(notices) == 3 and all("skin" in notice or "DISFA" in notice for notice in notices)
    assert set(splits["family"]) == {"person", "people", "gender", "dataset"}


# Networks and bank


def test_lenet_is_table_3():
    from deepfn_lib.recognition import networks

    model = networks.build("lenet-5", 12, seed=3)
    assert model.count_params() == networks.LENET_PARAMETERS[12] == 388_564
    assert networks.build("lenet-5", 5, seed=3).count_params() == networks.LENET_PARAMETERS[5]
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert shapes == [(62, 62, 6), (31, 31, 6), (29, 29, 16), (14, 14, 16), (3136,), (120,), (84,), (12,)]
    with pytest.raises(StudyError, match="lenet"):
        networks.build("lenet", 12, seed=3)


def test_rearranged_lenet_is_the_keras_model():
    """Outputs and gradients of the bank's arrangement against Keras's layers and TensorFlow's own gradients."""
    import tensorflow as tf

    from deepfn_lib.recognition import bank, lenet_fast, networks

    model = networks.build("lenet-5", 12, seed=3)
    for weight in model.weights:  # biases away from zero, so that their gradients are tested too
        weight.assign(weight + 0.01)
    weights = [weight.value for weight in model.weights]
    scaled = np.random.default_rng(0).normal(0, 1, (7, 64, 64)).astype(np.float32)
    results = []
    faces, cut = scaled[..., None], lenet_fast.patches(scaled)
    for forward in (lambda: model(faces), lambda: bank.lenet_forward(weights, cut)):
        with tf.GradientTape() as tape:
            probabilities = forward()
            loss = tf.reduce_sum(tf.math.log(probabilities))
        results.append([probabilities, *tape.gradient(loss, weights)])
    for expected, found in zip(*results):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, atol=1e-5 * scale)


def test_splits_of_any_size_are_trained_without_tracing_anew():
    from deepfn_lib.recognition.bank import Bank, Training

    bank, random = Bank(Training(), 3), np.random.default_rng(0)
    for seed, (train, validation, epochs) in enumerate([(40, 9, 1), (33, 20, 2), (70, 8, 3)]):
        images = random.integers(0, 256, (train + validation, 64, 64), dtype=np.uint8)
        labels = random.integers(0, 2, (train + validation, 3), dtype=np.int8)
        course = bank.train(images[:train], labels[:train], images[train:], labels[train:], seed, epochs=epochs)
        assert len(course.losses) == epochs
    assert bank._train.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("classifier", ["lenet-5", "modern"])
def test_initialise_gives_the_weights_of_a_fresh_model(classifier):
    from deepfn_lib.recognition import networks

    used = networks.build(classifier, 5, seed=1)
    for weight in used.weights:
        weight.assign(weight + 1)
    networks.initialise(used, seed=2)
    for weight, fresh in zip(used.get_weights(), networks.build(classifier, 5, seed=2).get_weights()):
        np.testing.assert_array_equal(weight, fresh)


@pytest.mark.parametrize("empty_f1", score.EMPTY_F1)
def test_validation_f1_is_the_metric(empty_f1):
    from deepfn_lib.recognition import bank

    random = np.random.default_rng(2)
    labels = random.integers(-1, 2, (50, 5)).astype(np.int8)
    labels[:, 1], labels[:, 2] = -1, 0
    predicted = random.random((50, 5)) < 0.5
    predicted[:, 2] = False
    f1 = score.f1_score(*score.confusion(labels, predicted)[:3], empty_f1)[0]
    expected = np.nanmean(f1[(labels >= 0).any(axis=0)])
    assert float(bank.mean_f1(labels, predicted, empty_f1)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("inputs", ["standardised", "0-1"])
@pytest.mark.parametrize("classifier", ["lenet-5", "modern"])
def test_bank_trains_as_fit_does(classifier, inputs):
    """Same seeds, same shuffles: equal losses, epochs and predictions, for the second training of a used bank."""
    from deepfn_lib.commands.bench import plain
    from deepfn_lib.recognition import bank

    _, _, faces, labels = planted()
    train, validation, test = slice(0, 150), slice(150, 210), slice(210, 300)
    training = bank.Training(classifier=classifier, epochs=3, batch=32, learning_rate=2e-4, inputs=inputs)
    used = bank.Bank(training, 12)
    arguments = (faces[train], labels[train], faces[validation], labels[validation])
    used.train(*arguments, seed=4)
    course = used.train(*arguments, seed=5)
    model, expected = plain.train(training, *arguments, seed=5, same_order=True)
    np.testing.assert_allclose(course.losses, expected.losses, rtol=1e-4)
    np.testing.assert_allclose(course.validation_f1, expected.validation_f1, atol=0.02)
    assert course.best_epoch == expected.best_epoch
    seen = plain.scaled(faces[test], *bank.scale(faces[train], inputs))
    if inputs == "0-1":
        np.testing.assert_array_equal(seen, faces[test, ..., None].astype(np.float32) / np.float32(255))
    np.testing.assert_allclose(used.predict(faces[test]), model.predict(seen, verbose=0), atol=2e-3)


def test_what_a_classifier_sees_by_hand():
    """Two pictures of two pixels: the mean picture is 20, 50 and all deviations from it 10."""
    from deepfn_lib.recognition import bank

    pictures = np.array([[[10, 40]], [[30, 60]]], np.uint8)
    mean, deviation = bank.scale(pictures, "standardised")
    assert mean.tolist() == [[20, 50]] and mean.dtype == np.float32 and deviation == 10
    wider = np.array([[[10, 40]], [[30, 110]]], np.uint8)
    mean, deviation = bank.scale(wider, "standardised")
    assert mean.tolist() == [[20, 75]] and deviation == pytest.approx(np.sqrt((10**2 + 35**2) / 2))
    assert bank.scale(np.repeat(pictures[:1], 3, axis=0), "standardised")[1] == 1  # never nothing
    nothing, whole = bank.scale(pictures, "0-1")
    assert nothing.tolist() == [[0, 0]] and whole == 255


@pytest.mark.parametrize("classifier", ["lenet-5", "modern"])
def test_the_scale_is_the_training_frames_and_nobody_elses(classifier):
    from deepfn_lib.recognition import bank, lenet_fast

    _, _, faces, labels = planted()
    validation_faces = 255 - faces[100:150]
    for inputs in ("standardised", "0-1"):
        used = bank.Bank(bank.Training(classifier=classifier, epochs=1, inputs=inputs), 12)
        used.train(faces[:100], labels[:100], validation_faces, labels[100:150], seed=1)
        mean, deviation = bank.scale(faces[:100], inputs)
        wanted = (faces[150:160] - mean) / np.float32(deviation)
        if classifier == "lenet-5":
            wanted = lenet_fast.patches(wanted)  # whose constant stays 1
        np.testing.assert_allclose(used._scaled(used.prepare(faces[150:160])), wanted, atol=1e-5)


@pytest.mark.parametrize("grey", [40, 100, 140])
def test_contrast_around_any_grey_changes_no_prediction(grey):
    """An arm and the same arm at twice its contrast, without clipping, are one to a classifier; at 0-1 they are not."""
    from deepfn_lib.recognition import bank

    _, _, faces, labels = planted()
    low = (70 + faces // 4).astype(np.uint8)  # 70 to 104
    high = 2 * (low.astype(int) - grey) + grey
    assert 0 <= high.min() and high.max() <= 255
    found = {}
    for inputs in ("standardised", "0-1"):
        used = bank.Bank(bank.Training(epochs=2, learning_rate=1e-3, inputs=inputs), 12)
        found[inputs] = []
        for pictures in (low, high.astype(np.uint8)):
            course = used.train(pictures[:100], labels[:100], pictures[100:150], labels[100:150], seed=3)
            found[inputs].append((used.predict(pictures[150:]), course.losses))
    for one, other in zip(*found["standardised"]):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.abs(found["0-1"][0][0] - found["0-1"][1][0]).max() > 1e-2


def test_bank_repeats_itself_exactly():
    from deepfn_lib.recognition import bank

    _, _, faces, labels = planted()
    used = bank.Bank(bank.Training(epochs=2, learning_rate=1e-3), 12)
    arguments = (faces[:100], labels[:100], faces[100:150], labels[100:150])
    first, other, again = (used.train(*arguments, seed=seed) for seed in (1, 2, 1))
    np.testing.assert_array_equal(first.losses, again.losses)
    assert not np.array_equal(first.losses, other.losses)


# The whole protocol


@pytest.fixture(scope="module")
def protocol_run(tmp_path_factory, drawn):
    frames, _, splits, models = drawn
    _, _, faces, labels = planted()
    folder = tmp_path_factory.mktemp("scores")
    np.save(folder / "faces.npy", faces)
    np.save(folder / "inverted.npy", 255 - faces)
    few = splits.query("family in ('dataset', 'gender') and repetition == 0")
    arms = {"original": folder / "faces.npy", "inverted": folder / "inverted.npy"}
    training = protocol.Training("lenet-5", epochs=2, batch=16, learning_rate=1e-3, empty_f1="zero")
    models, machine = protocol.rows_of(few, frames), Machine(workers=1)
    scores.train_and_judge(
        folder, frames, models, arms, seed=7, training=training, keep_predictions=["dataset"], machine=machine
    )
    return folder, frames, models, labels


def test_a_part_is_whole_or_not_there(tmp_path, monkeypatch):
    """What a kill leaves half written is no part for the next run, and its predictions are not kept."""
    result = jobs.Result("m", np.zeros(1), np.zeros(1), 0, {}, {"women": np.ones((2, 12), np.float16)})
    path, savez = scores._part(tmp_path, "original", "m"), np.savez
    seen = []

    def killed(stream, **arrays):
        stream.write(b"half")
        seen.extend(list(path.parent.glob("*.npz")))
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", killed)
    with pytest.raises(KeyboardInterrupt):
        scores._write_part(path, result)
    assert not seen and not list(path.parent.iterdir())
    monkeypatch.setattr(np, "savez", savez)
    scores._write_part(path, result)
    scores._move_predictions(tmp_path)
    with np.load(tmp_path / "predictions" / "original" / "m.npz") as kept:
        assert kept.files == ["women"]


def test_scores_have_the_columns_and_rows_of_the_contract(protocol_run):
    folder, frames, models, _ = protocol_run
    table, constants = (pd.read_parquet(folder / "scores.parquet"), pd.read_parquet(folder / "constants.parquet"))
    assert list(table.columns) == scores.SCORE_COLUMNS
    tests = [(m.family, frames.iloc[rows]["participant"].nunique()) for m in models for rows in m.tests.values()]
    per_arm = sum(people * (5 if family == "dataset" else 12) for family, people in tests)
    assert len(table) == 2 * per_arm and len(constants) == per_arm
    assert not table.duplicated([*scores.KEYS, "arm"]).any()
    assert set(table.query("condition == 'dataset-independent'")["action_unit"]) == set(SHARED_ACTION_UNITS)
    assert (constants["best_constant_score"] <= constants[["always_score", "never_score"]].max(axis=1) + 1e-12).all()
    assert not (folder / "parts").exists()


def test_scores_recomputed_from_stored_predictions(protocol_run):
    """One condition again from the probabilities, by scikit-learn and NumPy."""
    folder, frames, models, labels = protocol_run
    table = pd.read_parquet(folder / "scores.parquet").query("condition == 'dataset-independent'")
    table = table.set_index(["arm", "train_group", "repetition", "participant", "action_unit"])
    columns = [BP4D_ACTION_UNITS.index(unit) for unit in SHARED_ACTION_UNITS]
    checked = 0
    for model in (m for m in models if m.family == "dataset"):
        (group,) = set(model.tests) - {model.train_group}
        rows = model.tests[group]
        people = frames["participant"].to_numpy()[rows]
        for arm in ("original", "inverted"):
            with np.load(folder / "predictions" / arm / f"{model.name}.npz") as stored:
                predicted = stored[group] >= 0.5
            for person in np.unique(people):
                for column, (unit, label) in enumerate(zip(SHARED_ACTION_UNITS, columns)):
                    own = (people == person) & (labels[rows, label] >= 0)
                    truth, said = labels[rows[own], label], predicted[own, column]
                    row = table.loc[(arm, model.train_group, 0, person, unit)]
                    assert row["f1"] == pytest.approx(reference.f1_score(truth, said, zero_division=0))
                    assert row["accuracy"] == pytest.approx(np.mean(truth == said))
                    checked += 1
    assert checked == len(table)


def test_person_specific_curve_uses_nested_frames_and_equal_steps(drawn, protocol_run, tmp_path):
    from deepfn_lib.recognition.jobs import Training

    page = chapter_code("13")
    frames, _, splits, models = drawn
    model = next(m for m in models if m.family == "person")
    few, more = (page.fewer_frames(model, n, seed=7).train for n in (5, 12))
    assert set(few) < set(more) < set(model.train) and len(few) == 5
    assert page.equal_steps(24, 24, epochs=3, batch=16) == 3
    assert page.equal_steps(5, 24, epochs=3, batch=16) == 6
    training = Training(epochs=1, batch=16, learning_rate=1e-3, empty_f1="zero")
    here = SimpleNamespace(
        run=lambda function, jobs, done, **_: [done(position, function(*job)) for position, job in enumerate(jobs)]
    )

    def scores_of_models(models, names):
        folder, arms = tmp_path / models[0].label, {name: protocol_run[0] / "faces.npy" for name in names}
        folder.mkdir()
        scores.train_and_judge(folder, frames, models, arms, seed=7, training=training, machine=here)
        return pd.read_parquet(folder / "scores.parquet")

    study = SimpleNamespace(settings=SimpleNamespace(seed=7), scores_of_models=scores_of_models)
    one = splits.query("family == 'person' and repetition == 0")
    people = page.people_of_curve(one, 2, seed=7)
    whole = protocol.rows_of(one[one["train_group"].isin(people)], frames)
    curve = page.curve_scores(study, whole, (6, 24, 10_000), training, ["original"])
    assert list(curve.columns) == [*scores.SCORE_COLUMNS, "frames_per_person"]
    assert curve["participant"].nunique() == 2 and set(curve["frames_per_person"]) == {6, 24}


# Larger recognisers (chapter 16)


def test_training_sets_of_different_sizes_are_nested(drawn):
    frames, participants, _, _ = drawn
    sets = {}
    for number in (2, 4):
        splits, _ = protocol.draw_splits(
            frames,
            participants,
            template="F001",
            repetitions=2,
            sizes=protocol.Sizes(train_people=number),
            seed=7,
            families=("people",),
        )
        train = splits[splits["role"] == "train"]
        sets[number] = train.groupby("repetition")["participant"].agg(set)
    for repetition in sets[2].index:
        assert sets[2][repetition] < sets[4][repetition]


def size_scores(tested: dict[int, list[str]]) -> pd.DataFrame:
    """Rows as `Study.scores_of` gives them: who was tested in which repetition."""
    rows = [
        {"condition": "person-independent", "arm": arm, "repetition": repetition, "participant": person, "f1": 0.5}
        for repetition, people in tested.items()
        for person in people
        for arm in ("original", "deepfn")
    ]
    return pd.DataFrame(rows)


def test_growing_scores_cover_each_size_once_and_say_what_is_left_out():
    from deepfn_lib.settings import load_settings

    page, people, asked = chapter_code("16"), [f"F{n:03d}" for n in range(10)], []

    def changed(train_people, classifier):
        def scores_of(files):
            asked.append((train_people, classifier, sorted(files)))
            return size_scores({0: people[train_people + 2 :], 1: people[1 : 9 - train_people]})

        return SimpleNamespace(scores_of=scores_of)

    own = size_scores({0: people[4:], 1: people[1:7]})
    study = SimpleNamespace(
        settings=load_settings("quick", {"train_people": 2, "validation_people": 2}),
        others=[*(f"BP4D/{name}" for name in people), "DISFA/SN001"],
        scores=pd.concat([own.assign(condition="skin-dependent"), own.assign(arm="flow-residual"), own]),
        arm_path=lambda arm: arm,
        changed=changed,
    )
    found, notices = page.growing_scores(study, ["original", "deepfn"], [2, 3, 3, 7], ["lenet-5", "modern"])
    assert asked == [(3, "lenet-5", ["deepfn", "original"]), (2, "modern", ["deepfn", "original"])]
    assert notices == ["7 training people leave 1 of 10 to test: this size is left out"]
    sizes = found[page.POINT].drop_duplicates().to_numpy().tolist()
    assert sizes == [[2, "lenet-5"], [3, "lenet-5"], [2, "modern"]]
    assert set(found["condition"]) == {"person-independent"} and set(found["arm"]) == {"original", "deepfn"}

    shared = page.tested_in_all(found)
    for size, rows in shared.groupby(page.POINT):
        together = rows.groupby("repetition")["participant"].agg(set)
        assert together[0] == set(people[5:10]) and together[1] == set(people[1:6]), size


def test_growing_scores_refuse_a_study_in_which_nobody_is_left_to_test():
    from deepfn_lib.settings import load_settings

    study = SimpleNamespace(settings=load_settings("quick"), others=[f"BP4D/F{n:03d}" for n in range(6)])
    with pytest.raises(StudyError, match="4 training people leave 0 of 6 to test.*set train_people lower"):
        chapter_code("16").growing_scores(study, ["original"], [8], [])
