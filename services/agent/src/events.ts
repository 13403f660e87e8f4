import { closeSync, openSync, writeSync } from 'node:fs';

/** What the agent tells the platform: the agent contract's events, with a few facts added. */
export type AgentEvent =
  | { event: 'ready' }
  | { event: 'agent_speaking'; active: boolean }
  | { event: 'user_speaking'; active: boolean }
  | { event: 'transcript'; role: 'user' | 'agent'; text: string; final: boolean }
  /** What the platform wanted to have said is taken up, or done with; an announcement that was broken off is cut. */
  | { event: 'said'; active: boolean; commandId: string; cut?: true }
  | {
      event: 'health';
      status: 'ok';
      state: string;
      callerPresent: boolean;
      rssBytes: number;
      uptimeMs: number;
    }
  | { event: 'error'; message: string }
  | { event: 'end'; reason: string };

export interface EventLog {
  /** Never throws: a full disk must not end a call. */
  write(event: AgentEvent): void;
  close(): void;
}

/** One JSON object a line, with the time in `at` (milliseconds since 1970), appended so that the reader may erase. */
export function openEventLog(file: string | undefined): EventLog {
  const fd = file === undefined ? undefined : openForAppending(file);
  if (fd === undefined) return { write: printUnlessPrivate, close: () => undefined };
  return {
    write(event) {
      try {
        writeSync(fd, toLine(event));
      } catch {
        // Nothing to tell it to: stdout may be on the same full disk.
      }
    },
    close: () => closeSync(fd),
  };
}

function openForAppending(file: string): number | undefined {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    // The agent can do its work all the same, and says the rest on stdout.
    process.stderr.write(`greenroom agent: no events in ${file}: ${String(error)}\n`);
    return undefined;
  }
}

/** Without a file, stdout ends up in the log, where transcripts must not be. */
function printUnlessPrivate(event: AgentEvent): void {
  if (event.event !== 'transcript') process.stdout.write(toLine(event));
}

function toLine(event: AgentEvent): string {
  return `${JSON.stringify({ ...event, at: Date.now() })}\n`;
}
