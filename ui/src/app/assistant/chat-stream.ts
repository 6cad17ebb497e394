import { type ChatEvent } from '../api/models';
import { Problem } from '../core/problems/problem';
import { serverEvents } from '../core/streams/server-events';

/**
 * The events of one answer, as they arrive (AG-UI over server-sent events).
 *
 * @throws Problem `unreadable`: something came that is no event
 */
export async function* chatEvents(answer: Response): AsyncGenerator<ChatEvent> {
  for await (const { data } of serverEvents(answer)) {
    yield eventIn(data);
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
