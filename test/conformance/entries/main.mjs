// Prints the conformance table as JSON: for runtimes with a standard output.
import * as entries from './all.mjs'
import { conformance } from './rows.mjs'

console.log(JSON.stringify(await conformance(entries)))
