/** Prints `N passed, N failed` alone on the last line, for whatever reads only that. A suite that could not even start counts as a failure. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    process.on('exit', () => console.log(`${results.numPassedTests} passed, ${failed} failed`))
  }
}
