import { Service, signal } from '@angular/core';

/** Something that went well and is worth a line. Failures stand where they happened, not here. */
export interface Notice {
  readonly text: string;
  /** Where the user can look at the result. */
  readonly link?: { readonly label: string; readonly path: string };
}

const SHOWN_MS = 8000;

/** The one status message of the page. */
@Service()
export class Notices {
  private readonly _current = signal<Notice | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;

  readonly current = this._current.asReadonly();

  show(notice: Notice): void {
    this._current.set(notice);
    this.release();
  }

  dismiss(): void {
    clearTimeout(this.timer);
    this._current.set(null);
  }

  /** The reader is here: the message stays (WCAG 2.2.1). */
  hold(): void {
    clearTimeout(this.timer);
  }

  /** The reader has gone: the message goes a little later. */
  release(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this._current.set(null);
    }, SHOWN_MS);
  }
}
