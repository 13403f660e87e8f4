export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests reach into bodies of many shapes
  readonly data: any;
}

export interface EventStream {
  readonly response: Response;
  /** Everything that has come so far. */
  readonly events: ReceivedEvent[];
  text(): string;
  isOver(): boolean;
  /** The id of the last event. */
  lastId(): string;
  leave(): void;
}

/** Reads a stream of server-sent events as a browser does. */
export async function openEventStream(
  url: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const leaving = new AbortController();
  const response = await fetch(url, { headers, signal: leaving.signal });
  const events: ReceivedEvent[] = [];
  let text = '';
  let isOver = false;
  const read = async () => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const piece = decoder.decode(chunk as Uint8Array, { stream: true });
      text += piece;
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      events.push(...blocks.flatMap(parseBlock));
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
    });
  return {
    response,
    events,
    text: () => text,
    isOver: () => isOver,
    lastId: () => events.at(-1)?.id ?? '',
    leave: () => leaving.abort(),
  };
}

function parseBlock(block: string): ReceivedEvent[] {
  const fields: Record<string, string> = {};
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
    if (name !== undefined) fields[name] = value ?? '';
  }
  if (fields.data === undefined) return [];
  return [{ id: fields.id ?? '', event: fields.event ?? '', data: JSON.parse(fields.data) }];
}
