import { startProcess } from '@greenroom/test-kit';

/** Runs a program to its end. @throws with what it said when it fails */
export async function runProgram(command: string, ...args: string[]): Promise<void> {
  const program = await startProcess({ command, args });
  const { code } = await program.exited;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${program.output()}`);
}
