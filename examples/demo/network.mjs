// A network of one hidden layer in plain JavaScript: enough to train a student on the gradients that tersor gives.

const HIDDEN = 'hidden'
const OUTPUT = 'output'

/** The four tensors of a model file. */
export async function layers(model) {
  const net = {}
  for (const { name } of model.tensors) {
    const { data, shape } = await model.read(name)
    net[name] = { data, shape }
  }
  return net
}

/** Seeded small weights: uniform within 1 / sqrt(inputs), as PyTorch's Linear. */
export function createStudent(width, seed) {
  let state = seed >>> 0
  const uniform = (shape, bound) => ({
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return (state / 2 ** 31 - 1) * bound
    }),
    shape
  })
  return {
    'hidden.weight': uniform([width, 64], 1 / 8),
    'hidden.bias': uniform([width], 1 / 8),
    'output.weight': uniform([10, width], 1 / Math.sqrt(width)),
    'output.bias': uniform([10], 1 / Math.sqrt(width))
  }
}

/** x (rows, inputs) times the layer's weight (outputs, inputs), plus bias. */
function linear(net, layer, { data, shape: [rows, inputs] }) {
  const weight = net[`${layer}.weight`]
  const bias = net[`${layer}.bias`].data
  const outputs = weight.shape[0]
  const out = new Float32Array(rows * outputs)
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias[o]
      for (let i = 0; i < inputs; i++) sum += data[r * inputs + i] * weight.data[o * inputs + i]
      out[r * outputs + o] = sum
    }
  }
  return { data: out, shape: [rows, outputs] }
}

const relu = ({ data, shape }) => ({ data: data.map((x) => Math.max(0, x)), shape })

/** Logits (rows, 10). */
export function predict(net, x) {
  return linear(net, OUTPUT, relu(linear(net, HIDDEN, x)))
}

export function accuracy(net, x, labels) {
  const { data, shape } = predict(net, x)
  let right = 0
  for (let r = 0; r < shape[0]; r++) {
    const row = data.subarray(r * 10, r * 10 + 10)
    if (row.indexOf(Math.max(...row)) === labels[r]) right++
  }
  return right / shape[0]
}

/** Gradients of one layer, and what flows on to its input. */
function backward(net, layer, input, gradient, moments, step) {
  const [rows, inputs] = input.shape
  const weight = net[`${layer}.weight`]
  const outputs = weight.shape[0]
  const dWeight = new Float32Array(weight.data.length)
  const dBias = new Float32Array(outputs)
  const dInput = new Float32Array(input.data.length)
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      const g = gradient[r * outputs + o]
      if (g === 0) continue
      dBias[o] += g
      for (let i = 0; i < inputs; i++) {
        dWeight[o * inputs + i] += g * input.data[r * inputs + i]
        dInput[r * inputs + i] += g * weight.data[o * inputs + i]
      }
    }
  }
  adam(weight.data, dWeight, moments, `${layer}.weight`, step)
  adam(net[`${layer}.bias`].data, dBias, moments, `${layer}.bias`, step)
  return dInput
}

/** D. P. Kingma, J. Ba: Adam, 2015, with its usual constants and a step of .01. */
function adam(values, gradient, moments, name, step) {
  const { m, v } = (moments[name] ??= { m: new Float64Array(values.length), v: new Float64Array(values.length) })
  for (let i = 0; i < values.length; i++) {
    m[i] = 0.9 * m[i] + 0.1 * gradient[i]
    v[i] = 0.999 * v[i] + 0.001 * gradient[i] ** 2
    values[i] -= (0.01 * (m[i] / (1 - 0.9 ** step))) / (Math.sqrt(v[i] / (1 - 0.999 ** step)) + 1e-8)
  }
}

/** Full-batch steps down the gradient of `loss`, a function of the student's logits. */
export function train(net, x, steps, loss) {
  const moments = {}
  for (let step = 1; step <= steps; step++) {
    const before = linear(net, HIDDEN, x)
    const hidden = relu(before)
    const { gradient } = loss(linear(net, OUTPUT, hidden))
    const back = backward(net, OUTPUT, hidden, gradient.data, moments, step)
    for (let i = 0; i < back.length; i++) if (before.data[i] <= 0) back[i] = 0
    backward(net, HIDDEN, x, back, moments, step)
  }
}
