import { Component, computed, inject, input } from '@angular/core';
import { Router } from '@angular/router';

import { html } from './markdown';

/** Markdown of the assistant. Links into the app do not load the page anew. */
@Component({
  selector: 'app-markdown-text',
  template: `<div class="prose" dir="auto" [innerHTML]="content()"></div>`,
  styleUrl: './markdown-text.scss',
  host: { '(click)': 'follow($event)' },
})
export class MarkdownText {
  private readonly router = inject(Router);

  readonly markdown = input.required<string>();
  /** Prefix of the ticket keys that become links; null: none do. */
  readonly ticketPrefix = input<string | null>(null);

  protected readonly content = computed(() => html(this.markdown(), this.ticketPrefix()));

  protected follow(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target.closest('a') : null;
    const path = target?.getAttribute('href') ?? '';
    if (path.startsWith('/') && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      void this.router.navigateByUrl(path);
    }
  }
}
