import type { ProfileView } from '@greenroom/contracts';
import { useCallback, useEffect, useState } from 'react';
import { ApiProblem, ask } from '../../shared/ask.js';
import { keptKey } from '../engine/kept.js';
import { type Problem, problemFrom } from '../words/problems.js';

export interface Profiles {
  /** Undefined while they are asked for. */
  readonly profiles: readonly ProfileView[] | undefined;
  readonly problem: Problem | undefined;
  /** A key was given, and is none that the service knows. */
  readonly isKeyRefused: boolean;
  readonly reload: () => void;
}

/** The kinds of agent that are here, from the service; first what a start gets that names none. */
export function useProfiles(): Profiles {
  const [profiles, setProfiles] = useState<readonly ProfileView[]>();
  const [problem, setProblem] = useState<Problem>();
  const [isKeyRefused, setKeyRefused] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    const key = keptKey.read();
    ask<{ profiles: ProfileView[] }>('/api/profiles', { key, signal: leaving.signal }).then(
      (answer) => {
        setProfiles(answer.profiles.toSorted((a, b) => order(a) - order(b)));
        setProblem(undefined);
        setKeyRefused(false);
      },
      (error: unknown) => {
        if (leaving.signal.aborted || !(error instanceof ApiProblem)) return;
        setProblem(problemFrom(error, Date.now()));
        setKeyRefused(error.code === 'unauthorized' && !!key);
      },
    );
    return () => leaving.abort();
  }, [attempt]);
  const reload = useCallback(() => setAttempt((before) => before + 1), []);
  return { profiles, problem, isKeyRefused, reload };
}

function order({ name }: ProfileView): number {
  return name === 'default' ? 0 : 1;
}
