import type { KernelModule } from '../../core/modules.js'
import { once, type Plan, type Program } from '../plan.js'

/** How a domain does calls that one thread does as a whole. */
export interface Whole {
  /** name of the program that has the domain's verbs */
  readonly program: string
  readonly modules: readonly KernelModule[]
}

/** The arguments of a program that does a call as a whole. */
export interface WholeChunk {
  readonly verb: string
  readonly args: readonly unknown[]
}

interface WholeOptions {
  /** arrays that are the pool's own and are handed on */
  readonly moves?: ReadonlySet<unknown>
  /** makes the result of one that crosses threads as data */
  readonly finish?: (result: never) => unknown
}

/** One chunk: the call itself. */
export function wholePlan<R>(
  { program, modules }: Whole,
  verb: string,
  args: readonly unknown[],
  { moves, finish }: WholeOptions = {}
): Plan<R> {
  let result: unknown
  return {
    verb,
    program,
    modules,
    chunks: [(): WholeChunk => ({ verb, args })],
    take: (_, value) => {
      result = value
    },
    finish: () => (finish ? finish(result as never) : result) as R,
    exclusive: true,
    moves
  }
}

/** The program that calls one of these verbs. It takes them when it runs, so that its table needs no call. */
export function runWhole(verbs: object, { verb, args }: WholeChunk): ReturnType<Program> {
  const work = (verbs as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[verb]!
  return once(() => work(...args))
}
