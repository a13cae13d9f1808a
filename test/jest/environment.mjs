import { createRequire } from 'node:module'
import { TestEnvironment } from 'jest-environment-node'

/** A test file's own world, with a door to Node's modules outside of it, which all files of a worker share: see outside.mjs. */
export default class Environment extends TestEnvironment {
  constructor(...given) {
    super(...given)
    this.global.requireOutside = createRequire(import.meta.url)
    this.global.atTeardown = new Set()
  }

  /** What a file that failed did not end. */
  async teardown() {
    for (const end of this.global.atTeardown) await end()
    await super.teardown()
  }
}
