import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from './process.js';

const OWN_BUILD = fileURLToPath(new URL('../../../', import.meta.url));

type Environment = Readonly<Record<string, string>>;

/** One of our services through any number of lives. */
export interface ServiceSlot {
  /** @param build from now on of this checkout, which must be built */
  readonly start: (changes?: Environment, build?: string) => Promise<RunningProcess>;
  readonly stop: () => Promise<void>;
  isRunning(): boolean;
  /** The latest life. @throws when there was none yet. */
  current(): RunningProcess;
  env(): Environment;
  hasPid(pid: number): boolean;
  logs(): string;
}

/** @param firstBuild another checkout than this one, built */
export function serviceSlot(
  name: 'api' | 'spawner',
  readyUrl: string,
  firstEnv: Environment,
  firstBuild = OWN_BUILD,
): ServiceSlot {
  const lives: RunningProcess[] = [];
  let env = firstEnv;
  let root = firstBuild;
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
    async start(changes = {}, build = root) {
      if (isRunning()) throw new Error(`${name} is already running`);
      env = { ...env, ...changes };
      root = build;
      const life = await startProcess({
        name,
        command: process.execPath,
        args: [path.join(root, `services/${name}/dist/main.js`)],
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
