import { useEffect, useRef, useSyncExternalStore } from 'react';
import { ElsewhereScreen } from './elsewhere-screen.jsx';
import { CallEngine } from './engine/call-engine.js';
import { Lobby } from './lobby/lobby.jsx';
import { OverScreen } from './over/over-screen.jsx';
import { Shell } from './shell.jsx';
import type { CallState } from './state/call-state.js';
import { CallScreen } from './talk/call-screen.jsx';
import { prefetchRoomParts } from './talk/use-room-parts.js';
import { wordsForEnd } from './words/end-reasons.js';

const loadRoom = () => import('./talk/room-connection.js');
const engine = new CallEngine(async (listener) => new (await loadRoom()).RoomConnection(listener));

/** The call screen. Opening it starts nothing. */
export function CallPage() {
  const state = useSyncExternalStore(engine.store.subscribe, engine.store.get);
  useFocusOnChange(state.screen);
  useEffect(() => {
    document.title = titleOf(state);
  }, [state]);
  return (
    <Shell isTall={state.screen === 'call' || state.screen === 'over'}>
      <Screen state={state} />
    </Shell>
  );
}

function Screen({ state }: { readonly state: CallState }) {
  const { request } = state;
  switch (state.screen) {
    case 'lobby':
      return (
        <Lobby
          request={request}
          problem={state.problem}
          onInterest={prefetch}
          onStart={(asked) => engine.start(asked)}
        />
      );
    case 'elsewhere':
      return <ElsewhereScreen onHere={() => engine.takeOver()} onLobby={() => engine.showLobby()} />;
    case 'call':
      return <CallScreen engine={engine} call={state.call} request={request} />;
    case 'over':
      return (
        <OverScreen
          over={state.over}
          request={request}
          onAgain={() => engine.retry()}
          onLobby={() => engine.showLobby()}
        />
      );
  }
}

/** LiveKit is as large as all the rest: it comes when somebody turns to the form, before they have pressed its button. */
function prefetch(): void {
  void loadRoom().catch(() => undefined);
  void prefetchRoomParts().catch(() => undefined);
}

/** Whoever uses keyboard or screen reader goes on at the head of a new screen, not at the top of the document. */
function useFocusOnChange(screen: CallState['screen']): void {
  const before = useRef(screen);
  useEffect(() => {
    if (before.current === screen) return;
    before.current = screen;
    document.querySelector<HTMLElement>('main h1')?.focus();
  }, [screen]);
}

function titleOf(state: CallState): string {
  switch (state.screen) {
    case 'lobby':
      return 'Greenroom';
    case 'elsewhere':
      return 'In another tab · Greenroom';
    case 'over':
      return `${wordsForEnd(state.over.endReason).title} · Greenroom`;
    case 'call': {
      const { line, marks } = state.call;
      if (line) return `Number ${line.position} in line · Greenroom`;
      return marks.readyAt === undefined ? 'Starting · Greenroom' : 'In a call · Greenroom';
    }
  }
}
