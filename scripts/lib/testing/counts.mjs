export const NOTHING = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `12 passed, 0 failed`, and `, 3 skipped` only when there are some. */
export function countLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * From jest's JSON results (undefined when it wrote none) and its exit code. A suite that could not run counts as a
 * failure, and so does a run that ended badly without naming a test.
 */
export function countResults(results, exitCode) {
  if (!results) return { passed: 0, failed: 1, skipped: 0 };
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const endedBadly = exitCode !== 0 && failed === 0;
  return {
    passed: results.numPassedTests,
    failed: failed + (endedBadly ? 1 : 0),
    skipped: results.numPendingTests + results.numTodoTests,
  };
}
