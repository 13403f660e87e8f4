import { useState } from 'react';

export interface Action {
  readonly isRunning: boolean;
  /** Why it did not work, in a sentence. */
  readonly problem: string | undefined;
  /** @returns whether it worked */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Something that an operator asked for and waits for. */
export function useAction(): Action {
  const [isRunning, setIsRunning] = useState(false);
  const [problem, setProblem] = useState<string>();
  return {
    isRunning,
    problem,
    async run(work) {
      setIsRunning(true);
      setProblem(undefined);
      try {
        await work();
        return true;
      } catch (error) {
        setProblem(error instanceof Error ? error.message : String(error));
        return false;
      } finally {
        setIsRunning(false);
      }
    },
  };
}
