-- A batch was numbered conversation by conversation: what one sender said in two of them could be
-- stored, and shown, the other way round. Positions now follow the order of arrival.
CREATE OR REPLACE FUNCTION "store_messages"(
  ids text[], conversation_kinds conversation_kind[], senders text[], targets text[],
  message_kinds message_kind[], bodies text[], times timestamptz[], repeated boolean
) RETURNS TABLE (
  ordinal bigint, "position" bigint,
  sender_nick text, sender_avatar_url text, group_name text, group_avatar_url text
) LANGUAGE plpgsql
-- A plan is kept while tables grow: whatever their size, a few rows are looked up by index.
SET enable_seqscan = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  -- 'wf', 1: one writer at a time over the whole database, see the sequence message_positions.
  PERFORM pg_advisory_xact_lock(30566, 1);
  RETURN QUERY
  WITH input AS MATERIALIZED (
    SELECT *
    FROM unnest(ids, conversation_kinds, senders, targets, message_kinds, bodies, times)
      WITH ORDINALITY AS i (id, kind, sender_id, target_id, message_kind, body, sent_at, ordinal)
  ), addressed AS MATERIALIZED (
    SELECT i.*, f.conversation_id, NULL::text AS group_name, NULL::text AS group_avatar_url
    FROM input i
    JOIN friendships f
      ON f.user_id = i.sender_id AND f.friend_id = i.target_id AND f.state = 'accepted'
    WHERE i.kind = 'private'
    UNION ALL
    SELECT i.*, c.id, g.name, g.avatar_url
    FROM input i
    JOIN groups g ON g.id = i.target_id AND g.dissolved_at IS NULL
    JOIN group_members m ON m.group_id = g.id AND m.user_id = i.sender_id AND m.state = 'member'
    JOIN conversations c ON c.group_id = g.id
    WHERE i.kind = 'group'
  ), earlier AS MATERIALIZED (
    -- A caller that lost its connection asks again with the same ids.
    SELECT a.ordinal, m.position FROM addressed a JOIN messages m ON m.id = a.id WHERE repeated
  ), placed AS MATERIALIZED (
    -- Before anything sorts by conversation: positions follow the order in which they arrived.
    SELECT a.*, nextval('message_positions') AS position
    FROM (
      SELECT * FROM addressed WHERE ordinal NOT IN (SELECT e.ordinal FROM earlier e)
      ORDER BY ordinal
    ) a
  ), numbered AS MATERIALIZED (
    SELECT p.*, row_number() OVER (PARTITION BY p.conversation_id ORDER BY p.ordinal) AS nth
    FROM placed p
  ), counted AS (
    UPDATE conversations c
    SET last_seq = c.last_seq + n.added, last_position = n.last_position
    FROM (
      SELECT conversation_id, max(nth) AS added, max(position) AS last_position
      FROM numbered GROUP BY conversation_id
    ) n
    WHERE c.id = n.conversation_id
    RETURNING c.id, c.last_seq - n.added AS seq_before
  ), stored AS (
    INSERT INTO messages (id, conversation_id, seq, position, sender_id, kind, body, sent_at)
    SELECT n.id, n.conversation_id, c.seq_before + n.nth, n.position, n.sender_id,
      n.message_kind, n.body, n.sent_at
    FROM numbered n JOIN counted c ON c.id = n.conversation_id
    ORDER BY n.ordinal
  ), sent_privately AS (
    UPDATE friendships f SET sent_total = f.sent_total + n.added
    FROM (
      SELECT sender_id, target_id, count(*) AS added
      FROM numbered WHERE kind = 'private' GROUP BY sender_id, target_id
    ) n
    WHERE f.user_id = n.sender_id AND f.friend_id = n.target_id
  ), sent_to_groups AS (
    UPDATE group_members m SET sent_total = m.sent_total + n.added
    FROM (
      SELECT sender_id, target_id, count(*) AS added
      FROM numbered WHERE kind = 'group' GROUP BY sender_id, target_id
    ) n
    WHERE m.user_id = n.sender_id AND m.group_id = n.target_id
  )
  SELECT a.ordinal, p.position, u.nick, u.avatar_url, a.group_name, a.group_avatar_url
  FROM (
    SELECT n.ordinal, n.position FROM numbered n
    UNION ALL
    SELECT e.ordinal, e.position FROM earlier e
  ) p
  JOIN addressed a ON a.ordinal = p.ordinal
  JOIN users u ON u.id = a.sender_id
  ORDER BY p.position;
END
$$;
