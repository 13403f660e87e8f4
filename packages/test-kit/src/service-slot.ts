import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from './process.js';

const SERVICES = new URL('../../../services/', import.meta.url);

type Environment = Readonly<Record<string, string>>;

/** One of our services through any number of lives. */
export interface ServiceSlot {
  readonly start: (changes?: Environment) => Promise<RunningProcess>;
  readonly stop: () => Promise<void>;
  isRunning(): boolean;
  /** The latest life. @throws when there was none yet. */
  current(): RunningProcess;
  env(): Environment;
  hasPid(pid: number): boolean;
  logs(): string;
}

export function serviceSlot(name: 'api' | 'spawner', readyUrl: string, firstEnv: Environment): ServiceSlot {
  const lives: RunningProcess[] = [];
  let env = firstEnv;
  const isRunning = () => lives.at(-1)?.isRunning() ?? false;
  return {
    isRunning,
    env: () => env,
    hasPid: (pid) => lives.some((life) => life.pid === pid),
    logs: () => lives.map((life) => `--- ${name} (${life.pid})\n${life.output()}`).join(''),
    current() {
      const life = lives.at(-1);
      if (!life) throw new Error(`${name} has not been started`);
      return life;
    },
    async start(changes = {}) {
      if (isRunning()) throw new Error(`${name} is already running`);
      env = { ...env, ...changes };
      const life = await startProcess({
        name,
        command: process.execPath,
        args: [fileURLToPath(new URL(`${name}/dist/main.js`, SERVICES))],
        env,
        readyWhen: { url: readyUrl },
        timeoutMs: 30_000,
      });
      lives.push(life);
      return life;
    },
    async stop() {
      await lives.at(-1)?.stop({ graceMs: 20_000 });
    },
  };
}
