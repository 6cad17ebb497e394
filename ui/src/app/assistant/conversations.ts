import { Service, computed, inject, linkedSignal, resource, signal } from '@angular/core';

import { Api } from '../api/api';
import { deleteConversation, listConversations } from '../api/functions';
import { type ConversationPage, type ConversationSummary } from '../api/models';
import { problemOf } from '../core/problems/problem';

const PAGE_SIZE = 20;
const MOST_AT_ONCE = 100;

type Listed = Pick<ConversationPage, 'items' | 'total'>;

/** The person's stored conversations in this organization, the last used first. */
@Service()
export class Conversations {
  private readonly api = inject(Api);
  private readonly _look = signal({ size: PAGE_SIZE });
  private readonly _listed = resource({
    params: () => this._look(),
    loader: ({ params }) => this.load(params.size),
  });
  /** What was there before stays while it is looked at again. */
  private readonly _shown = linkedSignal<Listed | undefined, Listed | undefined>({
    source: () => (this._listed.hasValue() ? this._listed.value() : undefined),
    computation: (listed, previous) => listed ?? previous?.value,
  });

  readonly items = computed<readonly ConversationSummary[]>(() => this._shown()?.items ?? []);
  readonly total = computed(() => this._shown()?.total ?? 0);
  readonly loaded = computed(() => this._shown() !== undefined);
  readonly loading = this._listed.isLoading;
  readonly problem = computed(() => {
    const error = this._listed.error();
    return error ? problemOf(error) : null;
  });

  refresh(): void {
    this._look.update(({ size }) => ({ size }));
  }

  showMore(): void {
    this._look.update(({ size }) => ({ size: size + PAGE_SIZE }));
  }

  /**
   * Erases one, and all that was said in it. One that is gone already is fine.
   *
   * @throws Problem the api refused it
   */
  async remove(id: string): Promise<void> {
    try {
      await this.api.invoke(deleteConversation, { id });
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code !== 'not_found') {
        throw problem;
      }
    }
    this._shown.update(
      (shown) =>
        shown && { items: shown.items.filter((each) => each.id !== id), total: Math.max(0, shown.total - 1) },
    );
    this.refresh();
  }

  private async load(size: number): Promise<Listed> {
    const items: ConversationSummary[] = [];
    let page: ConversationPage;
    let cursor: string | null = null;
    do {
      page = await this.api.invoke(listConversations, {
        limit: Math.min(size - items.length, MOST_AT_ONCE),
        ...(cursor !== null && { cursor }),
      });
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && items.length < size);
    return { items, total: page.total };
  }
}
