import { randomUUID } from 'node:crypto';
import { DEFAULT_API_CONNECT_OPTIONS, llm } from '@livekit/agents';
import type { Reply } from './brain.js';

type ChatOptions = Parameters<llm.LLM['chat']>[0];

/** The rules in the place of a language model, so that the framework's turns, interruptions and typed input work alike. */
export class RuleLlm extends llm.LLM {
  readonly #answer: (heard: string) => Reply;

  constructor(answer: (heard: string) => Reply) {
    super();
    this.#answer = answer;
  }

  label(): string {
    return 'greenroom.RuleLlm';
  }

  chat(options: ChatOptions): llm.LLMStream {
    return new RuleStream(this, options, this.#answer);
  }
}

class RuleStream extends llm.LLMStream {
  readonly #answer: (heard: string) => Reply;

  constructor(plugin: RuleLlm, options: ChatOptions, answer: (heard: string) => Reply) {
    const { chatCtx, toolCtx, connOptions = DEFAULT_API_CONNECT_OPTIONS } = options;
    super(plugin, { chatCtx, connOptions, ...(toolCtx && { toolCtx }) });
    this.#answer = answer;
  }

  protected async run(): Promise<void> {
    const content = this.#answer(lastUserText(this.chatCtx)).text;
    this.queue.put({ id: randomUUID(), delta: { role: 'assistant', content } });
  }
}

function lastUserText(context: llm.ChatContext): string {
  const isUser = (item: llm.ChatItem): item is llm.ChatMessage =>
    item.type === 'message' && item.role === 'user';
  return context.items.findLast(isUser)?.textContent ?? '';
}
