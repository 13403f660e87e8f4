/** What happened in a call, in the form of Telnyx's Call Control v2. */
export interface TelnyxEvent {
  readonly record_type: 'event';
  readonly event_type: string;
  readonly id: string;
  /** ISO 8601, when it happened: not when it is delivered. */
  readonly occurred_at: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What a command is answered with in place of what is right. */
export type CommandFault =
  /** Refused without having been done. Default status 500. */
  | { readonly kind: 'fail'; readonly status?: number }
  /** Not done, and never answered. */
  | { readonly kind: 'hang' }
  /** Done and answered, this much later, whether or not anybody still waits for it. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Not done, and the connection is cut. */
  | { readonly kind: 'cut' }
  /** Done, and the connection is cut in place of the answer. */
  | { readonly kind: 'lose' }
  /** Done, and the answer begins but never ends. */
  | { readonly kind: 'stall' };

/** What becomes of the leg that a transfer makes: it `fails` by the cause that its `call.hangup` names. */
export type LegFate = 'answers' | 'rings' | { readonly fails: string };

/** A command as it came in. */
export interface ReceivedCommand {
  /** `speak`, `hangup`, … */
  readonly action: string;
  readonly commandId: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `done` ones have had their effect, whether or not their answer was lost. */
  readonly outcome: 'done' | 'duplicate' | 'refused' | 'failed' | 'hung';
}

/** One attempt at a webhook. */
export interface Delivery {
  readonly event: TelnyxEvent;
  readonly url: string;
  readonly attempt: number;
  readonly at: number;
  readonly answeredAt: number;
  /** Undefined where no answer came. */
  readonly status: number | undefined;
}
