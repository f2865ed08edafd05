// Calls the handler that the template of the working directory names, event by event, as Lambda's runtime does.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, file, name] = /Handler: (\w+)\.(\w+)/.exec(readFileSync('template.yaml', 'utf8'))
const { [name]: handler } = await import(pathToFileURL(resolve(`${file}.mjs`)))

process.on('message', async (event) => {
  const answer = await handler(event).catch(({ stack }) => ({ stack }))
  process.send(answer)
})
process.send('ready')
