ALTER TABLE "groups" ADD COLUMN "members_version" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
COMMENT ON COLUMN groups.members_version IS 'Raised by the server with every change of who belongs to the group, under the lock of store_messages: so each server process notices what another has changed';
--> statement-breakpoint
-- For many messages, each table is asked once. Whoever may write is counted in the same step.
CREATE FUNCTION "store_messages_together"(
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
--> statement-breakpoint
COMMENT ON FUNCTION store_messages_together IS 'What store_messages does with many messages, or with some that may be stored already; to be called by it alone';
--> statement-breakpoint
DROP FUNCTION "store_messages";
--> statement-breakpoint
CREATE FUNCTION "store_messages"(
  ids text[], conversation_kinds conversation_kind[], senders text[], targets text[],
  message_kinds message_kind[], bodies text[], times timestamptz[], repeated boolean
) RETURNS TABLE (
  ordinal bigint, "position" bigint, sender_nick text, sender_avatar_url text,
  group_name text, group_avatar_url text, members_version bigint
) LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  conversation bigint;
  seq bigint;
BEGIN
  -- 'wf', 1: one writer at a time over the whole database, see the sequence message_positions.
  PERFORM pg_advisory_xact_lock(30566, 1);
  IF repeated OR cardinality(ids) > 3 THEN
    RETURN QUERY SELECT * FROM store_messages_together(
      ids, conversation_kinds, senders, targets, message_kinds, bodies, times, repeated
    );
    RETURN;
  END IF;
  -- A few messages cost less in plain statements than beginning the large one does.
  FOR i IN 1 .. cardinality(ids) LOOP
    IF conversation_kinds[i] = 'private' THEN
      UPDATE friendships f SET sent_total = f.sent_total + 1
      WHERE f.user_id = senders[i] AND f.friend_id = targets[i] AND f.state = 'accepted'
      RETURNING f.conversation_id, NULL, NULL, NULL
      INTO conversation, group_name, group_avatar_url, members_version;
    ELSE
      UPDATE group_members m SET sent_total = m.sent_total + 1
      FROM groups g JOIN conversations c ON c.group_id = g.id
      WHERE g.id = targets[i] AND g.dissolved_at IS NULL
        AND m.user_id = senders[i] AND m.group_id = g.id AND m.state = 'member'
      RETURNING c.id, g.name, g.avatar_url, g.members_version
      INTO conversation, group_name, group_avatar_url, members_version;
    END IF;
    CONTINUE WHEN NOT FOUND;
    UPDATE conversations c
    SET last_seq = c.last_seq + 1, last_position = nextval('message_positions')
    WHERE c.id = conversation
    RETURNING c.last_seq, c.last_position INTO seq, position;
    INSERT INTO messages (id, conversation_id, seq, position, sender_id, kind, body, sent_at)
    VALUES (ids[i], conversation, seq, position, senders[i], message_kinds[i], bodies[i], times[i]);
    SELECT u.nick, u.avatar_url INTO sender_nick, sender_avatar_url
    FROM users u WHERE u.id = senders[i];
    ordinal := i;
    RETURN NEXT;
  END LOOP;
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION store_messages IS 'Stores messages that arrived together, numbers them and returns those that were allowed, in order of position, with what their receivers are shown; safe to call again with the same ids and repeated = true';
