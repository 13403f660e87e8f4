/** What goes along with a spoken line, and comes back with every event after it. */
export interface ClientState {
  /** The command that this state came with. */
  readonly commandId: string;
}

const MARK = 'greenroom';
const COMMAND_ID = /^[\w.:-]{1,128}$/;

export function writeClientState({ commandId }: ClientState): string {
  return Buffer.from(`${MARK} ${commandId}`).toString('base64');
}

/** Goes along with the leg that leads to the agent, whose events say nothing of the caller. */
export const OTHER_LEG = Buffer.from('greenroom-leg').toString('base64');

export function isOtherLeg(text: string | null | undefined): boolean {
  return text === OTHER_LEG;
}

/** @returns undefined for what others have given along */
export function readClientState(text: string | null | undefined): ClientState | undefined {
  const [mark, commandId = '', ...rest] = Buffer.from(text ?? '', 'base64')
    .toString('utf8')
    .split(' ');
  if (mark !== MARK || rest.length > 0 || !COMMAND_ID.test(commandId)) return undefined;
  return { commandId };
}
