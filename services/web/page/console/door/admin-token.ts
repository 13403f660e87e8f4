import { useSyncExternalStore } from 'react';
import { ApiProblem, ask, type Question } from '../../shared/ask.js';

const NAME = 'greenroom.adminToken';

/** Why somebody who was in stands at the door again. */
let farewell: string | undefined;
const listeners = new Set<() => void>();

/** The admin token of this tab. It is in sessionStorage and in the Authorization header, and nowhere else. */
export function useAdminToken(): string | null {
  return useSyncExternalStore(subscribe, readAdminToken);
}

export function readFarewell(): string | undefined {
  return farewell;
}

export function signIn(token: string): void {
  sessionStorage.setItem(NAME, token);
  farewell = undefined;
  tell();
}

export function signOut(why?: string): void {
  sessionStorage.removeItem(NAME);
  farewell = why;
  tell();
}

/**
 * Asks the api as an admin. A token that it does not take any more leads back to the door.
 * @throws ApiProblem
 */
export async function askAsAdmin<Answer>(
  path: string,
  question: Omit<Question, 'key'> = {},
): Promise<Answer> {
  try {
    return await ask<Answer>(path, { ...question, key: readAdminToken() ?? undefined });
  } catch (error) {
    if (isRefused(error)) signOut(NO_LONGER);
    throw error;
  }
}

/** A window that a page opens begins with a copy of what its tab keeps. This one is not to have the token, nor to outlive it. */
export function keepTokenFrom(opened: Window): void {
  opened.sessionStorage.removeItem(NAME);
}

/** For what is not asked through `askAsAdmin`: streams, downloads. */
export function readAdminToken(): string | null {
  return sessionStorage.getItem(NAME);
}

export const NO_LONGER = 'The admin token is no longer accepted. Sign in again.';

export function isRefused(error: unknown): boolean {
  return (
    error instanceof ApiProblem && (error.status === 401 || error.status === 403) && isAboutToken(error.code)
  );
}

function isAboutToken(code: string): boolean {
  return code === 'unauthorized' || code === 'forbidden';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}
