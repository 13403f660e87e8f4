import { randomUUID } from 'node:crypto';
import type { ProcessSurvey } from '@greenroom/contracts';
import type { WakeBus } from './wake-bus.js';

interface Question {
  kind: 'processes';
  sessionId: string;
  replyTo: string;
  requestId: string;
}

/** Questions that only the owner of a process can answer. Asked over the wake-up channel of its host. */
export class HostQuestions {
  readonly #bus: WakeBus;
  readonly #replyChannel = `replies:${randomUUID()}`;
  readonly #waiting = new Map<string, (survey: ProcessSurvey) => void>();
  #listening: Promise<unknown> | undefined;

  constructor(bus: WakeBus) {
    this.#bus = bus;
  }

  /** @returns what the host says of the session's processes, or undefined when it does not answer in time */
  async askProcesses(
    hostId: string,
    sessionId: string,
    timeoutMs: number,
  ): Promise<ProcessSurvey | undefined> {
    await this.#listen();
    const requestId = randomUUID();
    const question: Question = { kind: 'processes', sessionId, replyTo: this.#replyChannel, requestId };
    return new Promise((resolve, reject) => {
      const finish = (survey: ProcessSurvey | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(survey);
      };
      const timer = setTimeout(() => finish(undefined), timeoutMs);
      this.#waiting.set(requestId, finish);
      this.#bus.publish(`host:${hostId}:questions`, question).catch((error: unknown) => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        reject(error);
      });
    });
  }

  /** The host's side: answers questions until the returned function is called. */
  async answer(
    hostId: string,
    survey: (sessionId: string) => Promise<ProcessSurvey>,
  ): Promise<() => Promise<void>> {
    return this.#bus.listen(`host:${hostId}:questions`, (message) => {
      const question = message as Question | undefined;
      if (question?.kind !== 'processes') return;
      void survey(question.sessionId)
        .then((body) => this.#bus.publish(question.replyTo, { requestId: question.requestId, survey: body }))
        .catch(() => undefined);
    });
  }

  async #listen(): Promise<void> {
    this.#listening ??= this.#bus.listen(this.#replyChannel, (message) => {
      const reply = message as { requestId: string; survey: ProcessSurvey } | undefined;
      if (reply !== undefined) this.#waiting.get(reply.requestId)?.(reply.survey);
    });
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }
}
