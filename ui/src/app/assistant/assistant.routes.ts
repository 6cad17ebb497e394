import { type Routes, type UrlMatchResult, type UrlSegment } from '@angular/router';

import { AssistantPage } from './assistant-page';

/** One route with and without the id of a conversation, so that a new one gets its address while its answer comes. */
export const ASSISTANT: Routes = [{ matcher: conversation, title: 'Assistant', component: AssistantPage }];

function conversation(segments: UrlSegment[]): UrlMatchResult | null {
  const [id, ...others] = segments;
  return others.length > 0 ? null : { consumed: segments, ...(id && { posParams: { id } }) };
}
