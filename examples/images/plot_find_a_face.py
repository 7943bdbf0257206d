"""
Three small networks find a face
================================

A network that somebody else has trained is a list of layers and a list of arrays. MTCNN
(Zhang et al. 2016) consists of three networks, half a million weights in all: the first
one looks at every 12×12 pixels of the picture, in all sizes, and throws most of them
away; the second and the third look closer at what is left. Here they are written down
as layers, and get the weights that the package ``mtcnn`` ships for TensorFlow, which is
not needed.
"""

# %%
# Layers and weights
# ------------------
# Each network tells in one branch how to shift the four sides of its window so that it
# fits the face, and in another whether there is one. The third also finds eyes, nose
# and mouth. The weights come as Keras lists them; ``load_weights`` matches them with
# the layers by position. These networks swap the axes of a picture before they flatten
# it, which ``flatten`` says.

from importlib.util import find_spec
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from skimage import data
from skimage.transform import resize

from skdl.io import load_weights
from skdl.layers import Branches, Conv2D, Dense, Flatten, MaxPool2D, PReLU
from skdl.networks import Network

package = Path(find_spec("mtcnn").origin).parent


def stage(filters, pools):
    """Return convolutions (filters, kernel size), PReLU and poolings."""
    layers = []
    for (n, kernel_size), pool in zip(filters, pools, strict=True):
        layers += [Conv2D(n, kernel_size), PReLU()]
        layers += [] if pool is None else [MaxPool2D(pool[0], 2, padding=pool[1])]
    return layers


def load(name, side, layers):
    network = Network(layers, (side, side, 3), np.float32)
    arrays = joblib.load(package / "assets" / "weights" / f"{name}.lz4")
    load_weights(network, arrays, flatten="whc")
    return network


same, valid = "same", "valid"
propose = load(
    "pnet",
    12,
    [
        *stage([(10, 3), (16, 3), (32, 3)], [(2, same), None, None]),
        Branches([Conv2D(4, 1), [Conv2D(2, 1), "softmax"]]),
    ],
)
refine = load(
    "rnet",
    24,
    [
        *stage([(28, 3), (48, 3), (64, 2)], [(3, same), (3, valid), None]),
        *[Flatten(), Dense(128), PReLU()],
        Branches([Dense(4), [Dense(2), "softmax"]]),
    ],
)
decide = load(
    "onet",
    48,
    [
        *stage(
            [(32, 3), (64, 3), (64, 3), (128, 2)],
            [(3, same), (3, valid), (2, same), None],
        ),
        *[Flatten(), Dense(256), PReLU()],
        Branches([Dense(4), Dense(10), [Dense(2), "softmax"]]),
    ],
)
print(propose)

# %%
# Every window, at every size
# ---------------------------
# The first network has convolutions alone. So it takes pictures of any size, and gives
# an answer for every second pixel. Faces larger than 12 pixels are found in smaller
# copies of the picture.


def strongest(boxes, scores, overlap):
    """Return the boxes that overlap with no box of a higher score, by number."""
    x0, y0, x1, y1 = boxes.T
    area = (x1 - x0) * (y1 - y0)
    order, kept = np.argsort(-scores), []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        width = np.minimum(x1[first], x1[rest]) - np.maximum(x0[first], x0[rest])
        height = np.minimum(y1[first], y1[rest]) - np.maximum(y0[first], y0[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        order = rest[shared <= overlap * (area[first] + area[rest] - shared)]
    return np.array(kept, dtype=int)


def shifted(boxes, shifts):
    """Move the sides by shares of width and height."""
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return boxes + shifts * size


def squares(boxes):
    """Return squares around the same centres."""
    centre = (boxes[:, 2:] + boxes[:, :2]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centre - half, centre + half])


def proposals(image, smallest=30, threshold=0.6):
    boxes, scores = [], []
    scale = 12 / smallest
    while min(image.shape[:2]) * scale >= 12:
        height, width = (int(np.ceil(n * scale)) for n in image.shape[:2])
        small = resize(image, (height, width), anti_aliasing=True)
        network = propose.at(small.shape)
        out = network.predict(small[None].astype(np.float32))[0]
        row, column = np.nonzero(out[..., 5] > threshold)
        found = out[row, column]
        corner = 2 * np.column_stack([column, row])
        box = shifted(np.hstack([corner, corner + 12]) / scale, found[:, :4])
        kept = strongest(box, found[:, 5], 0.5)
        boxes.append(box[kept])
        scores.append(found[kept, 5])
        scale *= 0.709
    boxes, scores = np.concatenate(boxes), np.concatenate(scores)
    kept = strongest(boxes, scores, 0.7)
    return boxes[kept], scores[kept]


def crops(image, boxes, side):
    """Cut out boxes and bring them to one size; beyond the picture is grey."""
    reach = int(max(image.shape))
    padded = np.pad(image, [(reach, reach), (reach, reach), (0, 0)])
    pictures = []
    for x0, y0, x1, y1 in np.round(boxes).astype(int) + reach:
        pictures.append(resize(padded[y0:y1, x0:x1], (side, side), anti_aliasing=True))
    return np.array(pictures, dtype=np.float32)


def judged(network, image, boxes, threshold):
    boxes = squares(boxes)
    out = network.predict(crops(image, boxes, network.input_shape[0]))
    sure = out[:, -1] > threshold
    return boxes[sure], out[sure]


photograph = data.astronaut()
image = (photograph - 127.5) / 128  # what the networks were trained on

first, _ = proposals(image)
boxes, out = judged(refine, image, first, 0.7)
kept = strongest(boxes, out[:, -1], 0.7)
second = shifted(boxes[kept], out[kept, :4])
squares_, out = judged(decide, image, second, 0.7)
third = shifted(squares_, out[:, :4])
kept = strongest(third, out[:, -1], 0.5)
third, scores = third[kept], out[kept, -1]
size = squares_[kept, 2:] - squares_[kept, :2]
points = out[kept, 4:14].reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, None]
points += squares_[kept, None, :2]

for name, boxes in (("first", first), ("second", second), ("third", third)):
    print(f"windows after the {name} network: {len(boxes)}")
print("score of the face:", scores.round(4))

# %%
# One is left
# -----------

fig, axes = plt.subplots(1, 3, figsize=(12, 4.3), layout="constrained")
titles = (
    f"12×12 pixels: {len(first)} windows",
    f"24×24 pixels: {len(second)} windows",
    f"48×48 pixels: {len(third)} face",
)
for ax, title, boxes in zip(axes, titles, (first, second, third), strict=True):
    ax.imshow(photograph)
    ax.set(title=title, xticks=[], yticks=[])
    for x0, y0, x1, y1 in boxes:
        frame = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="#ffd400")
        ax.add_patch(frame)
for face in points:
    axes[2].plot(*face.T, "o", color="#00e5ff", markersize=4)
plt.show()
