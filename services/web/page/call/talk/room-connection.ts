import { ConnectionState, MediaDeviceFailure, Room, RoomEvent, type TextStreamReader } from 'livekit-client';
import type { RoomListener, RoomPort } from '../engine/room-port.js';
import type { Microphone, RoomFacts } from '../state/call-state.js';
import { provideRandomUuid } from './random-uuid.js';
import { agentsIn, untilHeard } from './until-heard.js';

const TRANSCRIPTION = 'lk.transcription';
const CHAT = 'lk.chat';
const ROLE = 'greenroom.role';
const PAGE_IS_LEFT = ['pagehide', 'beforeunload'];

/** LiveKit's room, in the words of this page. */
export class RoomConnection implements RoomPort {
  readonly room = new Room();
  readonly #listener: RoomListener;
  #hasLeft = false;
  #wantsMicrophone = false;

  constructor(listener: RoomListener) {
    this.#listener = listener;
    provideRandomUuid();
    this.#watch();
  }

  async connect(url: string, token: string): Promise<void> {
    // Once it is connected, LiveKit's client does this itself. It may be in the room before, and be missed there for 20 s.
    const leave = (): void => void this.room.disconnect();
    for (const event of PAGE_IS_LEFT) globalThis.addEventListener(event, leave);
    try {
      await this.room.connect(url, token);
    } finally {
      for (const event of PAGE_IS_LEFT) globalThis.removeEventListener(event, leave);
    }
    this.#tellFacts();
  }

  async setMicrophone(isOn: boolean): Promise<void> {
    this.#wantsMicrophone = isOn;
    if (!isOn) return this.#rest();
    if (!(navigator as Partial<Navigator>).mediaDevices) return this.#listener.onMicrophone('insecure');
    this.#listener.onMicrophone('asking');
    try {
      await this.room.localParticipant.setMicrophoneEnabled(true);
      this.#listener.onMicrophone(this.#wantsMicrophone ? 'on' : 'muted');
    } catch (error) {
      this.#listener.onMicrophone(microphoneOf(error));
    }
  }

  async chooseMicrophone(deviceId: string): Promise<void> {
    const { localParticipant } = this.room;
    try {
      await this.room.switchActiveDevice('audioinput', deviceId);
      if (this.#wantsMicrophone && !localParticipant.isMicrophoneEnabled) await this.setMicrophone(true);
    } catch (error) {
      // LiveKit has closed the old one already. At rest, it is opened anew by the next attempt.
      await localParticipant.setMicrophoneEnabled(false).catch(() => undefined);
      this.#listener.onMicrophone(microphoneOf(error));
    }
  }

  untilHeard(): Promise<void> {
    return untilHeard(this.room);
  }

  async sendText(text: string): Promise<void> {
    if (this.room.state !== ConnectionState.Connected) throw new Error('not connected');
    await this.room.localParticipant.sendText(text, { topic: CHAT });
  }

  startAudio(): Promise<void> {
    return this.room.startAudio();
  }

  leave(): void {
    this.#hasLeft = true;
    void this.room.disconnect();
  }

  async #rest(): Promise<void> {
    const { localParticipant } = this.room;
    // The service may not be told of it right now; what counts is whether it hears anything.
    await localParticipant.setMicrophoneEnabled(false).catch(() => undefined);
    this.#listener.onMicrophone(localParticipant.isMicrophoneEnabled ? 'on' : 'muted');
  }

  #watch(): void {
    const { room } = this;
    const tell = (): void => this.#tellFacts();
    room
      .on(RoomEvent.ParticipantConnected, tell)
      .on(RoomEvent.ParticipantDisconnected, tell)
      .on(RoomEvent.ParticipantAttributesChanged, tell)
      .on(RoomEvent.AudioPlaybackStatusChanged, tell)
      .on(RoomEvent.ConnectionStateChanged, tell)
      .on(RoomEvent.MediaDevicesError, (error) => this.#listener.onMicrophone(microphoneOf(error)))
      .on(RoomEvent.MediaDevicesChanged, () => this.#tryAgain())
      .on(RoomEvent.Disconnected, () => {
        if (!this.#hasLeft) this.#listener.onLost();
      });
    room.registerTextStreamHandler(TRANSCRIPTION, (reader, { identity }) => {
      void this.#readSegment(reader, identity === room.localParticipant.identity ? 'user' : 'agent');
    });
    void this.#watchPermission();
  }

  #tellFacts(): void {
    const { room } = this;
    const others = [...room.remoteParticipants.values()];
    const connection = connectionOf(room.state);
    this.#listener.onFacts({
      ...(connection && { connection }),
      hasAgent: agentsIn(room).length > 0,
      isListenedTo: others.some(({ attributes }) => attributes[ROLE] === 'listener'),
      canPlay: room.canPlaybackAudio,
    });
  }

  /** The words of one sentence, as they are spoken; those of a caller come anew with each change. */
  async #readSegment(reader: TextStreamReader, role: 'user' | 'agent'): Promise<void> {
    const id = `${role}-${reader.info.attributes?.['lk.segment_id'] ?? reader.info.id}`;
    const tell = (text: string, final: boolean): void =>
      this.#listener.onSegment({ id, role, text, final, at: Date.now() });
    let text = '';
    try {
      for await (const part of reader) {
        text += part;
        tell(text, false);
      }
    } catch {
      // The agent is gone in the middle of a sentence; what arrived counts.
    }
    const isLast = role === 'agent' || reader.info.attributes?.['lk.transcription_final'] === 'true';
    tell(text, isLast);
  }

  /** Somebody who has said no may change their mind in the browser's settings, without telling the page. */
  async #watchPermission(): Promise<void> {
    try {
      const permission = await navigator.permissions.query({ name: 'microphone' });
      permission.addEventListener('change', () => {
        if (permission.state === 'granted') this.#tryAgain();
      });
    } catch {
      // Not every browser can be asked; the button is there all the same.
    }
  }

  #tryAgain(): void {
    if (this.#hasLeft || !this.#wantsMicrophone || this.room.state !== ConnectionState.Connected) return;
    if (!this.room.localParticipant.isMicrophoneEnabled) void this.setMicrophone(true);
  }
}

/** That it is not connected at all is for the joiner to say: it knows why. */
function connectionOf(state: ConnectionState): RoomFacts['connection'] | undefined {
  switch (state) {
    case ConnectionState.Connected:
      return 'joined';
    case ConnectionState.Reconnecting:
    case ConnectionState.SignalReconnecting:
      return 'reconnecting';
    case ConnectionState.Connecting:
    case ConnectionState.Disconnected:
      return undefined;
  }
}

function microphoneOf(error: unknown): Microphone {
  switch (MediaDeviceFailure.getFailure(error)) {
    case MediaDeviceFailure.PermissionDenied:
      return 'refused';
    case MediaDeviceFailure.NotFound:
      return 'missing';
    case MediaDeviceFailure.DeviceInUse:
      return 'busy';
    case MediaDeviceFailure.Other:
    case undefined:
      return 'failed';
  }
}
