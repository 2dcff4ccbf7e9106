ALTER TABLE "imports" ADD COLUMN "timezone" text;--> statement-breakpoint
COMMENT ON COLUMN imports.timezone IS 'TIMEZONE that it ran with: a time without a zone in its documents means that one; null for runs from before this was kept';
--> statement-breakpoint
-- As it was, but for the numbers of a conversation, which cost the square of the messages stored together.
CREATE OR REPLACE FUNCTION "store_messages_together"(
  ids text[], conversation_kinds conversation_kind[], senders text[], targets text[],
  message_kinds message_kind[], bodies text[], times timestamptz[], repeated boolean
) RETURNS TABLE (
  ordinal bigint, "position" bigint, sender_nick text, sender_avatar_url text,
  group_name text, group_avatar_url text, members_version bigint
) LANGUAGE plpgsql
-- A plan is kept while tables grow: whatever their size, a few rows are looked up by index.
SET enable_seqscan = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH earlier AS MATERIALIZED (
    -- A caller that lost its connection asks again with the same ids. Stored is stored, also
    -- where the sender might not write any more.
    SELECT i.ordinal, m.position, g.name, g.avatar_url, g.members_version
    FROM unnest(ids, conversation_kinds, targets) WITH ORDINALITY AS i (id, kind, target_id, ordinal)
    JOIN messages m ON m.id = i.id
    CROSS JOIN LATERAL (
      -- The row without a group is there for whatever is not said in one.
      SELECT max(g.name) AS name, max(g.avatar_url) AS avatar_url,
        max(g.members_version) AS members_version
      FROM groups g WHERE g.id = i.target_id AND i.kind = 'group'
    ) g
    WHERE repeated
  ), input AS MATERIALIZED (
    SELECT *
    FROM unnest(ids, conversation_kinds, senders, targets, message_kinds, bodies, times)
      WITH ORDINALITY AS i (id, kind, sender_id, target_id, message_kind, body, sent_at, ordinal)
    WHERE NOT repeated OR i.ordinal NOT IN (SELECT e.ordinal FROM earlier e)
  ), sent_privately AS (
    UPDATE friendships f SET sent_total = f.sent_total + n.added
    FROM (
      SELECT sender_id, target_id, count(*) AS added
      FROM input WHERE kind = 'private' GROUP BY sender_id, target_id
    ) n
    WHERE f.user_id = n.sender_id AND f.friend_id = n.target_id AND f.state = 'accepted'
    RETURNING f.user_id, f.friend_id, f.conversation_id
  ), sent_to_groups AS (
    UPDATE group_members m SET sent_total = m.sent_total + n.added
    FROM (
      SELECT sender_id, target_id, count(*) AS added
      FROM input WHERE kind = 'group' GROUP BY sender_id, target_id
    ) n
    JOIN groups g ON g.id = n.target_id AND g.dissolved_at IS NULL
    JOIN conversations c ON c.group_id = g.id
    WHERE m.user_id = n.sender_id AND m.group_id = n.target_id AND m.state = 'member'
    RETURNING m.user_id, m.group_id, c.id, g.name, g.avatar_url, g.members_version
  ), placed AS MATERIALIZED (
    -- Before anything sorts by conversation: positions follow the order in which they arrived.
    SELECT a.*, nextval('message_positions') AS position
    FROM (
      SELECT i.*, s.conversation_id, s.name, s.avatar_url, s.members_version
      FROM input i
      JOIN (
        SELECT 'private'::conversation_kind, p.*, NULL, NULL, NULL::bigint FROM sent_privately p
        UNION ALL
        SELECT 'group', g.* FROM sent_to_groups g
      ) s (kind, sender_id, target_id, conversation_id, name, avatar_url, members_version)
        USING (kind, sender_id, target_id)
      ORDER BY i.ordinal
    ) a
  ), counted AS (
    UPDATE conversations c
    SET last_seq = c.last_seq + n.added, last_position = n.last_position
    FROM (
      SELECT conversation_id, count(*) AS added, max(position) AS last_position
      FROM placed GROUP BY conversation_id
    ) n
    WHERE c.id = n.conversation_id
  ), stored AS (
    -- A statement does not see its own changes: here last_seq is what it was. Looked up by index, as
    -- the rows of `counted` would be compared with all messages.
    INSERT INTO messages (id, conversation_id, seq, position, sender_id, kind, body, sent_at)
    SELECT p.id, p.conversation_id,
      c.last_seq + row_number() OVER (PARTITION BY p.conversation_id ORDER BY p.position),
      p.position, p.sender_id, p.message_kind, p.body, p.sent_at
    FROM placed p JOIN conversations c ON c.id = p.conversation_id
  )
  SELECT p.ordinal, p.position, u.nick, u.avatar_url, p.name, p.avatar_url, p.members_version
  FROM (
    SELECT ordinal, position, name, avatar_url, members_version FROM placed
    UNION ALL
    SELECT * FROM earlier
  ) p
  JOIN users u ON u.id = senders[p.ordinal]
  ORDER BY p.position;
END
$$;
