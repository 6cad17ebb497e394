import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';

/** The server-sent events of an answer, as they arrive (HTML, Server-sent events). */
export async function* serverEvents(answer: Response): AsyncGenerator<EventSourceMessage> {
  if (answer.body === null) {
    return;
  }
  const messages = answer.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = messages.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield next.value;
    }
  } finally {
    // A reader that stops early closes the connection, and with it what the server does for it.
    await reader.cancel().catch(() => undefined);
  }
}
