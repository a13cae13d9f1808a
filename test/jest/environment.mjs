import { createRequire } from 'node:module'
import vm from 'node:vm'
import { TestEnvironment } from 'jest-environment-node'

/** A test file's own world, with a door to Node's modules outside of it, which all files of a worker share: see outside.mjs. */
export default class Environment extends TestEnvironment {
  constructor(...given) {
    // Jest wraps the global object, so that each `Map` or `Math` in any module is a call of its own, forty times as slow. Here it is a plain one.
    const { createContext } = vm
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY)
    try {
      super(...given)
    } finally {
      vm.createContext = createContext
    }
    this.testPath = given[1].testPath
    this.global.requireOutside = createRequire(import.meta.url)
    this.global.atTeardown = new Set()
  }

  async setup() {
    const { PROGRAMS_NEEDED_BY, PROGRAMS_OUTCOME } = process.env
    if (PROGRAMS_NEEDED_BY && JSON.parse(PROGRAMS_NEEDED_BY).includes(this.testPath)) {
      const { untilBuilt } = await import('./programs.mjs')
      await untilBuilt(PROGRAMS_OUTCOME)
    }
    await super.setup()
  }

  /** What a file that failed did not end. */
  async teardown() {
    for (const end of this.global.atTeardown) await end()
    await super.teardown()
  }
}
