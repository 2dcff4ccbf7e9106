-- What the server takes for granted, asked of the rows themselves: no row on a sound database.
-- Foreign keys are asked too: loading with triggers off (session_replication_role, pg_restore
-- --disable-triggers) gets around them, and around the triggers that keep the suffixes.
CREATE FUNCTION "broken_references"() RETURNS TABLE (
  table_name text, row_key text, problem text
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  reference record;
BEGIN
  FOR reference IN
    SELECT k.conrelid::regclass AS child, k.confrelid::regclass AS parent,
      string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ' ORDER BY n) AS given,
      string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ' ORDER BY n) AS matching,
      string_agg(format('%L || c.%I', a.attname || ' ', a.attname), $q$ || ', ' || $q$ ORDER BY n)
        AS shown,
      EXISTS (
        SELECT FROM pg_attribute i
        WHERE i.attrelid = k.conrelid AND i.attname = 'id' AND NOT i.attisdropped
      ) AS has_id
    FROM pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS columns (child, parent, n)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = columns.child
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = columns.parent
    WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
      -- health_problems has a check of its own for it.
      AND k.conname <> 'friendships_mirror_fkey'
    GROUP BY k.oid, k.conname, k.conrelid, k.confrelid
    ORDER BY k.conname
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %L, %s, %s || %L FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
      reference.child::text,
      CASE WHEN reference.has_id THEN 'c.id::text' ELSE reference.shown END,
      reference.shown, ' is in no row of ' || reference.parent::text,
      reference.child, reference.given, reference.parent, reference.matching
    );
  END LOOP;
END
$$;
--> statement-breakpoint
CREATE VIEW "health_problems" AS
WITH counted AS (
  SELECT conversation_id, count(*) AS messages, max(seq) AS last_seq,
    max(position) AS last_position
  FROM messages GROUP BY conversation_id
), places AS (
  SELECT 'friendships' AS table_name, f.id, f.user_id, f.conversation_id,
    f.start_seq, f.read_seq, f.sent_total, f.sent_when_read
  FROM friendships f WHERE f.state = 'accepted'
  UNION ALL
  SELECT 'group_members', gm.id, gm.user_id, c.id,
    gm.start_seq, gm.read_seq, gm.sent_total, gm.sent_when_read
  FROM group_members gm JOIN conversations c ON c.group_id = gm.group_id
  WHERE gm.state = 'member'
), sent AS (
  SELECT p.table_name, p.id, p.sent_total, p.sent_when_read,
    count(m.seq) FILTER (WHERE m.seq > p.start_seq) AS total,
    count(m.seq) FILTER (WHERE m.seq > p.start_seq AND m.seq <= p.read_seq) AS when_read
  FROM places p
  LEFT JOIN messages m ON m.conversation_id = p.conversation_id AND m.sender_id = p.user_id
  GROUP BY p.table_name, p.id, p.sent_total, p.sent_when_read
)
SELECT 'last_seq' AS check_name, 'conversations' AS table_name, c.id::text AS row_key,
  format('last_seq is %s, and its newest message has %s', c.last_seq, coalesce(n.last_seq, 0))
    AS problem
FROM conversations c LEFT JOIN counted n ON n.conversation_id = c.id
WHERE c.last_seq <> coalesce(n.last_seq, 0)
UNION ALL
SELECT 'seq_without_holes', 'conversations', n.conversation_id::text,
  format('its %s messages are numbered up to %s', n.messages, n.last_seq)
FROM counted n WHERE n.messages <> n.last_seq
UNION ALL
SELECT 'last_position', 'conversations', c.id::text,
  format('last_position is %s, and its newest message is at %s',
    c.last_position, coalesce(n.last_position, 0))
FROM conversations c LEFT JOIN counted n ON n.conversation_id = c.id
WHERE c.last_position <> coalesce(n.last_position, 0)
UNION ALL
SELECT 'position_order', 'messages', m.id::text,
  format('seq %s of conversation %s is at position %s, and the one before it at %s',
    m.seq, m.conversation_id, m.position, m.position_before)
FROM (
  SELECT id, conversation_id, seq, position,
    lag(position) OVER (PARTITION BY conversation_id ORDER BY seq) AS position_before
  FROM messages
) m
WHERE m.position < m.position_before
UNION ALL
SELECT 'message_sender', 'messages', m.id::text,
  format('%s is neither of the two people of conversation %s', m.sender_id, c.id)
FROM conversations c JOIN messages m ON m.conversation_id = c.id
WHERE c.kind = 'private' AND m.sender_id NOT IN (c.low_user_id, c.high_user_id)
UNION ALL
SELECT 'sent_total', s.table_name, s.id::text,
  format('sent_total is %s, and %s messages were sent', s.sent_total, s.total)
FROM sent s WHERE s.sent_total <> s.total
UNION ALL
SELECT 'sent_when_read', s.table_name, s.id::text,
  format('sent_when_read is %s, and %s messages were sent up to read_seq',
    s.sent_when_read, s.when_read)
FROM sent s WHERE s.sent_when_read <> s.when_read
UNION ALL
SELECT 'read_position', p.table_name, p.id::text,
  format('read_seq is %s, outside of %s to %s', p.read_seq, p.start_seq, c.last_seq)
FROM places p JOIN conversations c ON c.id = p.conversation_id
WHERE p.read_seq NOT BETWEEN p.start_seq AND c.last_seq
UNION ALL
SELECT 'friendship_pair', 'friendships', f.id::text,
  format('%s has no row for %s in the state %s', f.friend_id, f.user_id, f.mirror_state)
FROM friendships f
WHERE NOT EXISTS (
  SELECT FROM friendships o
  WHERE o.user_id = f.friend_id AND o.friend_id = f.user_id AND o.state = f.mirror_state
)
UNION ALL
SELECT 'friendship_conversation', 'friendships', f.id::text,
  format('conversation %s is not that of the two', f.conversation_id)
FROM friendships f JOIN conversations c ON c.id = f.conversation_id
WHERE (c.low_user_id, c.high_user_id)
  IS DISTINCT FROM (least(f.user_id, f.friend_id), greatest(f.user_id, f.friend_id))
UNION ALL
SELECT 'group_owner', 'groups', g.id::text, format('its owner %s is not a member', g.owner_id)
FROM groups g
WHERE g.dissolved_at IS NULL AND NOT EXISTS (
  SELECT FROM group_members gm
  WHERE gm.group_id = g.id AND gm.user_id = g.owner_id AND gm.state = 'member'
)
UNION ALL
SELECT 'group_conversation', 'groups', g.id::text, 'it has no conversation'
FROM groups g WHERE NOT EXISTS (SELECT FROM conversations c WHERE c.group_id = g.id)
UNION ALL
SELECT 'dissolved_group', 'group_members', gm.id::text, format('group %s is dissolved', g.id)
FROM group_members gm JOIN groups g ON g.id = gm.group_id WHERE g.dissolved_at IS NOT NULL
UNION ALL
SELECT 'nick_suffixes', 'users', u.id::text, 'its suffixes are not those of its nick'
FROM users u
LEFT JOIN (
  SELECT user_id, array_agg(suffix ORDER BY suffix) AS kept FROM user_nick_suffixes GROUP BY user_id
) s ON s.user_id = u.id
WHERE s.kept IS DISTINCT FROM (
  SELECT array_agg(t.suffix ORDER BY t.suffix) FROM (
    SELECT substr(search_fold(u.nick), i) COLLATE "C" AS suffix
    FROM generate_series(1, char_length(search_fold(u.nick))) i
  ) t
)
UNION ALL
SELECT 'group_name_suffixes', 'groups', g.id::text, 'its suffixes are not those of its name'
FROM groups g
LEFT JOIN (
  SELECT group_id, array_agg(suffix ORDER BY suffix) AS kept
  FROM group_name_suffixes GROUP BY group_id
) s ON s.group_id = g.id
WHERE s.kept IS DISTINCT FROM (
  SELECT array_agg(t.suffix ORDER BY t.suffix) FROM (
    SELECT substr(search_fold(g.name), i) COLLATE "C" AS suffix
    FROM generate_series(1, char_length(search_fold(g.name))) i
    WHERE g.dissolved_at IS NULL
  ) t
)
UNION ALL
SELECT 'comment_reply', 'comments', c.id::text,
  format('it answers %s, which is a reply itself', c.parent_id)
FROM comments c JOIN comments p ON p.id = c.parent_id WHERE p.parent_id IS NOT NULL
UNION ALL
SELECT 'file_name', 'files', f.stored_name, 'no file of this name can be served'
FROM files f WHERE f.stored_name !~ '^[^./\\][^/\\]*$'
UNION ALL
SELECT 'sequence', 'messages', 'message_positions',
  format('the sequence is at %s, and positions go up to %s', s.last_value, m.last)
FROM message_positions s, (SELECT max(position) AS last FROM messages) m
WHERE m.last > s.last_value OR (m.last = s.last_value AND NOT s.is_called)
UNION ALL
SELECT 'sequence', 'conversations', 'conversations_id_seq',
  format('the sequence is at %s, and ids go up to %s', s.last_value, c.last)
FROM conversations_id_seq s, (SELECT max(id) AS last FROM conversations) c
WHERE c.last > s.last_value OR (c.last = s.last_value AND NOT s.is_called)
UNION ALL
SELECT 'reference', b.table_name, b.row_key, b.problem FROM broken_references() b
UNION ALL
SELECT 'schema', g.table_name, g.row_key, g.problem
FROM (
  SELECT conrelid, conrelid::regclass::text, conname::text, 'the constraint is not validated'
  FROM pg_constraint WHERE NOT convalidated
  UNION ALL
  SELECT indrelid, indrelid::regclass::text, indexrelid::regclass::text, 'the index is not valid'
  FROM pg_index WHERE NOT indisvalid
  UNION ALL
  SELECT tgrelid, tgrelid::regclass::text, tgname::text, 'the trigger is disabled'
  FROM pg_trigger WHERE tgenabled NOT IN ('O', 'A')
) g (relation, table_name, row_key, problem)
JOIN pg_class r ON r.oid = g.relation AND r.relnamespace = 'public'::regnamespace;
--> statement-breakpoint
COMMENT ON FUNCTION broken_references IS 'Rows whose foreign key leads nowhere, whatever the constraint itself believes; part of health_problems';
--> statement-breakpoint
COMMENT ON VIEW health_problems IS 'What is wrong with the data, one row each; no row on a sound database. Reads every table: with WHERE check_name = ... only what that check needs';
--> statement-breakpoint
COMMENT ON COLUMN health_problems.check_name IS 'Which rule is broken; docs/database.md lists them';
--> statement-breakpoint
COMMENT ON COLUMN health_problems.table_name IS 'Table that holds the row';
--> statement-breakpoint
COMMENT ON COLUMN health_problems.row_key IS 'Primary key of the row; name of the sequence, constraint, index or trigger where it is no row';
--> statement-breakpoint
COMMENT ON COLUMN health_problems.problem IS 'What is wrong, in words';
