/** The app cannot start. The message holds the evidence; the page says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Puts the reason where the app would have been. Without Angular, which may be what failed. */
export function showStartError(page: Document, error: unknown): void {
  const panel = page.createElement('section');
  panel.className = 'start-error';
  panel.setAttribute('role', 'alert');
  panel.append(
    line(page, 'h1', 'Dress Rehearsal could not start'),
    line(page, 'p', error instanceof Error ? error.message : String(error)),
    line(page, 'p', 'Check that this page comes from the system’s own server, then load it again.'),
  );
  page.querySelector('app-root')?.replaceChildren(panel);
}

function line(page: Document, tag: 'h1' | 'p', text: string): HTMLElement {
  const element = page.createElement(tag);
  element.textContent = text;
  return element;
}
