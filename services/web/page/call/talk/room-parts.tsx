/** Everything that draws with LiveKit's components: one piece, which comes together with LiveKit's client. */
export { AgentStage } from './agent-stage.jsx';
export { MicrophoneControl } from './microphone-control.jsx';
export { Quality } from './quality.jsx';
