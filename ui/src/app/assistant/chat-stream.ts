import { EventSourceParserStream } from 'eventsource-parser/stream';

import { type ChatEvent } from '../api/models';
import { Problem } from '../core/problems/problem';

/**
 * The events of one answer, as they arrive (AG-UI over server-sent events).
 *
 * @throws Problem `unreadable`: something came that is no event
 */
export async function* chatEvents(answer: Response): AsyncGenerator<ChatEvent> {
  if (answer.body === null) {
    return;
  }
  const messages = answer.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = messages.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield eventIn(next.value.data);
    }
  } finally {
    // A reader that stops early closes the connection, and with it the run.
    await reader.cancel().catch(() => undefined);
  }
}

function eventIn(data: string): ChatEvent {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    throw new Problem('unreadable', 'The assistant’s answer holds something that is not JSON.');
  }
  if (typeof event !== 'object' || event === null || !('type' in event)) {
    throw new Problem('unreadable', 'The assistant’s answer holds something that is no event.');
  }
  return event as ChatEvent;
}
