import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { type ApplicationConfig, provideBrowserGlobalErrorListeners } from '@angular/core';
import {
  TitleStrategy,
  provideRouter,
  withComponentInputBinding,
  withInMemoryScrolling,
} from '@angular/router';

import { provideApiConfiguration } from './api/api-configuration';
import { routes } from './app.routes';
import { accessTokenInterceptor } from './core/auth/access-token-interceptor';
import { provideSignIn } from './core/auth/provide-sign-in';
import { RUNTIME_CONFIG, type RuntimeConfig } from './core/config/runtime-config';
import { PageTitle } from './shell/page-title';

export function appConfig(config: RuntimeConfig): ApplicationConfig {
  return {
    providers: [
      provideBrowserGlobalErrorListeners(),
      { provide: RUNTIME_CONFIG, useValue: config },
      provideHttpClient(withInterceptors([accessTokenInterceptor])),
      provideApiConfiguration(config.apiUrl),
      provideSignIn(config, location.origin),
      provideRouter(
        routes,
        withComponentInputBinding(),
        withInMemoryScrolling({ scrollPositionRestoration: 'enabled' }),
      ),
      { provide: TitleStrategy, useClass: PageTitle },
    ],
  };
}
