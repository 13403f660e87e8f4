/** What Telnyx is asked to do with a phone call. */
export type PhoneCommand =
  /** `streamUrl`: the call's audio goes there, both ways. */
  | { readonly kind: 'answer'; readonly streamUrl?: string }
  | { readonly kind: 'reject' }
  /** The call goes on to this address; it stays under our control. */
  | { readonly kind: 'transfer'; readonly to: string }
  /** `lineId`: what is heard of it is told of this command, in whose place it is spoken. */
  | { readonly kind: 'speak'; readonly text: string; readonly lineId?: string }
  | { readonly kind: 'playback_start'; readonly audioUrl: string }
  /** Ends what is being spoken or played. */
  | { readonly kind: 'playback_stop' }
  | { readonly kind: 'hangup' };

/**
 * What became of a command. `gone`: the call is over, and nothing can be done with it any more. `refused`: Telnyx will
 * never take it like this.
 */
export type CommandOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'gone' }
  | { readonly status: 'refused'; readonly problem: string };
