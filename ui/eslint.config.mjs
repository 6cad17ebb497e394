// @ts-check
import eslint from '@eslint/js';
import angular from 'angular-eslint';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Folders of src/app, most concrete first. A folder may import those to its right, never those to its left. */
const LAYERS = ['feature', 'ui', 'core', 'api'];
const FEATURES = ['shell', 'tickets', 'assistant'];

/** Forbids relative imports that leave a folder for one of the named folders. */
function forbid(folders, message) {
  return {
    'no-restricted-imports': [
      'error',
      { patterns: [{ regex: `^\\.{1,2}/(?:.*/)?(?:${folders.join('|')})(?:/|$)`, message }] },
    ],
  };
}

const order = `Imports go ${LAYERS.join(' → ')}.`;

export default defineConfig([
  globalIgnores(['.angular/', 'dist/', 'node_modules/', 'src/app/api/']),
  {
    files: ['**/*.ts'],
    extends: [
      eslint.configs.recommended,
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      angular.configs.tsRecommended,
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    processor: angular.processInlineTemplates,
    rules: {
      'no-console': ['error', { allow: ['error'] }],
      '@angular-eslint/component-selector': [
        'error',
        { type: 'element', prefix: 'app', style: 'kebab-case' },
      ],
      '@angular-eslint/directive-selector': [
        'error',
        { type: 'attribute', prefix: 'app', style: 'camelCase' },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Signal forms and Angular validators are handed over unbound by design.
      '@typescript-eslint/unbound-method': ['error', { ignoreStatic: true }],
    },
  },
  {
    files: ['**/*.html'],
    extends: [angular.configs.templateRecommended, angular.configs.templateAccessibility],
    rules: {
      '@angular-eslint/template/prefer-control-flow': 'error',
      '@angular-eslint/template/button-has-type': 'error',
    },
  },
  { files: ['src/app/core/**/*.ts'], rules: forbid([...FEATURES, 'ui'], order) },
  { files: ['src/app/ui/**/*.ts'], rules: forbid(FEATURES, order) },
  ...FEATURES.map((feature) => ({
    files: [`src/app/${feature}/**/*.ts`],
    rules: forbid(
      FEATURES.filter((other) => other !== feature),
      'A feature never imports another one; share through core/ or ui/.',
    ),
  })),
]);
