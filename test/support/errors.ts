import { expect } from 'vitest'

type ErrorClass = new (...parameters: never[]) => Error

/** Throws an error of just this class, with a message that has every part. */
export function expectError(run: () => unknown, type: ErrorClass, ...parts: readonly (string | RegExp)[]): void {
  let thrown: unknown
  let result: unknown
  try {
    result = run()
  } catch (error) {
    thrown = error
  }
  if (thrown === undefined)
    expect.fail(`expected a ${type.name} (${parts.join(', ')}), got the result ${String(result)}`)
  expect((thrown as Error).constructor.name, `class of "${String(thrown)}"`).toBe(type.name)
  const { message } = thrown as Error
  for (const part of parts) {
    if (typeof part === 'string') expect(message).toContain(part)
    else expect(message).toMatch(part)
  }
}

/** A value that the types forbid. */
export const wrong = (value: unknown): never => value as never

/** What it throws; fails where it throws nothing. */
export function errorOf(run: () => unknown): unknown {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    return error
  }
  return expect.fail(`expected an error, got the result ${String(result)}`)
}
