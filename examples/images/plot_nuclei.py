"""
Cell nuclei, pixel by pixel
===========================

Which pixels of a picture belong to a cell nucleus? A threshold on the brightness is the
classical answer. A U-Net (Ronneberger, Fischer & Brox 2015) looks around each pixel: it
shrinks the picture to see more of it, enlarges what it has found, and has the detail
from before beside it.
"""

# %%
# One picture, cut in two
# -----------------------
# The package ``stardist`` comes with a picture of 512×512 pixels in which 125 nuclei
# are labelled. Its lower right quarter is for testing; the rest is cut into tiles of
# 64×64 pixels that overlap by half.

import matplotlib.pyplot as plt
import numpy as np
from skimage.filters import threshold_otsu

from skdl import SegmentationClassifier
from skdl.datasets import load_nuclei
from skdl.inspection import SegmentationDisplay
from skdl.metrics import class_iou

nuclei = load_nuclei()
picture = nuclei.image.astype(np.float32) / np.float32(0.5)  # most lies in [0, 1]
masks = nuclei.target.astype(bool)
corners = [
    (top, left)
    for top in range(0, 449, 32)
    for left in range(0, 449, 32)
    if top + 64 <= 256 or left + 64 <= 256
]
X = np.array([picture[top : top + 64, left : left + 64] for top, left in corners])
y = np.array([masks[top : top + 64, left : left + 64] for top, left in corners])
test = slice(256, 512), slice(256, 512)
print(f"{len(X)} tiles, {y.mean():.0%} of their pixels in nuclei")

# %%
# A class for each pixel
# ----------------------
# ``y`` is a label map for each tile: bools, so one sigmoid output a pixel. Nuclei are
# the rarer class; ``class_weight="balanced"`` would find more of their rims, and more
# background. Here all pixels count the same.

net = SegmentationClassifier(
    "unet",
    width=0.5,
    batch_size=8,
    max_iter=15,
    n_iter_no_change="never",
    random_state=0,
)
net.fit(X, y)
print(net.network_)

# %%
# What it was never shown
# -----------------------
# The score counts how much of what is nucleus, or is taken for one, is both: the
# intersection over the union. Otsu's threshold is found on the same three quarters.

unseen = picture[test][None], masks[test][None]
predicted = net.predict(unseen[0])
threshold = threshold_otsu(X)
for name, found in (("U-Net", predicted), ("threshold", unseen[0] > threshold)):
    print(f"{name}: IoU of nuclei {class_iou(unseen[1], found)[1]:.3f}")

parts = [(slice(0, 96), slice(0, 160)), (slice(96, 192), slice(64, 224))]
shown = [np.array([a[0][part] for part in parts]) for a in (*unseen, predicted)]
names = np.array(["background", "nucleus"])
SegmentationDisplay.from_predictions(
    shown[0], *(names[labels.astype(int)] for labels in shown[1:]), classes=names
)
plt.show()

# %%
# A large picture in tiles
# ------------------------
# Microscopes make pictures that are larger than memory. ``predict_tiles`` reads and
# writes them piece by piece, for instance in files (``numpy.memmap``). Each piece is
# seen with a frame around it, as wide as the network looks: so there are no seams, and
# the labels are those of the whole picture. Without the frame there would be.

large = np.tile(picture, (2, 3))[None]
labels = net.predict_tiles(large, tile_size=256)
p = net.predict_proba(large)[0, ..., 1]
framed = net.predict_tiles(large, tile_size=128, proba=True)[0, ..., 1]
alone = np.empty_like(p)
for top in range(0, 1024, 128):
    for left in range(0, 1536, 128):
        piece = slice(top, top + 128), slice(left, left + 128)
        alone[piece] = net.predict_proba(large[:, *piece])[0, ..., 1]

fig, axes = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
part = slice(64, 320), slice(64, 320)
axes[0].imshow(large[0][part], cmap="gray", vmax=1)
axes[0].contour(labels[0][part], [0.5], colors="C1", linewidths=1)
axes[0].set_title("outlines found")
scale = max(1e-3, np.abs(alone - p).max())
for ax, other, title in zip(
    axes[1:], (framed, alone), ("tiles with frames", "tiles without"), strict=True
):
    change = np.abs(other - p)
    image = ax.imshow(change[part], vmin=0, vmax=scale, cmap="magma")
    ax.set_title(f"{title}: change up to {change.max():.1g}")
fig.colorbar(image, ax=axes[1:], label="change of the probability")
for ax in axes:
    ax.set_axis_off()
plt.show()
