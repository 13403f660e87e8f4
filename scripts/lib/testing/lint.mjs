import { findProgram } from '../find-program.mjs';
import { runStep } from '../run-step.mjs';
import { describeError, say } from '../ui.mjs';

/** All of `npm run lint`, as one check. */
export async function runLint() {
  try {
    const { seconds } = await runStep({
      title: 'Lint',
      doing: 'npm run lint: types, imports, layers, format',
      command: findProgram('npm'),
      args: ['run', '--silent', 'lint'],
      log: 'lint',
      next: 'npm run lint, then mend what it names; npm run format does the formatting',
    });
    say(`✓ Lint: clean (${seconds} s)`);
    return { passed: 1, failed: 0, skipped: 0 };
  } catch (error) {
    say(describeError(error));
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
