import { Component } from '@angular/core';

@Component({
  selector: 'app-brand',
  template: `<img src="mark.svg" alt="" width="32" height="32" /><span>Dress Rehearsal</span>`,
  styles: `
    :host {
      align-items: center;
      display: inline-flex;
      font-size: 1.0625rem;
      font-weight: 650;
      gap: 0.625rem;
      letter-spacing: -0.015em;
      white-space: nowrap;
    }
  `,
})
export class Brand {}
