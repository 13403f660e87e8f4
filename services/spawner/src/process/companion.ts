import { spawn } from 'node:child_process';
import process from 'node:process';
import { trackChild } from './own-children.js';

/** A program of ours that runs beside the spawner. */
export interface Companion {
  /** Lost where it is gone. */
  send(message: object): void;
  /** It keeps nothing, so it needs no grace. */
  kill(): void;
}

export interface CompanionHandlers {
  readonly onMessage: (message: unknown) => void;
  /** Not called after `kill`. */
  readonly onExit: () => void;
}

/**
 * Starts a program over a channel that closes when we die, however that is: the program leaves then. Unlike an agent it stays
 * in our process group, and no successor adopts it.
 * @param program file of JavaScript
 */
export function startCompanion(program: string, { onMessage, onExit }: CompanionHandlers): Companion {
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // LiveKit's client prints debug lines otherwise.
    env: { NODE_ENV: 'production', PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  trackChild(child);
  let isOver = false;
  const leave = (): void => {
    if (isOver) return;
    isOver = true;
    onExit();
  };
  child.on('message', onMessage);
  child.once('exit', leave);
  child.once('error', leave);
  // It must not keep a spawner alive that is about to hand over.
  child.unref();
  child.channel?.unref();
  return {
    send: (message) => void child.send(message, () => undefined),
    kill() {
      isOver = true;
      child.kill('SIGKILL');
    },
  };
}
