import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const nodeEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Settings are read once, in src/settings.ts.',
}
const rawSql = {
  selector: "CallExpression[callee.object.name='sql'][callee.property.name='raw']",
  message: 'Statement texts are constant; values are parameters.',
}
const disconnect = {
  selector: 'CallExpression[callee.property.name=/^(disconnect|disconnectSockets)$/]',
  message:
    'The client never returns from a server disconnect: close the engine (spec/behaviour.md 8).',
}

export default defineConfig(
  { ignores: ['node_modules', '.tap', 'data'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'no-restricted-syntax': ['error', nodeEnv, rawSql, disconnect],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['*.config.js'], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ['src/settings.ts', 'test/**', 'bench/**'],
    rules: { 'no-restricted-syntax': ['error', rawSql] },
  },
)
