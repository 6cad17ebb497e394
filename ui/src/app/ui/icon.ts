import { Component, input } from '@angular/core';

/** A glyph of @mdi/js. Decoration only: the text beside it, or the control's name, carries the meaning. */
@Component({
  selector: 'app-icon',
  template: `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path [attr.d]="path()" /></svg>`,
  styles: `
    :host {
      display: inline-flex;
      flex: none;
      block-size: 1.25em;
      inline-size: 1.25em;
    }

    svg {
      block-size: 100%;
      fill: currentColor;
      inline-size: 100%;
    }
  `,
})
export class Icon {
  readonly path = input.required<string>();
}
