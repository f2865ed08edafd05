// Prints the conformance table of the built package as JSON: for runtimes with a standard output.
import * as tersor from '../../build/index.js'
import * as model from '../../build/model.js'
import { conformance } from './rows.mjs'

console.log(JSON.stringify(await conformance(tersor, model)))
