import { type Message, type ToolCall as StoredCall } from '../api/models';
import { type Part, type ToolCall, type Turn } from './turn';

/** A stored conversation as it was seen when it was held. */
export function turnsOf(messages: readonly Message[]): readonly Turn[] {
  const turns: Message[][] = [];
  for (const message of messages) {
    if (message.role === 'user' || turns.length === 0) {
      turns.push([]);
    }
    turns.at(-1)?.push(message);
  }
  return turns.map(turnOf);
}

function turnOf(messages: readonly Message[], id: number): Turn {
  const answers = messages.filter(({ role }) => role === 'assistant');
  return {
    id,
    question: messages.find(({ role }) => role === 'user')?.text ?? '',
    parts: answers.flatMap(partsOf),
    state: isWhole(answers.at(-1)) ? 'done' : 'interrupted',
    problem: null,
  };
}

/** An answer ends with words: after a tool was used something is still to be said. */
function isWhole(last: Message | undefined): boolean {
  return last !== undefined && !last.interrupted && last.toolCalls.length === 0;
}

function partsOf({ id, text, toolCalls }: Message): Part[] {
  return [{ kind: 'text', id, markdown: text }, ...toolCalls.map(callOf)];
}

const STATES = { success: 'done', failed: 'failed', denied: 'failed', interrupted: 'stopped' } as const;

function callOf(call: StoredCall): ToolCall {
  return {
    kind: 'tool',
    id: call.id,
    name: call.name,
    args: call.arguments === null ? '' : JSON.stringify(call.arguments),
    result: call.result ?? '',
    state: STATES[call.outcome],
  };
}
