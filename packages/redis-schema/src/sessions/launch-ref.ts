import { type ScriptAnswer, unexpected } from '../script-runner.js';
import type { CommandName } from '../scripts.js';

/** Names the launch that a step speaks for; a step for another launch than the current one changes nothing. */
export interface LaunchRef {
  sessionId: string;
  generation: number;
  launch: string;
}

/** `superseded` carries the state that the session is in by now, if it still is. */
export type Superseded = { status: 'superseded'; now: string | undefined };

/** The last case of a step that speaks for a launch. */
export function parseSuperseded(name: CommandName, answer: ScriptAnswer): Superseded {
  if (answer.status !== 'superseded') throw unexpected(name, answer);
  return { status: 'superseded', now: answer.now as string | undefined };
}
