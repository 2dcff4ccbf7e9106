/**
 * Loaded into a server before it starts (`--import`): replaces the fragment of SABOTAGE, so that
 * src needs no switches.
 */
import { register } from 'node:module'

register('./sabotage-loader.ts', import.meta.url)
