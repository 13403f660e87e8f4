import type { Logger } from './logger.js';

export interface ShutdownPhase {
  /** Says what is done, for the log: `close redis`. */
  readonly name: string;
  /** After this long the next phase begins. */
  readonly capMs: number;
  /** @param hurry aborted when a second signal asks to be quick */
  readonly run: (hurry: AbortSignal) => unknown;
}

export interface ShutdownOptions {
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Run one after the other, in this order; each goes on to the next when it fails or its cap is over. */
  readonly phases: readonly ShutdownPhase[];
}

export interface Shutdown {
  /** Runs all phases once; every further call gets the same promise. Never rejects. */
  run(reason: string): Promise<void>;
  /** Tells the running phase to be quick. */
  hurry(reason: string): void;
  hasStarted(): boolean;
  /** SIGTERM and SIGINT run the phases and then call `exit(0)`; a second one hurries. Returns how to stop listening. */
  listen(signals: NodeJS.EventEmitter, exit: (code: number) => void): () => void;
}

export function createShutdown({ logger, phases }: ShutdownOptions): Shutdown {
  const hurrying = new AbortController();
  let running: Promise<void> | undefined;

  const runPhases = async (reason: string) => {
    logger.info('shutting down', { reason, phases: phases.length });
    for (const [index, phase] of phases.entries()) {
      await runPhase(phase, {
        logger,
        hurry: hurrying.signal,
        label: `${index + 1}/${phases.length} ${phase.name}`,
      });
    }
  };

  const shutdown: Shutdown = {
    run: (reason) => (running ??= runPhases(reason)),
    hurry(reason) {
      if (hurrying.signal.aborted) return;
      logger.warn('hurrying the shutdown', { reason });
      hurrying.abort();
    },
    hasStarted: () => running !== undefined,
    listen(signals, exit) {
      const onSignal = (signal: string) => {
        if (running) shutdown.hurry(signal);
        else void shutdown.run(signal).then(() => exit(0));
      };
      for (const signal of SIGNALS) signals.on(signal, onSignal);
      return () => {
        for (const signal of SIGNALS) signals.off(signal, onSignal);
      };
    },
  };
  return shutdown;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface PhaseContext {
  readonly logger: ShutdownOptions['logger'];
  readonly hurry: AbortSignal;
  readonly label: string;
}

async function runPhase(phase: ShutdownPhase, { logger, hurry, label }: PhaseContext): Promise<void> {
  const startedAt = performance.now();
  const outcome = await settle(phase, hurry);
  const fields = { phase: label, tookMs: Math.round(performance.now() - startedAt) };
  switch (outcome.status) {
    case 'done':
      return void logger.info('shutdown phase done', fields);
    case 'capped':
      return void logger.warn('shutdown phase took too long, going on', { ...fields, capMs: phase.capMs });
    case 'failed':
      return void logger.warn('shutdown phase failed, going on', { ...fields, error: outcome.error });
  }
}

type Outcome = { status: 'done' } | { status: 'capped' } | { status: 'failed'; error: unknown };

async function settle(phase: ShutdownPhase, hurry: AbortSignal): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const capped = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'capped' }), phase.capMs);
  });
  const done = (async (): Promise<Outcome> => {
    try {
      await phase.run(hurry);
      return { status: 'done' };
    } catch (error) {
      return { status: 'failed', error };
    }
  })();
  const outcome = await Promise.race([done, capped]);
  clearTimeout(timer);
  return outcome;
}
