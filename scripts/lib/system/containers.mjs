import { findProgram } from '../find-program.mjs';
import { ask } from '../run-step.mjs';

/** docker or podman, if it is there and answers; a docker without its daemon does not count. */
export async function findContainerTool() {
  for (const name of ['docker', 'podman']) {
    const program = findProgram(name);
    if (program && (await ask(program, ['info'], { timeoutMs: 8_000 })).code === 0) return program;
  }
  return undefined;
}
