import type { PhoneCommand } from './phone-command.js';

/** How a phone call gets to its agent. */
export interface LinkSettings {
  readonly telnyxLink: 'sip' | 'stream' | undefined;
  readonly telnyxSipUri: string | undefined;
  readonly telnyxStreamUrl: string | undefined;
}

/** The agent's end of the call. */
export interface LinkTarget {
  readonly room: string;
  readonly sessionId: string;
}

/** A stream begins with the answer. */
export function answerCommand(settings: LinkSettings, target: LinkTarget): PhoneCommand {
  const { telnyxLink, telnyxStreamUrl } = settings;
  if (telnyxLink !== 'stream' || telnyxStreamUrl === undefined) return { kind: 'answer' };
  return { kind: 'answer', streamUrl: fill(telnyxStreamUrl, target) };
}

/** What is to be done once the call is answered: a SIP address is called then. */
export function linkCommand(settings: LinkSettings, target: LinkTarget): PhoneCommand | undefined {
  const { telnyxLink, telnyxSipUri } = settings;
  if (telnyxLink !== 'sip' || telnyxSipUri === undefined) return undefined;
  return { kind: 'transfer', to: fill(telnyxSipUri, target) };
}

/** Rooms and ids consist of letters, digits, `_` and `-`: nothing in them means something in an address. */
function fill(template: string, { room, sessionId }: LinkTarget): string {
  return template.replaceAll('{room}', room).replaceAll('{sessionId}', sessionId);
}
