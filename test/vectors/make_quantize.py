"""Writes quantize.json: what PyTorch and NumPy compute for the operations they define in the same way.

Run with Python 3, PyTorch (1.13 was used) and NumPy: python3 make_quantize.py

Every f32 is written so that Math.fround of the parsed number gives it back, -0 included.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.utils.prune as prune

torch.set_num_threads(1)

RANGES = {'int8': (-128, 127), 'uint8': (0, 255), 'int4': (-8, 7), 'uint4': (0, 15)}


def f32(x):
    """The shortest decimal of an f32 that survives decimal -> f64 -> f32."""
    short = float(str(np.float32(x)))
    assert np.float32(short).tobytes() == np.float32(x).tobytes()
    if short == int(short) and abs(short) < 2**24 and not np.signbit(short):
        return int(short)
    return short


def f32_list(values):
    return [f32(x) for x in np.asarray(values, dtype=np.float32).ravel()]


def with_neighbours(values):
    """The values, the f32 just below and just above each of them, and the negatives of all."""
    values = np.asarray(values, dtype=np.float32)
    assert np.all(values.astype(np.float64) >= 0)
    up = np.nextafter(values, np.float32(np.inf))
    down = np.nextafter(values, np.float32(0))
    return np.concatenate([np.stack([values, down, up]).ravel(), -np.stack([values, down, up]).ravel()])


def float_formats(random):
    any_bits = random.randint(0, 2**31, size=400).astype(np.uint32).view(np.float32)

    # Half units of the last place of binary16: at the subnormals, at both ends of binades, and next to the limit.
    ties = [k * 2.0**-25 for k in (0, 1, 2, 3, 4, 5, 7, 1023, 1025, 2045, 2046, 2047, 2048, 2049, 4095)]
    for exponent in (-14, -13, -1, 0, 1, 9, 10, 15):
        ties += [k * 2.0 ** (exponent - 11) for k in (2048, 2049, 2050, 2051, 3001, 3003, 4091, 4093, 4094)]
    half = with_neighbours(ties)
    plain = random.randint(-65000, 65001, size=60) / 1000
    tiny = random.randint(-70000, 70001, size=60) * 2.0**-31
    half = np.concatenate([half, plain, tiny, [65504, 65505, 65519, np.nextafter(np.float32(65520), np.float32(0))]])
    half = half.astype(np.float32)
    # From 65520 on PyTorch gives an infinity where saturation is wanted.
    assert np.all(np.abs(half) < 65520)

    ties = [k * 2.0**-134 for k in (0, 1, 2, 3, 5, 127, 129, 253, 254, 255, 256, 257, 511)]
    for exponent in (-126, -125, -1, 0, 1, 100, 126, 127):
        ties += [k * 2.0 ** (exponent - 8) for k in (256, 257, 258, 259, 401, 403, 507, 509, 510)]
    brain = with_neighbours(ties)
    brain = np.concatenate([brain, plain, any_bits[np.abs(any_bits) < 3.38e38]]).astype(np.float32)
    brain = np.concatenate([brain, -brain[-100:], np.array([1, 0x807FFFFF], dtype=np.uint32).view(np.float32)])

    result = {}
    for name, values, dtype in [('float16', half, torch.float16), ('bfloat16', brain, torch.bfloat16)]:
        converted = torch.from_numpy(values).to(dtype)
        assert torch.isfinite(converted).all()
        bits = converted.view(torch.int16).numpy().view(np.uint16)
        back = converted.float().numpy()
        result[name] = {'input': f32_list(values), 'bits': bits.tolist(), 'output': f32_list(back)}
    return result


def fake_quantize_case(format, symmetric, scales, zero_points, values, axis=None, group=None):
    """`scales` and `zero_points` as the groups of the channels; PyTorch sees each group as a channel of its own."""
    values = np.asarray(values, dtype=np.float32)
    scales = np.asarray(scales, dtype=np.float32)
    low, high = RANGES[format]
    if symmetric:
        # Codes symmetric about the zero point: the lowest one of the format is not used.
        low = low + 1
    x = torch.from_numpy(values).clone().requires_grad_()
    if axis is None and group is None:
        y = torch.fake_quantize_per_tensor_affine(x, float(scales[0]), int(zero_points[0]), low, high)
    else:
        seen, channel_axis = (x.reshape(-1, group), 0) if group is not None else (x, axis % x.dim())
        points = torch.tensor(zero_points, dtype=torch.int32)
        y = torch.fake_quantize_per_channel_affine(seen, torch.from_numpy(scales), points, channel_axis, low, high)
    (mask,) = torch.autograd.grad(y.sum(), x)
    mask = mask.ravel().numpy()
    assert np.all((mask == 0) | (mask == 1))
    options = {'format': format, 'symmetric': symmetric}
    if axis is not None:
        options['axis'] = axis
    if group is not None:
        options['group'] = group
    return {
        'options': options,
        'shape': list(values.shape),
        'scales': f32_list(scales),
        'zeroPoints': [int(z) for z in zero_points],
        'input': f32_list(values),
        'output': f32_list(y.detach().numpy()),
        'mask': [int(bit) for bit in mask],
    }


def values_for(random, format, scale, zero_point):
    """Ties between codes (7.5, -8.5, ...), values such as -8.4 that still round into the range, and values beyond it."""
    low, high = (limit - zero_point for limit in RANGES[format])
    steps = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.3, -0.3]
    for edge in (low, high):
        steps += [edge + d for d in (-1.5, -1, -0.6, -0.5, -0.4, 0, 0.4, 0.5, 0.6, 1, 1.5, 40, 1000)]
    steps += list(random.randint(1000 * low - 3000, 1000 * high + 3001, size=24) / 1000)
    # -0.0 and values that scale to almost nothing come back as +0.
    return np.concatenate([np.array(steps) * float(np.float32(scale)), [0.0, -0.0, 1e-40, -1e-40]]).astype(np.float32)


def fake_quantize(random):
    per_tensor = []
    for format in RANGES:
        low, high = RANGES[format]
        middle = (low + high + 1) // 2
        for scale in (1, 0.5, 0.1, 0.3, 0.0123, 3.7e-5, 1234.5):
            per_tensor.append(
                fake_quantize_case(format, True, [scale], [middle], values_for(random, format, scale, middle))
            )
        for scale, zero_point in [(0.5, low), (0.1, high), (0.037, low + 3), (7.1, middle), (0.7, middle + 2)]:
            values = values_for(random, format, scale, zero_point)
            per_tensor.append(fake_quantize_case(format, False, [scale], [zero_point], values))

    per_channel = []
    for format in RANGES:
        low, high = RANGES[format]
        middle = (low + high + 1) // 2
        scales = np.array([0.5, 0.1, 0.043], dtype=np.float32)
        points = [low + 1, middle, high - 2]
        columns = np.stack([values_for(random, format, s, z) for s, z in zip(scales, points)], axis=0)
        per_channel.append(fake_quantize_case(format, False, scales, points, columns, axis=0))
        per_channel.append(fake_quantize_case(format, False, scales, points, columns.T.copy(), axis=-1))
        cube = columns[:, :20].reshape(3, 4, 5).transpose(1, 0, 2).copy()
        per_channel.append(fake_quantize_case(format, False, scales, points, cube, axis=1))
        per_channel.append(fake_quantize_case(format, True, scales, [middle] * 3, columns, axis=0))
        groups = columns[:, :40].reshape(3, 40)
        per_channel.append(
            fake_quantize_case(
                format, False, np.repeat(scales, 5) * np.tile([1, 2, 0.5, 3, 0.3], 3).astype(np.float32),
                np.repeat(points, 5).tolist(), groups, group=8,
            )
        )
    return per_tensor, per_channel


def magnitudes(random, n):
    """Distinct magnitudes: which of two equal ones goes is not defined by PyTorch."""
    return (random.permutation(np.arange(1, n + 1)) * random.choice([-1, 1], size=n) / 16).astype(np.float32)


def module_of(values):
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(torch.from_numpy(values))
    return module


def pruning(random):
    layers = []
    for amount, n in [
        (0.5, 5), (0.5, 7), (0.5, 9), (0.5, 8), (0.25, 10), (0.75, 10), (0.25, 6), (0.1, 5), (0.3, 5), (0.7, 5),
        (0.9, 15), (0.35, 10), (0.45, 10), (0.55, 10), (0.15, 30), (0.0, 7), (1.0, 7), (0.01, 20), (0.999, 20), (0.5, 1),
    ]:  # fmt: skip
        values = magnitudes(random, n)
        module = module_of(values)
        prune.l1_unstructured(module, 'weight', amount)
        kept = module.weight_mask.int().tolist()
        layers.append({'amount': amount, 'input': f32_list(values), 'removed': n - sum(kept), 'kept': kept})

    together = []
    for amount, lengths in [(0.5, (4, 3)), (0.5, (5, 6, 4)), (0.25, (7, 3)), (0.8, (10, 2, 9))]:
        values = np.split(magnitudes(random, sum(lengths)), np.cumsum(lengths)[:-1])
        modules = [module_of(v) for v in values]
        prune.global_unstructured([(m, 'weight') for m in modules], prune.L1Unstructured, amount=amount)
        kept = [m.weight_mask.int().tolist() for m in modules]
        together.append({'amount': amount, 'inputs': [f32_list(v) for v in values], 'kept': kept})
    return layers, together


def singular_values(random):
    def entries(m, n):
        return random.randint(-2000, 2001, size=(m, n)) / 1000

    deficient = (random.randint(-9, 10, size=(9, 2)) @ random.randint(-9, 10, size=(2, 6))) / 8
    matrices = {
        '1x1': entries(1, 1), '1x4': entries(1, 4), '5x3': entries(5, 3), '3x5': entries(3, 5), '8x8': entries(8, 8),
        '20x7': entries(20, 7), 'identity': np.eye(4), 'deficient': deficient, 'zero': np.zeros((4, 3)),
    }  # fmt: skip
    result = []
    for name, matrix in matrices.items():
        matrix = matrix.astype(np.float32)
        s = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
        m, n = matrix.shape
        result.append({'name': name, 'm': m, 'n': n, 'input': f32_list(matrix), 'singularValues': s.tolist()})
    return result


def main():
    # RandomState's streams are frozen by NumPy's compatibility policy, those of a Generator are not.
    random = np.random.RandomState(20230817)
    sections = float_formats(random)
    sections['fakeQuantizePerTensor'], sections['fakeQuantizePerChannel'] = fake_quantize(random)
    sections['pruneLayer'], sections['pruneGlobal'] = pruning(random)
    sections['singularValues'] = singular_values(random)

    source = f'PyTorch {torch.__version__}, NumPy {np.__version__}'
    text = f'{{"source": {json.dumps(source)}'
    for name, section in sections.items():
        entries = section if isinstance(section, list) else None
        body = (
            '[\n' + ',\n'.join(json.dumps(e, allow_nan=False) for e in entries) + '\n]'
            if entries is not None
            else json.dumps(section, allow_nan=False)
        )
        text += f',\n"{name}": {body}'
    text += '\n}\n'
    json.loads(text)
    (Path(__file__).parent / 'quantize.json').write_text(text)


if __name__ == '__main__':
    main()
