import { accepted, refuse, settle } from './candidates.ts'
import { likeKey, likes } from './collections/likes.ts'
import { readGroups, refuseTwins } from './grouping.ts'
import { refuseUnknown } from './references.ts'
import type { Run } from './run.ts'

/** Imports likes; of several by one person of one moment the oldest counts. */
export async function importLikes(run: Run): Promise<void> {
  for await (const groups of readGroups(run, likes, likeKey, 'like-doubled')) {
    if (groups.length === 0) continue
    await refuseTwins(run, likes, groups, likeKey)
    const candidates = groups.flat()
    await refuseUnknown(run.db, candidates, 'users', ({ userId }) => [userId])
    await refuseUnknown(run.db, candidates, 'spaces', ({ spaceId }) => [spaceId])
    for (const group of groups) {
      const [, ...surplus] = accepted(group).sort(
        ({ row: one }, { row: other }) =>
          one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1),
      )
      for (const candidate of surplus) refuse(candidate, 'like-doubled', likeKey(candidate.row))
    }
    await settle(run, likes, candidates)
  }
}
