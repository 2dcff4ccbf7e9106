declare module 'markdown-it-image-figures' {
  import type { MarkdownIt } from 'markdown-it'
  export default function figures(parser: MarkdownIt, options: object): void
}

declare module 'markdown-it-task-lists' {
  import type { MarkdownIt } from 'markdown-it'
  export default function taskLists(parser: MarkdownIt): void
}
