import { isStreamEntryId, type StreamPosition } from '@greenroom/redis-schema';

/** Of no life of the data: it was being recovered. Nobody can go on from there. */
const NO_EPOCH = 'none';
/** Stands for the entry in the id of the last event. */
const END = 'ended';
/** Nobody can go on from here, and gets a snapshot. */
const UNKNOWN: StreamPosition = { epoch: NO_EPOCH, id: '0-0' };

/** The id of an outward event: `epoch:id`. */
export function formatStreamId({ epoch, id }: StreamPosition): string {
  return `${epoch ?? NO_EPOCH}:${id}`;
}

export function formatEndId(epoch: string | undefined): string {
  return `${epoch ?? NO_EPOCH}:${END}`;
}

/** What a client says that it has. */
export interface LastEventId {
  /** undefined for a client that comes for the first time. */
  readonly position: StreamPosition | undefined;
  /** It knows the end. */
  readonly knowsEnd: boolean;
}

export function parseLastEventId(text: string | undefined): LastEventId {
  if (text === undefined || text === '') return { position: undefined, knowsEnd: false };
  const [, epoch = '', id = ''] = /^([0-9a-z-]{1,64}):([0-9a-z-]{1,40})$/.exec(text) ?? [];
  if (id === END) return { position: UNKNOWN, knowsEnd: true };
  return { position: isStreamEntryId(id) && epoch !== NO_EPOCH ? { epoch, id } : UNKNOWN, knowsEnd: false };
}
