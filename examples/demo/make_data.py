"""Makes the files in data/ from the full sets; python3-numpy and python3-torch of Debian 12.

    python3 make_data.py FOLDER-WITH-THE-FULL-SETS

- glosses.npy: the first 1000 rows of LSA embeddings of WordNet 3.0 glosses, as float16.
- digits-images.npy, digits-labels.npy: the UCI handwritten digits, rows in the order of numpy's default_rng(0).permutation:
  the first 1200 are for training.
- digits-teacher.safetensors: a 64-128-10 ReLU network trained here on those 1200 (x / 16; Adam 1e-3, batches of 64, 60 epochs).
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch

SOURCE = Path(sys.argv[1])
DATA = Path(__file__).parent / "data"
TRAIN = 1200


def save_safetensors(path: Path, tensors: dict) -> None:
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(array.astype("<f4").tobytes())


def main() -> None:
    glosses = np.load(SOURCE / "glosses-embeddings-20000x384.npy", mmap_mode="r")[:1000]
    np.save(DATA / "glosses.npy", glosses.astype("<f2"))
    images = np.load(SOURCE / "digits-images-1797x64.npy")
    labels = np.load(SOURCE / "digits-labels.npy").reshape(-1).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    np.save(DATA / "digits-images.npy", images)
    np.save(DATA / "digits-labels.npy", labels)

    x = torch.from_numpy(images.astype(np.float32) / 16)
    y = torch.from_numpy(labels.astype(np.int64))
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(60):
        for batch in torch.randperm(TRAIN).split(64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimiser.step()
    accuracy = (net(x[TRAIN:]).argmax(1) == y[TRAIN:]).float().mean().item()
    print(f"teacher: {100 * accuracy:.2f}% of {len(images) - TRAIN} test digits")
    names = {"0": "hidden", "2": "output"}
    tensors = {}
    for key, value in net.state_dict().items():
        layer, kind = key.split(".")
        tensors[f"{names[layer]}.{kind}"] = value.numpy()
    save_safetensors(DATA / "digits-teacher.safetensors", tensors)


main()
