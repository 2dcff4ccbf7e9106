/** The parser of md-editor-v3 4.9.0, beside the one of today; its types are near enough. */
declare module 'markdown-it-13' {
  export { default } from 'markdown-it'
}
