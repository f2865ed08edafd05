import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['build/', '**/node_modules/', '**/.next/', '**/.wrangler/'] },
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'process',
          'performance',
          'crypto',
          'URL',
          'TextEncoder',
          'TextDecoder',
          'Buffer',
          'document',
          'Deno',
          'globalThis',
          'setTimeout',
          'AbortController',
          'AbortSignal',
          'WebAssembly',
          'fetch',
          'Request',
          'Response'
        ].map((name) => [name, 'readonly'])
      )
    }
  },
  {
    rules: {
      'no-constant-condition': ['error', { checkLoops: false }],
      eqeqeq: 'error',
      'no-else-return': 'error',
      'prefer-const': 'error'
    }
  },
  {
    // AssemblyScript: `<T>x` is its only cast, and its number types are all TypeScript aliases of number.
    files: ['assembly/**/*.ts'],
    rules: {
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/consistent-type-assertions': 'off',
      eqeqeq: 'off',
      'no-loss-of-precision': 'off',
      '@typescript-eslint/no-loss-of-precision': 'off'
    }
  }
)
