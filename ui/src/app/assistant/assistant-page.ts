import {
  Component,
  type ElementRef,
  afterNextRender,
  afterRenderEffect,
  computed,
  inject,
  input,
  linkedSignal,
  resource,
  viewChild,
} from '@angular/core';
import { MatButton } from '@angular/material/button';
import { mdiMessagePlusOutline } from '@mdi/js';

import { Api } from '../api/api';
import { getAssistant } from '../api/functions';
import { problemOf } from '../core/problems/problem';
import { Session } from '../core/session/session';
import { Icon } from '../ui/icon';
import { Composer } from './composer';
import { Conversation } from './conversation';
import { Opening } from './opening';
import { TurnView } from './turn-view';

/** So close to the end that the reader is following. */
const NEAR_PX = 64;

@Component({
  selector: 'app-assistant-page',
  imports: [Composer, Icon, MatButton, Opening, TurnView],
  templateUrl: './assistant-page.html',
  styleUrl: './assistant-page.scss',
})
export class AssistantPage {
  private readonly api = inject(Api);
  private readonly conversation = inject(Conversation);
  private readonly session = inject(Session);
  private readonly log = viewChild.required<ElementRef<HTMLElement>>('log');
  private readonly composer = viewChild.required(Composer);
  private readonly _assistant = resource({ loader: () => this.api.invoke(getAssistant) });
  private following = true;

  /** A question to begin with, from the address. It waits in the box; the user sends it. */
  readonly ask = input<string>();

  protected readonly draft = linkedSignal(() => this.ask() ?? '');
  protected readonly turns = this.conversation.turns;
  protected readonly running = this.conversation.running;
  protected readonly ticketPrefix = computed(() => this.session.me()?.organization.ticketPrefix ?? null);
  protected readonly assistant = computed(() =>
    this._assistant.hasValue() ? this._assistant.value() : null,
  );
  protected readonly problem = computed(() => {
    const error = this._assistant.error();
    return error ? problemOf(error) : null;
  });
  protected readonly icons = { restart: mdiMessagePlusOutline };

  constructor() {
    afterNextRender(() => {
      if (this.draft()) {
        this.composer().focus();
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
    this.conversation.restart();
    this.composer().focus();
  }

  protected reload(): void {
    this._assistant.reload();
  }

  protected watchReader(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.log().nativeElement;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }
}
