/** While a tab holds it, no other tab of this browser is in that call. Goes with the tab, however that ends. */
export interface TabClaim {
  release(): void;
}

/** A page that is being loaded anew lets go within this time. */
const HANDOVER_MS = 1_500;

export interface ClaimOptions {
  /** Take it from the tab that has it. */
  readonly isTakeover?: boolean;
  /** Another tab took it. */
  readonly onLost: () => void;
}

/**
 * A duplicated tab has a copy of all that the first one kept, and would join the same call: two microphones, two voices. So
 * each call is claimed by a lock of the browser. Where there are none (a page that is not from https or localhost, which gets no
 * microphone either) every tab may.
 * @returns undefined when another tab has it
 */
export function claimCall(name: string, options: ClaimOptions): Promise<TabClaim | undefined> {
  const { isTakeover = false, onLost } = options;
  const locks = (navigator as Partial<Navigator>).locks;
  if (!locks) return Promise.resolve({ release: () => undefined });
  return new Promise((resolve) => {
    let isHeld = false;
    const hold = (): Promise<void> =>
      new Promise((letGo) => {
        isHeld = true;
        resolve({ release: letGo });
      });
    locks
      .request(
        `greenroom.${name}`,
        isTakeover ? { steal: true } : { signal: AbortSignal.timeout(HANDOVER_MS) },
        hold,
      )
      .catch(() => (isHeld ? onLost() : resolve(undefined)));
  });
}
