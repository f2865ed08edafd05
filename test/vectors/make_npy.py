"""Writes npy/*.npy and npy.json: .npy files of every kind, and what each holds.

Run with Python 3 and NumPy (1.24 was used): python3 make_npy.py

npy.json gives for each file that can be read its safetensors dtype, its shape and its data, row-major and little-endian, in
hexadecimal, and whether numpy.save in its plain form wrote it ("plain": C order, little-endian, version 1.0); for the others the
type that cannot be read.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

warnings.simplefilter('ignore')  # "Stored array in format 3.0"

HERE = Path(__file__).parent
OUT = HERE / 'npy'
OUT.mkdir(exist_ok=True)
for old in OUT.glob('*.npy'):
    old.unlink()

NAMES = {
    'b1': 'BOOL', 'i1': 'I8', 'u1': 'U8', 'i2': 'I16', 'u2': 'U16', 'f2': 'F16', 'i4': 'I32', 'u4': 'U32', 'f4': 'F32',
    'i8': 'I64', 'u8': 'U64', 'f8': 'F64', 'c8': 'C64',
}
expected = {}


def example(code, shape):
    """Values that use every byte of an element; floats with both zeros, infinities, a NaN and a subnormal."""
    dtype = np.dtype('<' + code)
    count = int(np.prod(shape))
    rng = np.random.default_rng(len(code) * 1000 + ord(code[0]) + count)
    if code == 'b1':
        flat = rng.integers(0, 2, count).astype(dtype)
    elif code[0] in 'iu':
        flat = np.frombuffer(rng.bytes(count * dtype.itemsize), dtype).copy()
    else:
        part = np.dtype('f4') if code == 'c8' else dtype
        flat = rng.standard_normal(count * dtype.itemsize // part.itemsize).astype(part)
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(part).tiny / 2], part)[:flat.size // 2]
        flat[:special.size] = special
        flat = flat.view(dtype)
    return flat.reshape(shape)


def note(name, array, plain=False):
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder('<')).tobytes()
    code = array.dtype.str[1:]
    expected[name] = {'dtype': NAMES[code], 'shape': list(array.shape), 'hex': little.hex(), 'plain': plain}


def save(name, array, version=None, plain=False):
    with open(OUT / f'{name}.npy', 'wb') as file:
        npy.write_array(file, array, version=version)
    note(name, array, plain)


def save_refused(name, array, **options):
    np.save(OUT / f'{name}.npy', array, **options)
    expected[name] = {'refused': array.dtype.str}


for code in NAMES:
    save(f'plain-{code}', example(code, (2, 3)), plain=True)
    save(f'fortran-{code}', np.asfortranarray(example(code, (2, 3, 4))))
    if int(code[1]) > 1:
        save(f'big-{code}', example(code, (2, 3)).astype('>' + code))
save('fortran-big-f8', np.asfortranarray(example('f8', (3, 4, 2)).astype('>f8')))
save('fortran-vector', np.asfortranarray(example('f4', (5,))))
save('fortran-ones', np.asfortranarray(example('f4', (1, 5, 1))))
save('scalar-f4', example('f4', ()), plain=True)
save('scalar-i8', example('i8', ()), plain=True)
save('vector-f4', example('f4', (7,)), plain=True)
save('long-u1', example('u1', (1, 1, 300)), plain=True)
save('deep-u1', example('u1', (1,) * 30 + (2, 3)), plain=True)
save('empty-f4', example('f4', (0, 3)), plain=True)
save('fortran-empty-f4', np.asfortranarray(example('f4', (3, 0, 2))))
save('version-2-f4', example('f4', (2, 3)), version=(2, 0))
save('version-3-f4', example('f4', (2, 3)), version=(3, 0))

# ml_dtypes is not needed: its bfloat16 has the dtype.str '<V2' ('>V2' swapped), and numpy.save writes that and the bytes; checked
# against ml_dtypes 0.6.0 with NumPy 2.4.6.
patterns = np.array([[0x3f80, 0xc000, 0x7f80], [0x7fc0, 0x0001, 0x8000]], '<u2')
for name, descr in (('bfloat16-void', '<V2'), ('bfloat16-big', '>V2'), ('bfloat16-name', 'bfloat16')):
    with open(OUT / f'{name}.npy', 'wb') as file:
        npy.write_array_header_1_0(file, {'descr': descr, 'fortran_order': False, 'shape': (2, 3)})
        file.write((patterns.byteswap() if descr == '>V2' else patterns).tobytes())
    expected[name] = {
        'dtype': 'BF16', 'shape': [2, 3], 'hex': patterns.tobytes().hex(), 'plain': name == 'bfloat16-void',
    }

save_refused('refused-object', np.array([{'a': 1}, None], object), allow_pickle=True)
save_refused('refused-bytes', np.array([b'one', b'three']))
save_refused('refused-text', np.array(['one', 'three']))
save_refused('refused-date', np.array(['2024-01-01'], 'M8[D]'))
save_refused('refused-span', np.array([5], 'm8[ns]'))
save_refused('refused-f16', np.array([1.5], np.longdouble))
save_refused('refused-c16', np.array([1 + 2j]))
save_refused('refused-void', patterns.view('V2'))
save_refused('refused-structured', np.array([(1, 2.5)], [('id', '<i4'), ('value', '<f4')]))
save_refused('refused-structured-unicode', np.array([(1, 2.5)], [('größe', '<i4'), ('値', '<f4')]))

# What numpy itself reads back is what is expected.
for name, want in expected.items():
    if 'refused' not in want and want['dtype'] != 'BF16':
        array = np.load(OUT / f'{name}.npy')
        assert list(array.shape) == want['shape'], name
        assert array.astype(array.dtype.newbyteorder('<')).tobytes().hex() == want['hex'], name

with open(HERE / 'npy.json', 'w') as file:
    json.dump(expected, file, indent=1)
    file.write('\n')
