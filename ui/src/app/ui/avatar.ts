import { Component, computed, input } from '@angular/core';

/** The initials of a person in a circle; the colour follows the name, so a person keeps it. Decoration only. */
@Component({
  selector: 'app-avatar',
  template: `{{ initials() }}`,
  host: { 'aria-hidden': 'true', '[class]': 'hue()' },
  styles: `
    :host {
      align-items: center;
      background: light-dark(var(--tint), color-mix(in srgb, var(--tint) 28%, #14141c));
      block-size: var(--avatar-size, 2rem);
      border-radius: 50%;
      color: light-dark(#1b1b22, #f4f2fb);
      display: inline-flex;
      flex: none;
      font-size: calc(var(--avatar-size, 2rem) * 0.38);
      font-weight: 650;
      inline-size: var(--avatar-size, 2rem);
      justify-content: center;
      letter-spacing: 0.01em;
      user-select: none;
    }

    :host(.hue-0) {
      --tint: #d7d6ff;
    }
    :host(.hue-1) {
      --tint: #bff0e6;
    }
    :host(.hue-2) {
      --tint: #ffd9c2;
    }
    :host(.hue-3) {
      --tint: #ffd3e2;
    }
    :host(.hue-4) {
      --tint: #cfe6ff;
    }
    :host(.hue-5) {
      --tint: #f3e3a6;
    }
  `,
})
export class Avatar {
  readonly name = input.required<string>();

  protected readonly initials = computed(() => {
    const words = this.name().trim().split(/\s+/);
    return (first(words.at(0)) + (words.length > 1 ? first(words.at(-1)) : '')).toUpperCase();
  });
  protected readonly hue = computed(() => {
    const sum = Array.from(this.name()).reduce(
      (total, letter) => total * 31 + (letter.codePointAt(0) ?? 0),
      7,
    );
    return `hue-${sum % 6}`;
  });
}

function first(word = ''): string {
  const code = word.codePointAt(0);
  return code === undefined ? '' : String.fromCodePoint(code);
}
