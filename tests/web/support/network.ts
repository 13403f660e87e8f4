import { startTcpProxy, startUdpProxy } from '@greenroom/test-kit';
import type { BrowserContext } from 'playwright-core';
import type { WebStack } from './web-stack.js';

/** All that lies between one browser and the service: pages and api, LiveKit's signalling, and sound. */
export interface Network {
  /** Where the browser finds the pages. */
  readonly url: string;
  /** From here on pages of this window go through it. */
  carry(window: BrowserContext): Promise<void>;
  /** Whatever is open is reset, and nothing can be opened. */
  cut(): void;
  restore(): void;
  stop(): Promise<void>;
}

/**
 * Chromium's own offline mode leaves WebRTC alone. Here the page is told other ports than the real ones, also for its sound.
 */
export async function startNetwork({ webUrl, livekit }: WebStack): Promise<Network> {
  const proxyOf = (port: number) => startTcpProxy({ host: '127.0.0.1', port });
  const proxies = [
    await proxyOf(Number(new URL(webUrl).port)),
    await proxyOf(livekit.port),
    await proxyOf(livekit.tcpPort),
    await startUdpProxy({ host: '127.0.0.1', port: livekit.udpPort }),
  ] as const;
  const [web, signal, tcp, udp] = proxies.map(({ port }) => port) as [number, number, number, number];
  return {
    url: `http://localhost:${web}`,
    async carry(window) {
      const detours: Detours = {
        signal: { from: livekit.port, to: signal },
        tcp: { from: livekit.tcpPort, to: tcp },
        udp: { from: livekit.udpPort, to: udp },
      };
      await window.addInitScript(redirect, detours);
    },
    cut() {
      for (const proxy of proxies) proxy.drop();
    },
    restore() {
      for (const proxy of proxies) proxy.release();
    },
    async stop() {
      for (const proxy of proxies) await proxy.stop();
    },
  };
}

interface Detours {
  readonly signal: Detour;
  readonly tcp: Detour;
  readonly udp: Detour;
}

interface Detour {
  readonly from: number;
  readonly to: number;
}

/** Runs in the page, before anything of it. */
function redirect({ signal, tcp, udp }: Detours): void {
  const aside = (address: string | URL): string =>
    String(address).replace(`:${signal.from}`, `:${signal.to}`);
  const { fetch, WebSocket: Plain, RTCPeerConnection: Direct } = globalThis;
  globalThis.fetch = (what, how) => fetch(what instanceof Request ? what : aside(what), how);
  globalThis.WebSocket = class extends Plain {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(aside(url), protocols);
    }
  };
  const through = (text: string): string =>
    [tcp, udp].reduce((it, { from, to }) => it.replaceAll(` ${from} typ `, ` ${to} typ `), text);
  globalThis.RTCPeerConnection = class extends Direct {
    override addIceCandidate(it?: RTCIceCandidateInit | null): Promise<void> {
      if (!it?.candidate) return super.addIceCandidate(it);
      const { sdpMid, sdpMLineIndex, usernameFragment } = new RTCIceCandidate(it);
      return super.addIceCandidate({
        sdpMid,
        sdpMLineIndex,
        usernameFragment,
        candidate: through(it.candidate),
      });
    }
    override setRemoteDescription({ type, sdp = '' }: RTCSessionDescriptionInit): Promise<void> {
      return super.setRemoteDescription({ type, sdp: through(sdp) });
    }
  };
}
