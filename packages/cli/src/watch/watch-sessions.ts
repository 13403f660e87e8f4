import type { AdminApi, SessionFilter } from '../api/admin-api.js';
import { followEvents, type StreamEvent } from '../api/event-stream.js';
import { shortIds } from '../api/find-session.js';
import type { CommandContext } from '../context.js';
import { liveColumns } from '../output/session-columns.js';
import { renderTable, truncate } from '../output/table.js';
import { formatTime } from '../output/units.js';
import { clean } from '../output/clean.js';
import { describeEvent } from './event-line.js';
import { applyEvent, type Board, EMPTY_BOARD, sessionsOf, summarize } from './board.js';

interface WatchOptions {
  readonly asJson: boolean;
  readonly context: CommandContext;
}

const REDRAW_MS = 200;
/** Ages go on, also while nothing happens. */
const TICK_MS = 1_000;

/**
 * Shows what changes as the api tells it, until it is interrupted: on a terminal a table that is drawn anew, else a line for
 * each event. Nothing is asked again and again.
 * @throws ApiError
 */
export async function watchSessions(
  api: AdminApi,
  filter: SessionFilter,
  { asJson, context }: WatchOptions,
): Promise<void> {
  const { terminal, interrupted: signal } = context;
  const screen = !asJson && terminal.isTerminal ? new Screen(filter, context) : undefined;
  const { profile, host } = filter;
  let board = EMPTY_BOARD;
  const onTrouble = (error: Error | undefined): void => {
    if (screen) screen.showTrouble(error);
    else if (error) terminal.complain(`The stream broke, opening it again: ${clean(error.message)}`);
  };
  try {
    for await (const event of followEvents(api.http, '/api/sessions/events', {
      query: { profile, host },
      signal,
      onTrouble,
    })) {
      if (!screen) printEvent(event, board, filter, { asJson, context });
      board = applyEvent(board, event);
      screen?.show(board);
    }
  } finally {
    screen?.leave();
  }
}

function printEvent(
  event: StreamEvent,
  before: Board,
  filter: SessionFilter,
  { asJson, context: { terminal } }: WatchOptions,
): void {
  if (asJson) return terminal.printJson(event);
  const line = describeEvent(event, before, filter);
  if (line !== undefined) terminal.print(clean(line));
}

const ALTERNATE = '\x1b[?1049h\x1b[?25l';
const BACK = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

/** The table on the terminal's other screen, so that what was there before comes back. */
class Screen {
  readonly #filter: SessionFilter;
  readonly #context: CommandContext;
  readonly #tick: NodeJS.Timeout;
  #board: Board | undefined;
  #trouble: string | undefined;
  #drawn = 0;
  #due: NodeJS.Timeout | undefined;

  constructor(filter: SessionFilter, context: CommandContext) {
    this.#filter = filter;
    this.#context = context;
    this.#tick = setInterval(() => this.#draw(), TICK_MS);
  }

  show(board: Board): void {
    if (this.#board === undefined) this.#context.terminal.write(ALTERNATE);
    this.#board = board;
    this.#due ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawn + REDRAW_MS - performance.now()));
  }

  showTrouble(error: Error | undefined): void {
    this.#trouble = error && clean(error.message);
    this.#draw();
  }

  leave(): void {
    clearInterval(this.#tick);
    clearTimeout(this.#due);
    if (this.#board !== undefined) this.#context.terminal.write(BACK);
  }

  #draw(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    if (this.#board === undefined) return;
    this.#drawn = performance.now();
    const { terminal } = this.#context;
    const lines = this.#lines(this.#board).map((line) => `${line}${CLEAR_LINE}`);
    terminal.write(`${HOME}${lines.join('\r\n')}${CLEAR_REST}`);
  }

  #lines(board: Board): string[] {
    const { terminal } = this.#context;
    const sessions = sessionsOf(board, this.#filter);
    const short = shortIds(sessions.map(({ sessionId }) => sessionId));
    const columns = liveColumns(terminal.paint, (id) => short.get(id) ?? id);
    const room = Math.max(1, terminal.height - 4);
    const table = renderTable(columns, sessions.slice(0, room), terminal.width, (text) =>
      terminal.paint('bold', text),
    );
    const hidden = sessions.length - room;
    const foot =
      this.#trouble === undefined ? 'Ctrl-C leaves' : `no connection, trying again: ${this.#trouble}`;
    return [
      truncate(`${formatTime(Date.now())}  ${summarize(board, sessions)}`, terminal.width),
      ...table,
      ...(hidden > 0 ? [`… and ${hidden} more`] : []),
      terminal.paint(this.#trouble === undefined ? 'dim' : 'red', truncate(foot, terminal.width)),
    ];
  }
}
