// Redocly's linter, with all of its recommended rules, on an OpenAPI document.
import { createConfig, lintFromString } from '@redocly/openapi-core';

import { perform } from './task.mjs';

await perform({
  async lint({ document, off }) {
    const rules = Object.fromEntries(off.map((rule) => [rule, 'off']));
    const config = await createConfig({ extends: ['recommended-strict'], rules, telemetry: 'off' });
    const source = JSON.stringify(document);
    const found = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    return {
      problems: found.map(({ ruleId, message, location }) => ({
        rule: ruleId,
        message,
        at: location[0]?.pointer,
      })),
    };
  },
});
