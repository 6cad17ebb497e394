/** Finding things the way a reader does: by what they are and what they are called. */
export class Dom {
  private readonly root: ParentNode;

  constructor(root: ParentNode | null) {
    if (root === null) {
      throw new Error('there is no page to look at');
    }
    this.root = root;
  }

  get text(): string {
    return this.root instanceof Element ? squeezed(this.root.textContent) : '';
  }

  /** The control with that accessible name: its text, or its label. */
  button(name: string): HTMLButtonElement {
    return this.only('button', name, (each) => each.getAttribute('aria-label') ?? squeezed(each.textContent));
  }

  hasButton(name: string): boolean {
    return this.buttonNames().includes(name);
  }

  link(name: string): HTMLAnchorElement {
    return this.only('a', name, (each) => squeezed(each.textContent));
  }

  /** The input, text area or selection with that label. */
  field(label: string): HTMLInputElement {
    return this.only('input, textarea, select', label, (each) => labelOf(each));
  }

  /** What is said about the field with that label beside the label itself: a hint, or what is wrong with it. */
  description(label: string): string {
    const ids = this.field(label).getAttribute('aria-describedby')?.split(' ') ?? [];
    return ids.map((id) => squeezed(this.root.querySelector(`#${id}`)?.textContent ?? '')).join(' ');
  }

  /** Texts of the elements with that role. */
  all(role: string): string[] {
    return Array.from(this.root.querySelectorAll(selector(role)), (each) => squeezed(each.textContent));
  }

  one(role: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(selector(role));
    if (found === null) {
      throw new Error(`nothing with role ${role} in: ${this.text}`);
    }
    return found;
  }

  type(label: string, text: string): void {
    const field = this.field(label);
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  private buttonNames(): string[] {
    return Array.from(
      this.root.querySelectorAll('button'),
      (each) => each.getAttribute('aria-label') ?? squeezed(each.textContent),
    );
  }

  private only<T extends Element>(css: string, name: string, nameOf: (element: T) => string): T {
    const candidates = Array.from(this.root.querySelectorAll<T>(css));
    const [found, ...others] = candidates.filter((each) => nameOf(each) === name);
    if (found === undefined || others.length > 0) {
      throw new Error(
        `${others.length + (found ? 1 : 0)} × "${name}" among: ${candidates.map(nameOf).join(' | ')}`,
      );
    }
    return found;
  }
}

const TAGS: Readonly<Record<string, string>> = { listitem: 'li', article: 'article', heading: 'h1, h2, h3' };

function selector(role: string): string {
  return [`[role="${role}"]`, TAGS[role]].filter(Boolean).join(', ');
}

function labelOf(field: HTMLInputElement): string {
  const label = field.labels?.[0]?.querySelector('mat-label')?.textContent ?? field.labels?.[0]?.textContent;
  return field.getAttribute('aria-label') ?? squeezed(label ?? '');
}

function squeezed(text: string | null): string {
  return (text ?? '').replace(/\s+/g, ' ').trim();
}
