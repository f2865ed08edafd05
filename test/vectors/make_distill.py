"""Writes distill.json: distillation losses and their gradients, computed by PyTorch in float64.

Run with Python 3, PyTorch (1.13 was used) and NumPy: python3 make_distill.py

Every logit is an exact f32, written so that Math.fround of the parsed number gives it back. The gradient of reduction
'none' is that of the sum of the rows' losses, which is each row's own.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
# 'mean' dividing by the classes too is the behaviour these vectors pin down.
warnings.filterwarnings('ignore', message="reduction: 'mean' divides")

REDUCTIONS = ['none', 'mean', 'batchMean', 'sum']
TEMPERATURES = [1, 2, 4, 0.5, 20]
ALPHAS = [0, 0.1, 0.5, 0.9, 1]


def f32(x):
    """The shortest decimal of an f32 that survives decimal -> f64 -> f32."""
    if np.isneginf(x):
        return '-Infinity'
    short = float(str(np.float32(x)))
    assert np.float32(short) == np.float32(x)
    return int(short) if short == int(short) else short


def log_softmax(logits, temperature):
    """log softmax(z / T), with 0 in the place of -inf.

    At a masked class PyTorch's KLDivLoss evaluates 0 * (-inf) - 0 * (-inf), a NaN. A term with p = 0 is 0 by
    definition, and after the fill it is exp(0) * (0 - 0): no contribution to the loss, and none to the gradient because
    the filled entries are constants. 'mean' still counts the class among the elements.
    """
    return F.log_softmax(logits / temperature, dim=-1).masked_fill(torch.isneginf(logits), 0.0)


def kl_divergence(student, teacher, temperature, reduction):
    # log_target: p (log p - log q) of two log-softmaxes, which is exactly 0 for equal logits.
    divergence = torch.nn.KLDivLoss(reduction=reduction.lower(), log_target=True)
    value = divergence(log_softmax(student, temperature), log_softmax(teacher, temperature))
    return value.sum(dim=-1) if reduction == 'none' else value


def cross_entropy(student, labels, reduction):
    # CrossEntropyLoss has no 'batchmean': its 'mean' already divides by the rows.
    return F.cross_entropy(student, labels, reduction='mean' if reduction == 'batchMean' else reduction)


class Vectors:
    def __init__(self):
        self.inputs = {}
        self.cases = []

    def add_input(self, name, student, teacher, labels):
        student = np.asarray(student, dtype=np.float32)
        teacher = np.asarray(teacher, dtype=np.float32)
        rows, classes = student.shape
        self.inputs[name] = {
            'rows': rows,
            'classes': classes,
            'student': [f32(x) for x in student.ravel()],
            'teacher': [f32(x) for x in teacher.ravel()],
            'labels': [int(y) for y in labels],
        }

    def tensors(self, name):
        entry = self.inputs[name]
        shape = (entry['rows'], entry['classes'])
        logits = [
            torch.from_numpy(np.array([np.float32(x) for x in entry[key]], dtype=np.float32).reshape(shape)).double()
            for key in ('student', 'teacher')
        ]
        return logits[0].requires_grad_(), logits[1], torch.tensor(entry['labels'])

    def add_case(self, operation, name, loss, student, **options):
        (gradient,) = torch.autograd.grad(loss.sum(), student)
        assert torch.isfinite(loss).all() and torch.isfinite(gradient).all()
        case = {
            'operation': operation,
            'input': name,
            **options,
            'loss': loss.tolist(),
            'gradient': gradient.ravel().tolist(),
        }
        self.cases.append(case)
        return case

    def kl(self, name, temperature, reduction, squared):
        student, teacher, _ = self.tensors(name)
        loss = kl_divergence(student, teacher, temperature, reduction)
        if squared:
            loss = temperature**2 * loss
        return self.add_case(
            'klDivergence', name, loss, student,
            temperature=temperature, reduction=reduction, temperatureSquared=squared,
        )

    def ce(self, name, reduction):
        student, _, labels = self.tensors(name)
        self.add_case('crossEntropy', name, cross_entropy(student, labels, reduction), student, reduction=reduction)

    def distillation(self, name, temperature, alpha, reduction, squared):
        student, teacher, labels = self.tensors(name)
        kl = kl_divergence(student, teacher, temperature, reduction)
        if squared:
            kl = temperature**2 * kl
        loss = alpha * kl + (1 - alpha) * cross_entropy(student, labels, reduction)
        self.add_case(
            'distillationLoss', name, loss, student,
            temperature=temperature, alpha=alpha, reduction=reduction, temperatureSquared=squared,
        )

    def documented(self):
        self.add_input('documented', [[2, 1, 0.5], [0.5, 1, -0.5]], [[3, 1, 0.2], [0, 2, -1]], [0, 1])
        for reduction, squared, expected in [
            ('batchMean', False, 0.0540463),
            ('batchMean', True, 0.2161851),
            ('mean', False, 0.0180154),
        ]:
            loss = self.kl('documented', 2, reduction, squared)['loss']
            assert abs(loss - expected) < 5e-8, (reduction, squared, loss)
        self.every_operation('documented')

    def every_operation(self, name):
        for i, temperature in enumerate(TEMPERATURES):
            self.kl(name, temperature, REDUCTIONS[i % 4], i % 2 == 0)
            for j, alpha in enumerate(ALPHAS):
                self.distillation(name, temperature, alpha, REDUCTIONS[(i + j) % 4], (i + j) % 3 != 0)
        for reduction in REDUCTIONS:
            self.ce(name, reduction)
            self.kl(name, 4, reduction, True)

    def one_of_each(self, name, turn):
        """Few cases, for inputs whose gradients are long."""
        for i in range(3):
            k = turn + i
            self.distillation(name, TEMPERATURES[k % 5], ALPHAS[(2 * k + 1) % 5], REDUCTIONS[k % 4], True)
        self.kl(name, TEMPERATURES[(turn + 3) % 5], REDUCTIONS[(turn + 3) % 4], False)
        self.ce(name, REDUCTIONS[turn % 4])


def main():
    # RandomState's streams are frozen by NumPy's compatibility policy, those of a Generator are not.
    random = np.random.RandomState(20230817)

    def logits(rows, classes, limit=5000):
        return random.randint(-limit, limit + 1, size=(rows, classes)) / 1000

    vectors = Vectors()
    vectors.documented()

    for turn, (rows, classes) in enumerate([(1, 1), (1, 2), (3, 5), (4, 17), (2, 33), (5, 100), (2, 257)]):
        name = f'{rows}x{classes}'
        labels = random.randint(0, classes, size=rows)
        vectors.add_input(name, logits(rows, classes), logits(rows, classes), labels)
        if rows * classes <= 15:
            vectors.every_operation(name)
        else:
            vectors.one_of_each(name, turn)
    for i, temperature in enumerate(TEMPERATURES):
        vectors.distillation('4x17', temperature, ALPHAS[i], REDUCTIONS[(i + 1) % 4], True)

    # Without the subtraction of the maximum these overflow even f64.
    big = 10000 * random.choice([-1, 1], size=(3, 5)) + logits(3, 5)
    vectors.add_input('bigLogits', big, -big + logits(3, 5), random.randint(0, 5, size=3))
    vectors.every_operation('bigLogits')

    teacher = logits(4, 17).astype(np.float32)
    student = (teacher + random.randint(-2000, 2001, size=teacher.shape) / 1e6).astype(np.float32)
    vectors.add_input('nearConverged', student, teacher, random.randint(0, 17, size=4))
    for i, temperature in enumerate(TEMPERATURES):
        vectors.kl('nearConverged', temperature, REDUCTIONS[i % 4], True)
    vectors.distillation('nearConverged', 4, 0.9, 'batchMean', True)

    masked = np.zeros((4, 6), dtype=bool)
    masked[0, 0] = masked[1, 5] = masked[2, 1] = masked[2, 3] = True
    masked[3, 1:] = True
    teacher = np.where(masked, -np.inf, logits(4, 6))
    student = np.where(masked, -np.inf, logits(4, 6))
    vectors.add_input('masked', student, teacher, [1, 0, 4, 0])
    vectors.every_operation('masked')

    same = logits(3, 7)
    vectors.add_input('identical', same, same, [6, 0, 3])
    for temperature in TEMPERATURES:
        for reduction in REDUCTIONS:
            case = vectors.kl('identical', temperature, reduction, False)
            assert np.all(np.array(case['loss']) == 0)
    vectors.distillation('identical', 4, 0.5, 'mean', True)

    source = f'PyTorch {torch.__version__}, float64'
    lines = [json.dumps(case, allow_nan=False) for case in vectors.cases]
    inputs = [f'{json.dumps(name)}: {json.dumps(entry, allow_nan=False)}' for name, entry in vectors.inputs.items()]
    text = (
        f'{{"source": {json.dumps(source)},\n"inputs": {{\n' + ',\n'.join(inputs) + '\n},\n"cases": [\n'
        + ',\n'.join(lines) + '\n]}\n'
    )
    json.loads(text)
    (Path(__file__).parent / 'distill.json').write_text(text)


if __name__ == '__main__':
    main()
