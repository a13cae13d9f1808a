import { createRequire } from 'node:module'
import { TestEnvironment } from 'jest-environment-node'

/** A test file's own world, with a door to Node's modules outside of it, which all files of a worker share: see outside.mjs. */
export default class Environment extends TestEnvironment {
  constructor(...given) {
    super(...given)
    this.global.requireOutside = createRequire(import.meta.url)
  }
}
