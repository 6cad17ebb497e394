import {
  Component,
  ElementRef,
  Injector,
  afterNextRender,
  afterRenderEffect,
  computed,
  effect,
  inject,
  input,
  linkedSignal,
  resource,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import { MatButton } from '@angular/material/button';
import { Router } from '@angular/router';
import { mdiHistory, mdiMessageOffOutline, mdiMessagePlusOutline } from '@mdi/js';

import { Api } from '../api/api';
import { getAssistant } from '../api/functions';
import { IN_PLACE } from '../core/navigation/in-place';
import { problemOf } from '../core/problems/problem';
import { Session } from '../core/session/session';
import { EmptyState } from '../ui/empty-state';
import { Icon } from '../ui/icon';
import { ProblemPanel } from '../ui/problem-panel';
import { Composer } from './composer';
import { Conversation } from './conversation';
import { ConversationList } from './conversation-list';
import { Conversations } from './conversations';
import { Opening } from './opening';
import { TurnView } from './turn-view';

/** So close to the end that the reader is following. */
const NEAR_PX = 64;
const PATH = '/assistant';

@Component({
  selector: 'app-assistant-page',
  imports: [Composer, ConversationList, EmptyState, Icon, MatButton, Opening, ProblemPanel, TurnView],
  templateUrl: './assistant-page.html',
  styleUrl: './assistant-page.scss',
  host: { '[class.listing]': 'listing()', '(keydown.escape)': 'closeList()' },
})
export class AssistantPage {
  private readonly api = inject(Api);
  private readonly conversation = inject(Conversation);
  private readonly conversations = inject(Conversations);
  private readonly session = inject(Session);
  private readonly router = inject(Router);
  private readonly injector = inject(Injector);
  private readonly log = viewChild.required<ElementRef<HTMLElement>>('log');
  private readonly toggle = viewChild.required<unknown, ElementRef<HTMLElement>>('toggle', {
    read: ElementRef,
  });
  private readonly composer = viewChild.required(Composer);
  private readonly list = viewChild.required(ConversationList);
  private readonly _assistant = resource({ loader: () => this.api.invoke(getAssistant) });
  private following = true;
  /** The id in the address when it was looked at last; undefined: not yet. */
  private seen: string | null | undefined;

  /** Which conversation, from the address; without one it is a new one, or that which is going on. */
  readonly id = input<string>();
  /** A question to begin with, from the address. It waits in the box; the user sends it. */
  readonly ask = input<string>();

  protected readonly draft = linkedSignal<string | undefined, string>({
    source: this.ask,
    computation: (ask, previous) => ask ?? previous?.value ?? '',
  });
  protected readonly turns = this.conversation.turns;
  protected readonly running = this.conversation.running;
  protected readonly opening = this.conversation.loading;
  protected readonly closed = this.conversation.problem;
  protected readonly begun = computed(() => this.turns().length > 0 || this.conversation.id() !== null);
  /** Whether the list is in front, where there is no room for it beside the conversation. */
  protected readonly listing = signal(false);
  protected readonly ticketPrefix = computed(() => this.session.me()?.organization.ticketPrefix ?? null);
  protected readonly assistant = computed(() =>
    this._assistant.hasValue() ? this._assistant.value() : null,
  );
  protected readonly problem = computed(() => {
    const error = this._assistant.error();
    return error ? problemOf(error) : null;
  });
  protected readonly icons = {
    gone: mdiMessageOffOutline,
    list: mdiHistory,
    restart: mdiMessagePlusOutline,
  };

  constructor() {
    afterNextRender(() => {
      if (this.draft()) {
        this.composer().focus();
      }
    });
    effect(() => {
      const asked = this.id() ?? null;
      const held = this.conversation.id();
      untracked(() => {
        this.follow(asked, held);
      });
    });
    effect(() => {
      if (!this.running() && untracked(this.conversations.loaded)) {
        this.conversations.refresh();
      }
    });
    afterRenderEffect(() => {
      this.turns();
      if (this.following) {
        const log = this.log().nativeElement;
        log.scrollTop = log.scrollHeight;
      }
    });
  }

  protected send(question: string): void {
    this.following = true;
    void this.conversation.ask(question);
  }

  protected stop(): void {
    this.conversation.stop();
  }

  protected retry(): void {
    void this.conversation.retry();
  }

  protected restart(): void {
    this.listing.set(false);
    this.conversation.open(null);
    void this.router.navigate([PATH], { info: IN_PLACE });
    this.focusLater(() => this.composer());
  }

  protected reload(): void {
    this._assistant.reload();
  }

  protected reopen(): void {
    this.conversation.reload();
  }

  protected toggleList(): void {
    if (this.listing()) {
      this.closeList();
    } else {
      this.listing.set(true);
      this.focusLater(() => this.list());
    }
  }

  protected closeList(): void {
    if (this.listing()) {
      this.listing.set(false);
      this.focusLater(() => this.toggle().nativeElement);
    }
  }

  protected leaveList(): void {
    this.listing.set(false);
  }

  protected forget(id: string): void {
    if (id === this.conversation.id()) {
      this.conversation.open(null);
      void this.router.navigate([PATH], { info: IN_PLACE });
    }
  }

  protected watchReader(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.log().nativeElement;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  /** When it can be seen: the list and the conversation may take each other's place. */
  private focusLater(target: () => { focus(): void }): void {
    afterNextRender(
      () => {
        target().focus();
      },
      { injector: this.injector },
    );
  }

  /** Shows what the address asks for; what is held without being asked for gets its own address. */
  private follow(asked: string | null, held: string | null): void {
    const moved = asked !== this.seen;
    this.seen = asked;
    if (moved && asked !== null) {
      this.following = true;
      this.conversation.open(asked);
    } else if (moved && this.closed()) {
      this.conversation.open(null);
    } else if (held !== null && held !== asked) {
      void this.router.navigate([PATH, held], {
        info: IN_PLACE,
        replaceUrl: true,
        ...(moved && { queryParamsHandling: 'preserve' as const }),
      });
    }
  }
}
