import type { CallRequest } from '../state/call-state.js';

/**
 * What this tab keeps of its call, so that a reload leads back into it. In sessionStorage: no other tab sees it (one that is
 * duplicated gets a copy: `tab-claim.ts`), and it goes with the tab. No word of what was said is kept: the stream tells it again.
 */
export interface KeptCall {
  readonly sessionId: string;
  /** Names the call between tabs. */
  readonly claim: string;
  readonly request: CallRequest;
  readonly askedAt: number;
  readonly talkingSince?: number | undefined;
  /** Where the stream begins: read from here, it tells everything again. */
  readonly firstEventId?: string | undefined;
  /** Whoever was muted stays so. */
  readonly isMuted?: boolean | undefined;
}

const CALL = 'greenroom.call';
const KEY = 'greenroom.client-key';
const REQUEST = 'greenroom.request';

export const keptCall = {
  read: (): KeptCall | undefined => read(CALL) as KeptCall | undefined,
  write: (call: KeptCall): void => write(CALL, call),
  clear: (): void => write(CALL, undefined),
};

/** Of a deployment that wants one: sent in a header, and nowhere else. */
export const keptKey = {
  read: (): string | undefined => read(KEY) as string | undefined,
  write: (key: string): void => write(KEY, key),
};

/** What was chosen last in this tab. */
export const keptRequest = {
  read: (): CallRequest => ({
    userName: '',
    profile: '',
    voiceId: '',
    ...(read(REQUEST) as CallRequest | undefined),
  }),
  write: (request: CallRequest): void => write(REQUEST, request),
};

/** A browser that keeps nothing (blocked by its settings) is no reason to have no call. */
function read(name: string): unknown {
  try {
    const text = sessionStorage.getItem(name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function write(name: string, value: unknown): void {
  try {
    if (value === undefined) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // As above.
  }
}
