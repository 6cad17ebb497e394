import { type ChatEvent } from '../api/models';
import { Problem } from '../core/problems/problem';

/** Something the assistant said, in Markdown. */
export interface Text {
  readonly kind: 'text';
  readonly id: string;
  readonly markdown: string;
}

/** A tool the assistant used. `stopped`: the turn ended before the tool answered. */
export interface ToolCall {
  readonly kind: 'tool';
  readonly id: string;
  readonly name: string;
  readonly args: string;
  readonly result: string;
  readonly state: 'running' | 'done' | 'failed' | 'stopped';
}

export type Part = Text | ToolCall;

/** A question and what became of it. */
export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly parts: readonly Part[];
  /** `interrupted`: it was stopped or failed at some time before, it is not known which. */
  readonly state: 'running' | 'done' | 'stopped' | 'interrupted' | 'failed';
  /** Why it failed. */
  readonly problem: Problem | null;
}

export function asked(id: number, question: string): Turn {
  return { id, question, parts: [], state: 'running', problem: null };
}

/** The turn after an event. An event of a kind this app does not know changes nothing. */
export function afterEvent(turn: Turn, event: ChatEvent): Turn {
  switch (event.type) {
    case 'TEXT_MESSAGE_START':
      return withPart(turn, { kind: 'text', id: event.messageId, markdown: '' });
    case 'TEXT_MESSAGE_CONTENT':
      return changed(turn, event.messageId, (part) =>
        part.kind === 'text' ? { ...part, markdown: part.markdown + event.delta } : part,
      );
    case 'TOOL_CALL_START':
      return withPart(turn, {
        kind: 'tool',
        id: event.toolCallId,
        name: event.toolCallName,
        args: '',
        result: '',
        state: 'running',
      });
    case 'TOOL_CALL_ARGS':
      return changed(turn, event.toolCallId, (part) =>
        part.kind === 'tool' ? { ...part, args: part.args + event.delta } : part,
      );
    case 'TOOL_CALL_RESULT':
      return changed(turn, event.toolCallId, (part) =>
        part.kind === 'tool'
          ? { ...part, result: event.content, state: isFailure(event.content) ? 'failed' : 'done' }
          : part,
      );
    case 'RUN_FINISHED':
      return { ...settled(turn), state: 'done' };
    case 'RUN_ERROR':
      return failed(turn, new Problem(event.code, event.message));
    default:
      return turn;
  }
}

export function failed(turn: Turn, problem: Problem): Turn {
  return { ...settled(turn), state: 'failed', problem };
}

export function stopped(turn: Turn): Turn {
  return { ...settled(turn), state: 'stopped' };
}

function withPart(turn: Turn, part: Part): Turn {
  return { ...turn, parts: [...turn.parts, part] };
}

function changed(turn: Turn, id: string, change: (part: Part) => Part): Turn {
  return { ...turn, parts: turn.parts.map((part) => (part.id === id ? change(part) : part)) };
}

/** Nothing runs on after the end of a turn. */
function settled(turn: Turn): Turn {
  return {
    ...turn,
    parts: turn.parts.map((part) =>
      part.kind === 'tool' && part.state === 'running' ? { ...part, state: 'stopped' } : part,
    ),
  };
}

/** AG-UI does not mark failed results. Our tools answer JSON; a problem object or bare text is a failure. */
function isFailure(content: string): boolean {
  try {
    const result: unknown = JSON.parse(content);
    const { code, status } = (result ?? {}) as Record<string, unknown>;
    return typeof code === 'string' && typeof status === 'number' && status >= 400;
  } catch {
    return true;
  }
}
