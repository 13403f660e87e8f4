import type { RunningProcess, TestStack } from '@greenroom/test-kit';
import { expect } from '@jest/globals';
import { greenroom, operatorOf, type Ran, startGreenroom } from './greenroom.js';

/** Where nothing listens. */
export const UNREACHABLE = 'http://127.0.0.1:9';
// oxlint-disable-next-line no-control-regex -- colours are what is looked for
export const COLOURS = /\u001b\[\d+m/g;

/** Somebody at a terminal who knows where the stack is, and its token. */
export class Operator {
  readonly #stack: TestStack;
  readonly #staying: RunningProcess[] = [];

  constructor(stack: TestStack) {
    this.#stack = stack;
  }

  run(...args: string[]): Promise<Ran> {
    return greenroom(args, operatorOf(this.#stack));
  }

  /** Runs what has to succeed without a word of complaint. */
  async ok(...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    expect({ args, ...ran }).toMatchObject({ args, code: 0, stderr: '' });
    return ran;
  }

  /** Starts what stays, until it ends or `leave`. */
  async stay(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<RunningProcess> {
    const process = await startGreenroom(args, operatorOf(this.#stack, more));
    this.#staying.push(process);
    return process;
  }

  async leave(): Promise<void> {
    await Promise.all(this.#staying.splice(0).map((process) => process.stop()));
  }
}
