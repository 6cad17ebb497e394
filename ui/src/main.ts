import { bootstrapApplication } from '@angular/platform-browser';

import { App } from './app/app';
import { appConfig } from './app/app.config';
import { applyStoredScheme } from './app/core/appearance/appearance';
import { loadRuntimeConfig } from './app/core/config/load-runtime-config';
import { showStartError } from './app/core/config/start-error';
import { environment } from './environments/environment';

async function start(): Promise<void> {
  applyStoredScheme(document);
  const config = await loadRuntimeConfig(environment);
  const app = await bootstrapApplication(App, appConfig(config));
  await app.whenStable();
  // Screenshots and browser tests wait for this instead of guessing.
  document.documentElement.dataset['ready'] = 'true';
}

start().catch((error: unknown) => {
  console.error(error);
  showStartError(document, error);
});
