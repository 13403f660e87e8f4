import { randomBytes } from 'node:crypto';
import { seededRandom } from '../seeded-random.js';
import { type Concerns, makeCommandFaults } from './command-faults.js';
import { startCommandServer } from './command-server.js';
import { type CallOptions, type Exchange, PhoneCall } from './phone-call.js';
import type { CommandFault, Delivery, LegFate, TelnyxEvent } from './types.js';
import { makeWebhookKey } from './webhook-key.js';
import { postWebhook, type SenderOptions, WebhookSender } from './webhook-sender.js';

/** About the pace of an English voice, and never less than it takes to notice. */
const MS_PER_CHARACTER = 50;
const SHORTEST_MS = 300;

export interface TelnyxOptions extends SenderOptions {
  /** The apis that get the webhooks, in turn. They may be named later, with `deliverTo`. */
  readonly apiUrls?: readonly string[];
  /** Repeats the delays and doubles. Default 1. */
  readonly seed?: number;
  /** How long a text takes to be spoken. Default: by its length, `Are you still there?` 1 s. */
  readonly speakMs?: (text: string) => number;
}

export interface TestTelnyx {
  /** TELNYX_API_URL. */
  readonly url: string;
  /** TELNYX_API_KEY. */
  readonly apiKey: string;
  /** TELNYX_PUBLIC_KEY. */
  readonly publicKey: string;
  /** The three of them. */
  readonly env: Readonly<Record<string, string>>;
  readonly calls: readonly PhoneCall[];
  /** Each attempt at a webhook so far. */
  readonly deliveries: readonly Delivery[];
  deliverTo(apiUrls: readonly string[]): void;
  /** Somebody calls: `call.initiated`. */
  dial(options?: CallOptions): PhoneCall;
  /** From now on, for so many commands, those that `concerns` picks. It replaces what was set before. */
  disturb(fault: CommandFault, times?: number, concerns?: Concerns): void;
  /** From now on this becomes of the leg of each transfer that is taken. */
  transfersGo(fate: LegFate): void;
  /** Ends what was disturbed; transfers are answered. */
  mend(): void;
  /** The raw text of a webhook and its headers, properly signed, to be altered or sent by a test. */
  signed(
    event: TelnyxEvent,
    atMs?: number,
  ): { readonly body: string; readonly headers: Record<string, string> };
  /** The headers that sign any text, an event or not. */
  headersFor(body: string, atMs?: number): Record<string, string>;
  /** Posts such a text to one api. */
  post(apiUrl: string, body: string, headers: Readonly<Record<string, string>>): Promise<number | undefined>;
  /** Resolves when no webhook is on the way any more. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Stands in for Telnyx's Call Control: real HTTP on loopback, both ways, and real signatures. */
export async function startTelnyx(options: TelnyxOptions = {}): Promise<TestTelnyx> {
  const { apiUrls = [], seed = 1, speakMs = usualSpeakMs } = options;
  const key = makeWebhookKey();
  const sender = new WebhookSender(key, seededRandom(seed), options);
  sender.deliverTo(apiUrls);
  const calls = new Map<string, PhoneCall>();
  let fateOfLegs: LegFate = 'answers';
  const exchange: Exchange = {
    connectionId: '1684641123236054244',
    send: (event) => sender.send(event),
    speakMs,
    fateOfLeg: () => fateOfLegs,
    addLeg: ({ from, sessionId }, to) => add(new PhoneCall(exchange, { from, to }, 'outgoing', sessionId)),
  };
  function add(call: PhoneCall): PhoneCall {
    calls.set(call.id, call);
    return call;
  }

  const faults = makeCommandFaults();
  const apiKey = `KEY${randomBytes(16).toString('hex')}`;
  const server = await startCommandServer({ apiKey, findCall: (id) => calls.get(id), faultFor: faults.next });
  const { publicKey } = key;
  return {
    url: server.url,
    apiKey,
    publicKey,
    env: { TELNYX_API_URL: server.url, TELNYX_API_KEY: apiKey, TELNYX_PUBLIC_KEY: publicKey },
    get calls() {
      return [...calls.values()];
    },
    deliveries: sender.deliveries,
    deliverTo: (urls) => sender.deliverTo(urls),
    dial(call = {}) {
      const dialled = add(new PhoneCall(exchange, call));
      dialled.initiate();
      return dialled;
    },
    disturb: faults.set,
    transfersGo(fate) {
      fateOfLegs = fate;
    },
    mend() {
      faults.clear();
      fateOfLegs = 'answers';
    },
    signed(event, atMs) {
      const body = JSON.stringify({ data: event, meta: { attempt: 1, delivered_to: 'a test' } });
      return { body, headers: key.headersFor(body, atMs) };
    },
    headersFor: (body, atMs) => key.headersFor(body, atMs),
    post: (apiUrl, body, headers) => postWebhook(new URL('/api/webhooks/telnyx', apiUrl).href, body, headers),
    settled: () => sender.settled(),
    async stop() {
      for (const call of calls.values()) call.audio.stop('all');
      await sender.stop();
      await server.stop();
    },
  };
}

function usualSpeakMs(text: string): number {
  return Math.max(SHORTEST_MS, text.length * MS_PER_CHARACTER);
}
