import { DOCUMENT, Service, computed, inject, signal } from '@angular/core';

export type Scheme = 'light' | 'dark';

const KEY = 'dress-rehearsal.scheme';

/** Sets the scheme chosen on an earlier visit, so that the first paint is right. Nothing chosen: the system's. */
export function applyStoredScheme(page: Document): void {
  page.documentElement.style.colorScheme = stored() ?? '';
}

/** Light or dark: the system's preference until the user decides otherwise. */
@Service()
export class Appearance {
  private readonly document = inject(DOCUMENT);
  private readonly query = this.document.defaultView?.matchMedia('(prefers-color-scheme: dark)');
  private readonly _system = signal<Scheme>(this.query?.matches ? 'dark' : 'light');
  private readonly _chosen = signal<Scheme | null>(stored());

  readonly scheme = computed<Scheme>(() => this._chosen() ?? this._system());

  constructor() {
    this.query?.addEventListener('change', (event) => {
      this._system.set(event.matches ? 'dark' : 'light');
    });
  }

  /** Switches to the other scheme. A choice that equals the system's is no choice: the page follows it again. */
  toggle(): void {
    const next = this.scheme() === 'dark' ? 'light' : 'dark';
    const chosen = next === this._system() ? null : next;
    this._chosen.set(chosen);
    if (chosen === null) {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, chosen);
    }
    applyStoredScheme(this.document);
  }
}

function stored(): Scheme | null {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : null;
}
