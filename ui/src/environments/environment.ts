// Rendered from the port map by `python -m harness generate`. Do not edit.
import type { Environment } from '../app/core/config/runtime-config';

export const environment: Environment = {
  production: false,
  configUrl: null,
  defaults: {
    issuer: 'http://localhost:9400',
    apiUrl: 'http://localhost:8080',
    clientId: 'ui',
    scope:
      'openid profile email offline_access tickets:read tickets:write tickets:delete orgs:read orgs:write',
  },
};
