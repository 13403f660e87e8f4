import { fileURLToPath } from 'node:url';
import { startProcess } from '../../../packages/test-kit/dist/index.js';

const SERVICES = new URL('../../../services/', import.meta.url);

/** One of our services under attack, through any number of lives. */
export class Instance {
  #process;
  #lives = [];

  /**
   * @param hostId what a spawner calls its host
   * @param envOf the environment of the life that begins, so that each may differ
   */
  constructor({ name, service, hostId, network, port, envOf }) {
    Object.assign(this, { name, service, hostId, network, port, envOf });
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#process?.pid;
  }

  get isRunning() {
    return this.#process?.isRunning() ?? false;
  }

  output() {
    return this.#lives.map((life) => `--- ${this.name} (${life.pid})\n${life.output()}`).join('');
  }

  hasPid(pid) {
    return this.#lives.some((life) => life.pid === pid);
  }

  /** Resolves when the process is there; it gets ready in its own time, if its network lets it. */
  async start() {
    const program = fileURLToPath(new URL(`${this.service}/dist/main.js`, SERVICES));
    this.#process = await startProcess({
      name: this.name,
      ...this.network.enter(process.execPath, [program]),
      env: { ...this.envOf(), REDIS_URL: this.network.redisUrl },
    });
    this.#lives.push(this.#process);
  }

  /** Ready by its own word: from outside, one in a namespace cannot be asked. */
  async untilReady(timeoutMs) {
    await this.#process.waitForLine(/"message":"(spawner ready|api is listening)"/, timeoutMs);
  }

  kill() {
    return this.#process.kill();
  }

  /** SIGTERM; resolves when it has left by itself. */
  async leave() {
    this.#process.signal('SIGTERM');
    await this.#process.exited;
  }

  freeze() {
    this.#process.signal('SIGSTOP');
  }

  thaw() {
    this.#process.signal('SIGCONT');
  }

  /** For good, and at once: the run is over. */
  async stop() {
    this.network.heal();
    await this.#process?.stop({ signal: 'SIGKILL' });
  }
}
