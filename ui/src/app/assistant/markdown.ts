import { Marked, type RendererObject, type TokenizerAndRendererExtension } from 'marked';

/** Where a link in an answer may lead: other sites by http(s), mail, and paths of this app. */
const SAFE_LINK = /^(?:https?:\/\/|mailto:|\/(?!\/))/i;

/**
 * Markdown as HTML without surprises: HTML in the text is shown as text, there are no images, and links lead to
 * harmless places. Meant to be bound to `innerHTML`, where Angular's sanitizer is the second line.
 *
 * @param ticketPrefix keys such as ACME-12 become links to their ticket; null: none do
 */
export function html(markdown: string, ticketPrefix: string | null): string {
  const marked = new Marked({ async: false, gfm: true, breaks: true, renderer: RENDERER });
  if (ticketPrefix !== null && /^[A-Z][A-Z0-9]*$/.test(ticketPrefix)) {
    marked.use({ extensions: [ticketKeys(ticketPrefix)] });
  }
  return marked.parse(markdown, { async: false });
}

const RENDERER: RendererObject = {
  html: ({ text }) => escaped(text),
  image: ({ text }) => escaped(text),
  link({ href, tokens }) {
    const text = this.parser.parseInline(tokens);
    return SAFE_LINK.test(href) ? anchor(href, text) : text;
  },
};

function ticketKeys(prefix: string): TokenizerAndRendererExtension {
  const anywhere = new RegExp(`(?<![\\w-])${prefix}-[1-9][0-9]{0,8}\\b`);
  const here = new RegExp(`^${prefix}-[1-9][0-9]{0,8}\\b`);
  return {
    name: 'ticketKey',
    level: 'inline',
    start: (text) => anywhere.exec(text)?.index,
    tokenizer(text) {
      const key = this.lexer.state.inLink ? undefined : here.exec(text)?.[0];
      return key === undefined ? undefined : { type: 'ticketKey', raw: key };
    },
    renderer: ({ raw }) => anchor(`/tickets/${raw}`, raw),
  };
}

function anchor(href: string, inner: string): string {
  const elsewhere = href.startsWith('/') ? '' : ' target="_blank" rel="noopener noreferrer"';
  return `<a href="${escaped(href)}"${elsewhere}>${inner}</a>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
