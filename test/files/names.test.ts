import { describe, expect, it } from 'vitest'
import { brief, isWellFormed, nearNames } from '../../src/files/names.js'

describe('names', () => {
  it('are cut short in messages', () => {
    expect(brief('w')).toBe('"w"')
    expect(brief('x'.repeat(1000))).toHaveLength(121)
  })

  it('that are near', () => {
    const names = ['conv1.bias', 'conv1.weight', 'fc1.weight', 'fc2.weight', 'norm.mean']
    expect(nearNames('fc1.wieght', names)).toEqual(['fc1.weight', 'fc2.weight', 'conv1.weight'])
    expect(nearNames('CONV1.BIAS', names)[0]).toBe('conv1.bias')
    expect(nearNames('x', [])).toEqual([])
  })

  it('that UTF-8 can hold', () => {
    expect(['w', 'größe', '😀', ''].every(isWellFormed)).toBe(true)
    expect(['\ud83d', 'a\ude00b', '\ude00\ud83d'].some(isWellFormed)).toBe(false)
  })
})
