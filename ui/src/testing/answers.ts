import { type ChatEvent } from '../app/api/models';

export const STARTED = started('thread-1');
export const FINISHED: ChatEvent = { type: 'RUN_FINISHED', threadId: 'thread-1', runId: 'run-1' };

export function started(threadId: string): ChatEvent {
  return { type: 'RUN_STARTED', threadId, runId: 'run-1' };
}

/** The server's end of an answer: events go in, and arrive in pieces that do not respect their borders. */
export class Answer {
  private readonly encoder = new TextEncoder();
  private controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly response = new Response(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
    }),
    { headers: { 'Content-Type': 'text/event-stream' } },
  );

  say(...events: (ChatEvent | string)[]): this {
    for (const event of events) {
      const bytes = this.encoder.encode(
        `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`,
      );
      const middle = bytes.length >> 1;
      this.controller.enqueue(bytes.slice(0, middle));
      this.controller.enqueue(bytes.slice(middle));
    }
    return this;
  }

  close(): void {
    this.controller.close();
  }
}

export function text(id: string, ...deltas: string[]): ChatEvent[] {
  return [
    { type: 'TEXT_MESSAGE_START', messageId: id, role: 'assistant' },
    ...deltas.map((delta) => ({ type: 'TEXT_MESSAGE_CONTENT' as const, messageId: id, delta })),
    { type: 'TEXT_MESSAGE_END', messageId: id },
  ];
}

export function call(id: string, name: string, args: string): ChatEvent[] {
  return [
    { type: 'TOOL_CALL_START', toolCallId: id, toolCallName: name },
    { type: 'TOOL_CALL_ARGS', toolCallId: id, delta: args },
    { type: 'TOOL_CALL_END', toolCallId: id },
  ];
}

export function result(id: string, content: string): ChatEvent {
  return { type: 'TOOL_CALL_RESULT', messageId: `r-${id}`, toolCallId: id, content };
}
