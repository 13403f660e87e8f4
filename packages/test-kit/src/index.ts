/** What tests run against: real Redis, real LiveKit, real processes, each on loopback and gone afterwards. */
export { type EventStream, openEventStream, type ReceivedEvent } from './event-stream.js';
export { type FakeClock, makeFakeClock } from './fake-clock.js';
export { findLiveKitServer, findRedisServer } from './find-binary.js';
export { freePort } from './free-port.js';
export { type LiveKitOptions, startLiveKit, type TestLiveKit } from './livekit.js';
export {
  baseEnvironment,
  type ProcessExit,
  type ProcessOptions,
  type RunningProcess,
  startProcess,
  type StopOptions,
} from './process.js';
export {
  groupMembers,
  isAlive,
  listProcesses,
  type ProcessFacts,
  processesWithEnvironment,
  readCommandLine,
  readProcess,
} from './process-facts.js';
export { type RedisOptions, startRedis, type TestRedis } from './redis.js';
export { type RedisReply, redisCommand } from './resp.js';
export { type JsonResponse, type StackOptions, startStack, type TestStack } from './stack.js';
export { type CallOptions, PhoneCall } from './telnyx/phone-call.js';
export { startTelnyx, type TelnyxOptions, type TestTelnyx } from './telnyx/start-telnyx.js';
export type { CommandFault, Delivery, ReceivedCommand, TelnyxEvent } from './telnyx/types.js';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
export { startUdpProxy, type UdpProxy } from './udp-proxy.js';
export { makeTempDir, type TempDir } from './temp-dir.js';
export { waitFor, type WaitOptions } from './wait-for.js';
