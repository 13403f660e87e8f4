import type { EndedRecord, StreamEntry, StreamPosition } from '@greenroom/redis-schema';

/** Entries that are read at a time. */
export const PAGE_SIZE = 100;

/** An event as a reader gets it. */
export interface Told {
  readonly event: string;
  readonly data: object;
  /** The stream goes on here, with a snapshot. Such an event has no id: what the reader has does not change with it. */
  readonly goesOn?: Feed;
}

/** What a reader has not seen yet. */
export type FeedPage =
  | {
      readonly kind: 'entries';
      readonly epoch: string | undefined;
      readonly entries: readonly StreamEntry[];
      readonly ended?: EndedRecord | undefined;
    }
  | {
      readonly kind: 'snapshot';
      readonly position: StreamPosition;
      readonly told: Told;
      readonly ended?: EndedRecord | undefined;
    }
  | { readonly kind: 'ended'; readonly epoch: string | undefined; readonly ended: EndedRecord }
  /** The session goes on as another one, and so does the stream. What the reader has is of that one. */
  | { readonly kind: 'moved'; readonly feed: Feed };

/** A stream as one kind of reader sees it. */
export interface Feed {
  /** undefined for the stream of all. */
  readonly sessionId: string | undefined;
  /** @throws CodedError when the reader may not see it, or it is not there */
  read(position: StreamPosition | undefined): Promise<FeedPage>;
  /** undefined for what this reader is not told. */
  tell(entry: StreamEntry): Told | undefined;
  tellEnded(ended: EndedRecord): Told;
  /** Called every few seconds while somebody reads. Answers whether that holds a place in line. */
  keepAlive(): Promise<boolean>;
}
