import { randomUUID } from 'node:crypto';
import type { ProcessSurvey } from '@greenroom/contracts';
import type { WakeBus } from './wake-bus.js';

/** Part of the log of one launch. */
export interface LogQuestion {
  sessionId: string;
  generation: number;
  /** The newest lines that end before this byte; undefined for the end of the file. */
  before?: number | undefined;
  maxLines: number;
}

export type LogPart =
  /** Lines that may be shown, oldest first; `start` is the byte before which to go on, undefined at the beginning. */
  | {
      status: 'ok';
      lines: string[];
      /** When each was printed, in milliseconds since 1970; null where nobody knows. A host of an older version tells none. */
      times?: (number | null)[] | undefined;
      start?: number | undefined;
    }
  | { status: 'gone' };

/** What a host answers to each kind of question. */
interface Answers {
  processes: (sessionId: string) => Promise<ProcessSurvey>;
  log: (question: LogQuestion) => Promise<LogPart>;
}

interface Asked {
  replyTo: string;
  requestId: string;
}

type Question = ({ kind: 'processes'; sessionId: string } | ({ kind: 'log' } & LogQuestion)) & Asked;

interface Reply {
  requestId: string;
  /** Of any kind: whoever asked knows what. */
  survey: unknown;
}

/** Questions that only one host can answer, about its processes and files. Asked over the host's own channel. */
export class HostQuestions {
  readonly #bus: WakeBus;
  readonly #replyChannel = `replies:${randomUUID()}`;
  readonly #waiting = new Map<string, (survey: unknown) => void>();
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
    return (await this.#ask(hostId, { kind: 'processes', sessionId }, timeoutMs)) as
      | ProcessSurvey
      | undefined;
  }

  /** @returns a part of a log that lies on the host, or undefined when it does not answer in time */
  async askLog(hostId: string, question: LogQuestion, timeoutMs: number): Promise<LogPart | undefined> {
    return (await this.#ask(hostId, { kind: 'log', ...question }, timeoutMs)) as LogPart | undefined;
  }

  async #ask(hostId: string, question: object, timeoutMs: number): Promise<unknown> {
    await this.#listen();
    const requestId = randomUUID();
    return new Promise((resolve, reject) => {
      const finish = (survey: unknown): void => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(survey);
      };
      const timer = setTimeout(() => finish(undefined), timeoutMs);
      this.#waiting.set(requestId, finish);
      const asked: Asked = { replyTo: this.#replyChannel, requestId };
      this.#bus.publish(`host:${hostId}:questions`, { ...question, ...asked }).catch((error: unknown) => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        reject(error);
      });
    });
  }

  /** The host's side: answers these questions until the returned function is called. One that fails is not answered. */
  async answer(hostId: string, answers: Partial<Answers>): Promise<() => Promise<void>> {
    return this.#bus.listen(`host:${hostId}:questions`, (message) => {
      const question = message as Question | undefined;
      if (question === undefined) return;
      void answerTo(question, answers)
        ?.then((survey) =>
          this.#bus.publish(question.replyTo, { requestId: question.requestId, survey } satisfies Reply),
        )
        .catch(() => undefined);
    });
  }

  async #listen(): Promise<void> {
    this.#listening ??= this.#bus.listen(this.#replyChannel, (message) => {
      const reply = message as Reply | undefined;
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

/** undefined for a kind that is not answered here, or that a later version asks. */
function answerTo(question: Question, answers: Partial<Answers>): Promise<unknown> | undefined {
  switch (question.kind) {
    case 'processes':
      return answers.processes?.(question.sessionId);
    case 'log':
      return answers.log?.(question);
    default:
      question satisfies never;
      return undefined;
  }
}
