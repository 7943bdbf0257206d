"""
A photograph enlarged
=====================

Twice as high and as wide means that three of four pixels have to be invented.
Interpolation makes them smooth. A network that has seen how edges look in photographs
does better: it adds to the bicubic enlargement what is missing there (Shi et al. 2016,
ESPCN).
"""

# %%
# Sharp pictures are all it takes
# -------------------------------
# ``fit`` shrinks sharp pictures itself. Five photographs are cut into parts of 32×32
# pixels; every second one, as on a chessboard, is for testing. The sixth photograph is
# not shown at all.

import matplotlib.pyplot as plt
import numpy as np
from skimage.transform import downscale_local_mean

from skdl import SuperResolution
from skdl.datasets import load_photographs
from skdl.metrics import psnr
from skdl.optimizers import Adam
from skdl.schedules import Cosine


def grey(photo):
    photo = photo if photo.ndim == 2 else photo @ [0.299, 0.587, 0.114]
    return (photo / 255).astype(np.float32)


def chessboard(photo, side=32):
    """Return the parts on the black fields, and those on the white ones."""
    h, w = (n // side for n in photo.shape)
    parts = photo[: h * side, : w * side].reshape(h, side, w, side).swapaxes(1, 2)
    black = np.add.outer(np.arange(h), np.arange(w)) % 2 == 0
    return parts[black], parts[~black]


photos = {name: grey(photo) for name, photo in load_photographs().items()}
unseen = photos.pop("cat")[None, :300, :450]
train, test = map(np.concatenate, zip(*map(chessboard, photos.values()), strict=True))

net = SuperResolution(
    factor=2,
    optimizer=Adam(Cosine(2e-3)),
    batch_size=16,
    max_iter=15,
    n_iter_no_change="never",
    random_state=0,
)
net.fit(train, X_val=test)
for name, pictures in (("the other parts", test), ("a photograph never seen", unseen)):
    print(
        f"PSNR of {name}: {net.score(pictures):.2f} dB, "
        f"bicubic {net.bicubic_score(pictures):.2f} dB"
    )

# %%
# The first epochs do most of it
# ------------------------------
# At the beginning the network adds nothing, and its score is that of the bicubic
# enlargement.

mse = 2 * np.array(net.history_["val_loss"])
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(1 + np.arange(len(mse)), -10 * np.log10(mse), "o-", label="network")
ax.axhline(net.bicubic_score(test), color="C1", label="bicubic")
ax.set(xlabel="epoch", ylabel="PSNR / dB", title="Parts that were not trained on")
ax.legend()
plt.show()

# %%
# Beside the bicubic enlargement
# ------------------------------
# ``predict`` takes pictures of any size. A network whose weights were only drawn
# (``initialize``) adds nothing yet, so its prediction is the bicubic enlargement. What
# is left of the error sits at edges, and the trained network has less of it.

sharp = unseen[0]
small = downscale_local_mean(unseen, (1, 2, 2))
untrained = SuperResolution(factor=2).initialize(train)
bicubic, network = (
    np.clip(model.predict(small)[0], 0, 1) for model in (untrained, net)
)
part = slice(60, 170), slice(95, 260)
half = slice(30, 85), slice(47, 130)

fig, axes = plt.subplots(2, 3, figsize=(11, 5.6), layout="constrained")
axes[0, 0].imshow(small[0][half], cmap="gray", vmin=0, vmax=1)
axes[0, 0].set_title("small")
axes[1, 0].imshow(sharp[part], cmap="gray", vmin=0, vmax=1)
axes[1, 0].set_title("sharp")
for column, (name, made) in enumerate((("bicubic", bicubic), ("network", network)), 1):
    decibels = psnr(sharp[None], made[None], data_range=1)
    axes[0, column].imshow(made[part], cmap="gray", vmin=0, vmax=1)
    axes[0, column].set_title(f"{name}: {decibels:.2f} dB")
    error = made - sharp
    image = axes[1, column].imshow(error[part], cmap="RdBu_r", vmin=-0.15, vmax=0.15)
    axes[1, column].set_title(f"{name} minus sharp")
fig.colorbar(image, ax=axes[1, 1:], shrink=0.9)
for ax in axes.flat:
    ax.set_axis_off()
plt.show()
