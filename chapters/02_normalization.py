# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Moving an expression to another face
#
# **Can one person's expression be drawn on another person's face, when nobody ever shows the two doing the same
# thing?**
#
# A classifier that has learnt smiles from four people meets a fifth whose mouth is wider, whose brows are darker and
# who sits lower in the chair. The paper's answer is to move everyone onto one face, the *template's*, before the
# classifier sees anything. What should remain is the expression: the *action units*, single visible movements of the
# face such as AU12, lip corners up, and AU04, brows down. This chapter builds the method of section 3.1 from its
# tables and equations, shows on a toy why it can work and how it fails, and then runs it.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
toy_template = "F007"  # rendered person who is the toy's template
toy_person = "M001"  # rendered person who is moved to it
toy_codes = 3  # numbers in the toy's code; it has three action units
shown_frames = 6  # frames in each row of pictures

# %%
from deepfn_lib.device import configure_tensorflow

tf = configure_tensorflow()

# %%
import time

import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from IPython.display import display
from keras import layers

from deepfn_lib import arms, page
from deepfn_lib.faces import images
from deepfn_lib.normaliser import autoencoder, networks
from deepfn_lib.normaliser.augmentation import Augmentation, augment
from deepfn_lib.normaliser.recipe import AutoencoderRecipe
from deepfn_lib.page import figures, say, table
from deepfn_lib.rendering.toys import render_moment
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
settings = study.settings
figures.use_theme()

# %% [markdown]
# ## What the paper says, and where we differ
#
# One network per person. An encoder $E$, common to two people, squeezes a face into a code; each of the two has a
# decoder of their own that draws their face from it.
#
# > As the same encoder is used to embed the images of the two appearances, the latent space learns to capture the
# > sources of variance shared by the two inputs (e.g., head poses and facial expressions). (§3.1)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | RMSE in the text, absolute error in Eq. 1 | absolute; `loss` is a setting | the code base has it so | small |
# | transforms and warps without numbers | the code base's numbers | something must be chosen | large, chapter 11 |
# | LeakyReLU's slope, dense activations | 0.1, and none | the code base has it so | none on the counts |
# | optimiser of the shared encoder | one Adam for each autoencoder | each keeps its own moments | unknown |
# | crops not described | chapter 01's crop, whole | as tight as the code base's middle 160 of 256 | none meant |
# | each network from random weights | from a joint one, where reduced | the paper's own section 6 | chapter 10 |
# | 50,000 iterations at 128 pixels, 66 people | fewer and smaller in `quick`, everybody | years on two cores | below |

# %%
reduced = {
    "size": "image side, pixels",
    "width": "share of filters and units",
    "iterations": "iterations",
    "batch": "images in a batch",
    "learning_rate": "learning rate",
}
numbers = pd.DataFrame({"setting": list(reduced.values())})
papers = Study.open("paper", artefacts=artefacts).settings
for whose, chosen in {"the paper": papers, "this run": settings}.items():
    values = [getattr(chosen, f"normaliser_{name}") for name in reduced]
    numbers[whose] = [f"{value:g}" for value in values]
table(numbers, "What this run reduces.")

# %% [markdown]
# ## A toy we can solve: linear faces
#
# Two rendered people make faces of three action units in random amounts: AU04, AU12 and AU26, the jaw dropping. They
# never make the same face. As the faces are rendered, we can also draw what nobody trains on: the template making
# exactly the person's expressions. That is the *exact answer*.

# %%
random = np.random.default_rng(settings.seed)
amounts = {"template": random.random((24, 3)), "person": random.random((16, 3))}


def album(participant, moments):
    """Equalised faces of 64 × 64 pixels, one a row of numbers between 0 and 1."""
    units = [dict(zip((4, 12, 26), moment)) for moment in moments]
    how = {"seed": settings.seed, "size": 64}
    pictures = [render_moment(participant, made, **how) for made in units]
    return images.equalise(np.stack(pictures)).reshape(len(units), -1) / 255


# %%
template_album = album(toy_template, amounts["template"])
person_album = album(toy_person, amounts["person"])
exact_album = album(toy_template, amounts["person"])

# %% [markdown]
# Let everything be linear. The encoder that loses least, of all linear ones with so many numbers in the code, is the
# principal components of both people's faces together. Each decoder is then a least-squares fit from codes to that
# person's own faces. Together they minimise the squared relative of Eq. 1; no iterations, no luck.


# %%
def linear_encoder(faces, codes):
    """Principal components of `faces`: a function from faces to their codes."""
    mean = faces.mean(0)
    components = np.linalg.svd(faces - mean, full_matrices=False)[2][:codes]
    return lambda some: (some - mean) @ components.T


def linear_decoder(codes, faces):
    """The least-squares map, with an offset, from codes back to one person's faces."""
    extended = np.c_[codes, np.ones(len(codes))]
    weights = np.linalg.lstsq(extended, faces, rcond=None)[0]
    return lambda some: np.c_[some, np.ones(len(some))] @ weights


# %% [markdown]
# How near is a picture to the answer? The *peak signal-to-noise ratio* compares the mean squared error with the full
# range of grey: $10 \log_{10}(1/\mathrm{MSE})$ decibels for pixels between 0 and 1. Ten more decibels are a tenth of
# the squared error; a picture that is wrong everywhere by a tenth of the range has 20.


# %%
def decibels(pictures, answers):
    """Mean peak signal-to-noise ratio over pictures (n, ...) between 0 and 1."""
    squared = np.square(np.asarray(pictures, float) - answers)
    error = squared.reshape(len(answers), -1).mean(1)
    return float(np.mean(-10 * np.log10(np.maximum(error, 1e-10))))


assert np.isclose(decibels(np.full((2, 8), 0.6), np.full((2, 8), 0.5)), 20)

# %% [markdown]
# Now train and exchange the decoders: the person's faces through the encoder, their codes through the *template's*
# decoder. We do it twice. The second time everybody's mean face is taken away before the encoder sees anything.


# %%
def exchange(own_mean_removed, codes=toy_codes):
    """Reconstruction of the person, and the person moved to the template."""
    people = (template_album, person_album)
    inputs = [faces - faces.mean(0) if own_mean_removed else faces for faces in people]
    encode = linear_encoder(np.vstack(inputs), codes)
    coded = [encode(seen) for seen in inputs]
    decoders = [linear_decoder(seen, faces) for seen, faces in zip(coded, people)]
    return decoders[1](coded[1]), decoders[0](coded[1])


# %%
def in_decibels_each(own, moved):
    """Reconstruction, exchange and the template's mean face, each in decibels."""
    unmoved = np.broadcast_to(template_album.mean(0), exact_album.shape)
    answers = [(own, person_album), (moved, exact_album), (unmoved, exact_album)]
    return [decibels(pictures, wanted) for pictures, wanted in answers]


# %%
plain, centred = exchange(False), exchange(True)

# %%
what = [
    "reconstruction of the person",
    "moved to the template",
    "the template's mean face",
]
toy = pd.DataFrame({"what": what})
toy["as they are"] = in_decibels_each(*plain)
toy["own mean removed"] = in_decibels_each(*centred)

# %%
caption = (
    "The linear toy, decibels against the exact answer "
    "(for the reconstruction: the person's own faces)."
)
table(toy, caption)

# %%
chosen = np.linspace(0, len(person_album) - 1, shown_frames).astype(int)
both = tuple(f"rendered-bp4d/{name}" for name in (toy_person, toy_template))
shown = {
    "person": (person_album, both[:1]),
    "moved": (plain[1], both),
    "moved, mean removed": (centred[1], both),
    "exact answer": (exact_album, both[1:]),
}
grid = [
    list(np.uint8(np.clip(album[chosen], 0, 1).reshape(-1, 64, 64) * 255))
    for album, _ in shown.values()
]

# %%
page.face_grid(
    grid,
    [[names] * len(chosen) for _, names in shown.values()],
    list(shown),
    caption="The linear toy. Exchanging decoders fails where codes say who "
    "somebody is, and works where they cannot.",
)

# %%
own, moved, unmoved = toy.drop(columns="what").to_numpy()
say(
    "Reconstruction is good both times ({own[0]:.0f} and {own[1]:.0f} dB). "
    "The exchange gives {moved[0]:.0f} dB as they are and {moved[1]:.0f} dB with the "
    "own mean removed, where the template's unmoved mean face gives {unmoved[0]:.0f}.",
    own=own,
    moved=moved,
    unmoved=unmoved,
)

# %% [markdown]
# This is the catch of the whole idea. Nothing in a reconstruction loss asks the two people's codes to *mean the same*.
# The first principal component of two people is the difference between them; the template's decoder has never met a
# code from the person's side and draws nonsense. The paper's network has to be kept from this by other means: it meets
# both people in turn, it is squeezed, and it must undo random warps. The second column does it by design, and the
# shared network at the end of this chapter starts from there.

# %% [markdown]
# ## From Table 1 to an encoder
#
# Four convolutions halve the side four times, from 128 to 8 pixels. Two dense layers then mix everything with
# everything: 65,536 numbers go down to 1024 and up again to 16,384. The last step is a *pixel shuffle*, which lays
# four channels out as a square of four pixels.


# %%
def table_1(share=1.0, side=128):
    """The encoder, with this share of the filters and units."""
    model = keras.Sequential([keras.Input((side, side, 1))], name="table_1")
    for filters in (128, 256, 512, 1024):  # 64, 32, 16, 8 pixels a side
        model.add(layers.Conv2D(int(filters * share), 5, 2, padding="same"))
        model.add(layers.LeakyReLU(negative_slope=0.1))
    model.add(layers.Flatten())  # 65,536
    model.add(layers.Dense(int(1024 * share)))
    model.add(layers.Dense(int(16_384 * share)))
    model.add(layers.Reshape((4, 4, int(1024 * share))))
    model.add(layers.Conv2D(int(2048 * share), 3, padding="same"))
    model.add(layers.LeakyReLU(negative_slope=0.1))
    model.add(networks.PixelShuffle())  # 8, 8, 512
    return model


# %% [markdown]
# The shuffle is easily checked by eye: four channels of one pixel become the four corners of a square.

# %%
square = networks.PixelShuffle()(np.arange(4.0, dtype="float32").reshape(1, 1, 1, 4))
assert np.array_equal(np.asarray(square)[0, :, :, 0], [[0, 1], [2, 3]])

# %% [markdown]
# ## From Table 2 to a decoder
#
# Four times a convolution and a shuffle, each doubling the side, then one convolution that draws the picture with a
# sigmoid. There are two of these: one for the template, one for the person.


# %%
def table_2(share=1.0):
    """A decoder, with this share of the filters."""
    model = keras.Sequential([keras.Input((8, 8, int(512 * share)))], name="table_2")
    # After the shuffle: 16, 32, 64, 128 pixels a side.
    for filters in (1024, 512, 256, 128):
        model.add(layers.Conv2D(int(filters * share), 3, padding="same"))
        model.add(layers.LeakyReLU(negative_slope=0.1))
        model.add(networks.PixelShuffle())
    model.add(layers.Conv2D(1, 5, padding="same", activation="sigmoid"))
    return model


# %% [markdown]
# The paper prints its parameter counts, so our reading of the tables can be wrong in public. A kernel of another size,
# a forgotten bias or another padding would not give these numbers.

# %%
whole_encoder, whole_decoder = table_1(), table_2()
assert whole_encoder.count_params() == networks.ENCODER_PARAMETERS == 119_988_224
assert whole_decoder.count_params() == networks.DECODER_PARAMETERS == 6_269_601
whole = whole_encoder.count_params() + 2 * whole_decoder.count_params()
assert whole == networks.AUTOENCODER_PARAMETERS == 132_527_426


# %%
def products_of(layer):
    """Multiplications of a layer for one image, forward."""
    if not hasattr(layer, "kernel"):
        return 0
    # A convolution's kernel is used once for each output pixel, a dense one once.
    places = np.prod(layer.output.shape[1:-1]) if len(layer.kernel.shape) == 4 else 1
    return float(np.prod(layer.kernel.shape) * places)


each = [products_of(one) for one in whole_encoder.layers + whole_decoder.layers]
forward, first = sum(each), next(filter(None, each))

# %%
dense = [layer for layer in whole_encoder.layers if isinstance(layer, layers.Dense)]
share = sum(layer.count_params() for layer in dense) / whole
del whole_encoder, whole_decoder, dense  # half a gigabyte
say(
    "{share:.0f} % of the {whole:,} weights sit in the two dense layers. They let a "
    "raised brow here change a cheek there, and are what decides the network's size.",
    share=100 * share,
    whole=whole,
)

# %% [markdown]
# The library builds the same layers for any size and width, and is held against ours at an eighth of the width. At 64
# pixels the encoder ends at half the side before it is flattened, and the decoder has one level less.

# %%
ours = table_1(1 / 8), table_2(1 / 8)
library = networks.encoder(128, 1 / 8), networks.decoder(128, 1 / 8)
for mine, theirs in zip(ours, library):
    assert [w.shape for w in mine.weights] == [w.shape for w in theirs.weights]

# %% [markdown]
# ## Random transforms and warps
#
# The network never sees a face as it is. Each one is rotated, scaled, shifted and sometimes mirrored; then a grid of
# 5×5 control points, each moved by a random step, bends it like a rubber sheet. The *input* is the bent face. The
# *target* is the same face under the one similarity (rotation, scale, shift) that fits the moved points best, so the
# network learns to undo the bends and nothing else.

# %%
strength = Augmentation(warp_pixels=settings.warp_pixels)
strengths = pd.Series(vars(strength), name="value").rename_axis("what").reset_index()
strengths["what"] = strengths["what"].str.replace("_", " ")
caption = "Strengths: degrees, shares, probability, pixels of a 256-pixel face."
table(strengths, caption, formats={"value": "g"})

# %% [markdown]
# One face six times. The second and third row are what goes in and what must come out. Look at the mouth: at the
# usual strength a warp bends lips and brows about as far as an action unit does.

# %%
one_face = np.uint8(255 * person_album[:1].reshape(1, 64, 64))
one_face = one_face.repeat(shown_frames, axis=0)

# %%
bent, straight = augment(one_face, strength, np.random.default_rng(settings.seed))

# %%
pictures = [one_face, images.as_faces(bent), images.as_faces(straight)]
page.face_grid(
    [list(line) for line in pictures],
    [[both[:1]] * shown_frames] * 3,
    ["face", "input", "target"],
    caption="One face under the augmentation. "
    "Input and target differ by the bends alone.",
)

# %% [markdown]
# Without any of it, input and target are the same picture. The code base samples them half a pixel apart; ours are
# exactly on top of each other, which a check can see.

# %%
still = Augmentation(rotation=0, scale=0, shift=0, flip=0, warp_pixels=0)

# %%
inputs, targets = augment(one_face, still, np.random.default_rng(0))
assert np.allclose(inputs, targets, atol=0.01)
assert np.allclose(inputs[..., 0], one_face / 255, atol=0.01)

# %% [markdown]
# ## The loss, and two people in turn
#
# For images $x_i$ of the person, $y_j$ of the template and their augmented versions $x'_i$, $y'_j$, Eq. 1 is
#
# $$\min_{E,\,D_x,\,D_y}\; \frac1n\sum_{i=1}^{n} \bigl|x_i - D_x(E(x'_i))\bigr|
# + \frac1m\sum_{j=1}^{m} \bigl|y_j - D_y(E(y'_j))\bigr| .$$
#
# The bars are a mean over pixels. Each person is reconstructed by their own decoder; there is no term with
# $D_y(E(x))$, which is what we are after.


# %%
def equation_1(faces, reconstructed):
    """One of the two sums: mean absolute error over images and pixels."""
    return tf.reduce_mean(tf.abs(faces - reconstructed))


# %%
tiny = np.random.default_rng(1).random((2, 2, 4, 4, 1)).astype("float32")
assert np.isclose(equation_1(*tiny), np.abs(tiny[0] - tiny[1]).mean())
assert np.isclose(autoencoder.reconstruction_loss(*tiny), equation_1(*tiny))

# %% [markdown]
# Training alternates: one batch of the template updates $E$ and $D_y$, then one batch of the person updates $E$ and
# $D_x$. Both pull at the same encoder. We watch a single half step on a tiny network: after the template's half,
# the person's decoder must not have moved.

# %%
albums = (template_album, person_album)

# %%
pair = [np.uint8(255 * album.reshape(-1, 64, 64)) for album in albums]

# %%
recipe = AutoencoderRecipe(size=64, width=1 / 64, seed=settings.seed, batch=4)
small = autoencoder.Autoencoder(*pair, recipe)
before = [network.get_weights()[0] for network in (small.encoder, *small.decoders)]
loss_before = small.compiled.half(0, *small.batch(1)[:2])

# %%
after = [network.get_weights()[0] for network in (small.encoder, *small.decoders)]
moved = [not np.array_equal(a, b) for a, b in zip(before, after)]
assert moved == [True, True, False]  # encoder, template's decoder, person's decoder

# %% [markdown]
# ## A network for each person
#
# Now the study's own faces. The template is whoever section 3.2's rule names (chapter 03 derives it), and *everybody*
# else in both datasets gets the paper's network, at this profile's size. Training writes checkpoints from which it can
# be resumed to the same weights, and stops by itself when it collapses; the weights stay in the artefact folder, as
# they could draw a participant's face. No step of it is given a label or an exact answer.
#
# The paper starts each network from random weights. Its section 6 names a way to spend less, starting from a network
# that is trained already, and the reduced profiles go it: first one encoder is trained for everybody, with the
# template's decoder and a decoder for each person,
#
# $$\min_{E,\,D_y,\,D_1,\dots,D_P}\; \frac1m\sum_j \bigl|y_j - D_y(E(y'_j))\bigr|
# + \sum_{p=1}^{P} \frac1{n_p}\sum_i \bigl|x^{p}_i - D_p(E(x^{p\prime}_i))\bigr| ,$$
#
# in turn a batch of the template and one of somebody else; then each person's network goes on alone from there, with
# Eq. 1 as it stands. The setting `joint_iterations` is the length of the first part, 0 in the profile `paper`.

# %%
faces, template = study.faces, study.template
method = arms.PAPERS

# %%
networks_of = study.person_networks(method)

# %%
cost = study.cost(method)

# %%
paper_images = 2 * papers.normaliser_iterations * papers.normaliser_batch
say(
    "{networks} networks have seen {images:,.0f} images in all, {each:,.0f} for each "
    "person, where the paper's {paper_iterations:,} iterations of {batch} and {batch} "
    "images would be {paper:,} for each: {share:.2g} % of that. It took {minutes:.0f} "
    "minutes of one core.",
    networks=len(networks_of),
    images=cost["images"],
    each=cost["images"] / len(networks_of),
    paper_iterations=papers.normaliser_iterations,
    batch=papers.normaliser_batch,
    paper=paper_images,
    share=100 * cost["images"] / len(networks_of) / paper_images,
    minutes=cost["core_seconds"] / 60,
)

# %% [markdown]
# What would the paper's own size and length cost for everybody here? A multiplication and its addition are two
# operations; backward costs as much as forward for the weights, and again for the inputs of all layers but the first.


# %%
def seconds_of_product(side=1024):
    """A float32 product of two square matrices, the best of five."""
    matrix = np.ones((side, side), np.float32)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - began)
    return min(times)


# %%
update = 2 * papers.normaliser_batch * (3 * forward - first)  # of one autoencoder
everything = 2 * papers.normaliser_iterations * update * len(networks_of)
speed = 2 * 1024**3 / seconds_of_product()

# %%
say(
    "An update of one autoencoder is {update:.2g} operations, everybody's networks "
    "{everything:.2g}. Matrices are multiplied here at {speed:.0f} GFLOP/s; if the "
    "whole training went as fast, it would take {years:.1f} years of this machine. A "
    "GPU that keeps up F operations a second needs {everything:.2g} / F seconds: at "
    "ten million million, {hours:,.0f} hours.",
    update=update,
    everything=everything,
    speed=speed / 1e9,
    years=everything / speed / (365 * 24 * 3600),
    hours=everything / 1e13 / 3600,
)

# %%
some = list(networks_of)[:: max(1, len(networks_of) // 2)][:2]

# %%
histories = {name: pd.read_csv(networks_of[name] / "history.csv") for name in some}
if study.start:
    joint = pd.read_csv(study.start / "history.csv")
    histories = {"everybody": joint.rename(columns={"people": "person"}), **histories}

# %%
figure = go.Figure()
for name, history in histories.items():
    for whose in ("template", "person"):
        window = history[whose].rolling(max(1, len(history) // 20), min_periods=1)
        seen = 2 * history["step"] * settings.normaliser_batch
        line = {"x": seen, "y": window.mean(), "mode": "lines"}
        figure.add_scatter(**line, name=f"{name}: {whose}")
figures.finish(
    figure,
    "Eq. 1 while networks learn, first everybody's and then two people's own: "
    "the template's sum and the person's.",
    x="images seen",
    y="mean absolute error",
)

# %% [markdown]
# A curve that has not flattened at its end says that the budget, not the method, sets the quality. And a falling
# reconstruction is no promise about the exchange, as the toy has shown: chapter 10 follows the paper's method from
# random weights over far more images and watches both.

# %% [markdown]
# ## What it looks like
#
# Eq. 2 is the exchange: $X_y = D_y(E(X))$, the person's faces through the template's decoder, without augmentation.
# Where faces are rendered, the exact answer stands below. The frames are evenly spaced over the person's recordings.


# %%
def with_answers(name, moved_faces):
    """One person's input, normalised faces and, where there is one, exact answer.

    uint8 (n, size, size) each, by what it is.
    """
    rows, size = faces.rows(name), moved_faces.shape[1]
    seen = images.prepare(faces.images, size, rows)
    given = {"input": seen, "normalised": np.asarray(moved_faces)}
    if faces.truth is not None:
        given["exact answer"] = images.prepare(faces.truth, size, rows)
    return given


# %%
def who_is_on(what, name):
    """Whom the gate has to ask for a picture: the person, the template, or both."""
    person, target = (faces.people(faces.rows(n)[:1])[0] for n in (name, template.name))
    shown = {"input": (person,), "exact answer": (target,)}
    return shown.get(what, (person, target))


# %%
def shown_people(moved, caption):
    """A grid of evenly spaced frames; `moved`: title of a row to person and faces."""
    grid, asked, sides = [], [], []
    for title, (name, moved_faces) in moved.items():
        for what, pictures in with_answers(name, moved_faces).items():
            chosen = np.linspace(0, len(pictures) - 1, shown_frames).astype(int)
            grid.append(list(pictures[chosen]))
            asked.append([who_is_on(what, name)] * len(chosen))
            sides.append(f"{title} {what}")
    return page.face_grid(grid, asked, sides, caption=caption)


# %% [markdown]
# The best, the median and the worst person, by decibels against the exact answer, and no others; where there is no
# exact answer, three people evenly spaced by name.


# %%
def quality(name, moved_faces):
    """Decibels against the exact answer, of the normalised face and its two rivals."""
    given = with_answers(name, moved_faces)
    exact = given.pop("exact answer")
    target = images.prepare(faces.images, exact.shape[1], faces.rows(template.name))
    given["template's mean face"] = np.broadcast_to(target.mean(0), exact.shape)
    order = ["normalised", "input", "template's mean face"]
    return {what: decibels(given[what] / 255, exact / 255) for what in order}


# %%
arm, label = study.arm(method), figures.arm_label(method)

# %%
third = max(1, len(study.others) // 3)
examples = {name: name for name in study.others[::third][:3]}
if faces.truth is not None:
    scored = [{"person": n, **quality(n, arm[faces.rows(n)])} for n in study.others]
    ranking = pd.DataFrame(scored).sort_values("normalised", ascending=False)
    people = list(ranking["person"])
    cases = {"best": 0, "median": len(people) // 2, "worst": len(people) - 1}
    examples = {f"{which}: {people[k]}": people[k] for which, k in cases.items()}

# %%
shown_people(
    {f"{title},": (n, arm[faces.rows(n)]) for title, n in examples.items()},
    f"The arm {label}: the best, the median and the worst person "
    "against the exact answer.",
)

# %% [markdown]
# Look first at *who* it is, then at *what they do*. A young network draws a blurred, average template: identity is
# gone, and much of the expression with it. What to look for, row by row: does the head turn with the input, does the
# mouth open with it, and can you still see what the action units need, brows, lids and the corners of the lips?

# %% [markdown]
# ## Against the exact answer
#
# Two rivals that need no network put the numbers in their place: the input as it is, and the template's mean face,
# which shows no expression at all.

# %%
if faces.truth is not None:
    summary = ranking.drop(columns="person").describe()
    summary = summary.loc[["mean", "std", "min", "max"]].rename_axis("over people")
    caption = f"{label}, for all {len(ranking)} people, decibels."
    display(table(summary.reset_index(), caption))

# %% [markdown]
# The ratio counts every pixel alike. Pose, shading and the face's outline fill most of them, and the action units live
# in the few around eyes, brows and mouth; so a picture can gain decibels while it loses expression. Chapter 10
# measures what is left for a recogniser to read.

# %% [markdown]
# ## What we learned

# %%
if faces.truth is not None:
    gains = ranking["normalised"] - ranking["template's mean face"]
    said = say(
        "At this profile's budget ({each:,.0f} images a person, {size} pixels, "
        "{width:g} of the width) the paper's method, for all {everyone} people, stands "
        "{gain:+.1f} dB from the template's mean face, which shows no expression; "
        "{above} people are above it.",
        each=cost["images"] / len(networks_of),
        size=settings.normaliser_size,
        width=settings.normaliser_width,
        everyone=len(ranking),
        gain=gains.mean(),
        above=(gains > 0).sum(),
    )
    display(said)

# %% [markdown]
# An expression can be drawn on a face that was never seen making it, says the toy, as far as two things hold: codes of
# the two people must mean the same, which no term of Eq. 1 demands, and the network must be trained long enough to draw
# more than an average. Chapter 10 asks what more training does, and what is left of an expression; chapter 18 keeps the
# idea and carries movement in place of pictures.

# %% [markdown]
# ## Exercises
#
# **1.** How does the toy depend on the length of the code? Try from one number to eight, as they are and with the mean
# removed.
#
# ```{dropdown} A solution
# Below. A longer code reconstructs better. Watch the exchange beyond the three numbers that the action units need:
# a long code has room for who somebody is.
# ```

# %% tags=["hide-cell"]
answers = []
for codes in range(1, 9):
    kept, moved = exchange(False, codes)[0], exchange(True, codes)[1]
    both_ways = decibels(kept, person_album), decibels(moved, exact_album)
    answers.append((codes, *both_ways))
columns = ["codes", "reconstruction", "exchange, mean removed"]
answers = pd.DataFrame(answers, columns=columns)
caption = "The toy with codes of other lengths, decibels."
table(answers, caption, formats={"codes": ".0f"})

# %% [markdown]
# **2.** The code base feeds the network warped faces but converts unwarped ones. How far is a warped face from itself?
# Compare input and target of the augmentation in decibels for several strengths.
#
# ```{dropdown} A solution
# Below. At the usual strength the input is as far from its target as many a failed normalisation from its answer.
# ```

# %% tags=["hide-cell"]
distances, warp = [], "warp, pixels of 256"
for pixels in (0.0, 1.25, 2.5, 5.0, 10.0):
    random = np.random.default_rng(settings.seed)
    bent, straight = augment(pair[1], Augmentation(warp_pixels=pixels), random)
    distances.append({warp: pixels, "input to target": decibels(bent, straight)})
caption = "How far a warp takes a face from its target, decibels."
table(pd.DataFrame(distances), caption, formats={warp: "g"})

# %%
page.card(study)
