import { typeError } from '../core/errors.js'
import { show } from '../core/check.js'
import type { KernelModule } from '../core/modules.js'
import type { Call, Calls } from './call.js'
import type { Program } from './plan.js'
import type { Whole } from './plans/whole.js'
import type { WorkerChunk } from './script.js'

/** Verbs that a pool can have: those of one domain. */
export interface Domain<Verbs extends object = object> {
  readonly name: string
  /** for the compiler: the types of the verbs. There is no such field */
  readonly verbs?: Verbs
}

/** All that a pool knows of a domain. */
export interface DomainParts<Verbs extends object> {
  readonly calls: Calls<Verbs>
  /** how one thread does a call as a whole */
  readonly whole: Whole
  readonly modules: readonly KernelModule[]
  readonly programs: Readonly<Record<string, Program>>
  /** the programs as text, for the worker's script */
  readonly chunk: WorkerChunk
}

/** A domain and its parts. They are made by a function, so that a bundler can leave out a domain that nobody names. */
export interface OwnDomain<Verbs extends object> extends Domain<Verbs> {
  readonly parts: () => DomainParts<Verbs>
}

/** The parts of some domains, as one pool has them. */
export interface Repertoire {
  /** each verb with the way that one thread does it as a whole */
  readonly calls: ReadonlyMap<string, Call & { readonly whole: Whole }>
  readonly modules: readonly KernelModule[]
  readonly programs: Readonly<Record<string, Program>>
  readonly chunks: readonly WorkerChunk[]
}

/** Puts domains together. */
export function repertoireOf(verb: string, domains: unknown): Repertoire {
  const all = checkDomains(verb, domains).map(({ parts }) => parts())
  return {
    calls: new Map(
      all.flatMap(({ calls, whole }) =>
        Object.entries(calls as Readonly<Record<string, Call>>).map(
          ([name, call]) => [name, { ...call, whole }] as const
        )
      )
    ),
    modules: [...new Set(all.flatMap(({ modules }) => modules))],
    programs: Object.assign({}, ...all.map(({ programs }) => programs)) as Record<string, Program>,
    chunks: all.map(({ chunk }) => chunk)
  }
}

function checkDomains(verb: string, domains: unknown): readonly OwnDomain<object>[] {
  const wanted = 'domains of tersor/pool, such as quantizing'
  if (!Array.isArray(domains))
    throw typeError(`${verb}: "domains" expected an array of ${wanted}, got ${show(domains)}`)
  if (domains.length === 0) {
    throw typeError(`${verb}: "domains" expected one or more ${wanted}, got none`, 'invalid-value')
  }
  const seen = new Set<string>()
  // By index: holes of an array are no domains.
  for (let i = 0; i < domains.length; i++) {
    const domain = domains[i] as Partial<OwnDomain<object>> | null | undefined
    if (typeof domain !== 'object' || typeof domain?.parts !== 'function') {
      throw typeError(`${verb}: "domains" expected ${wanted}, got ${show(domain)} at index ${i}`)
    }
    if (seen.has(domain.name!)) {
      throw typeError(`${verb}: "domains" has ${domain.name} twice; name each domain once`, 'invalid-value')
    }
    seen.add(domain.name!)
  }
  return domains as OwnDomain<object>[]
}
