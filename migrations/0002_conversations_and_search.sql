-- Rows that change often leave room on their page, so that a change needs no new index entries.
ALTER TABLE "conversations" SET (fillfactor = 70);
--> statement-breakpoint
ALTER TABLE "friendships" SET (fillfactor = 80);
--> statement-breakpoint
ALTER TABLE "group_members" SET (fillfactor = 80);
--> statement-breakpoint

-- Storing messages ------------------------------------------------------------------------------
-- Positions are taken under an advisory lock that is held until the commit is visible. So whoever
-- sees position p sees every smaller position that will ever exist: p can be used as a bookmark.
CREATE SEQUENCE "message_positions" AS bigint;
--> statement-breakpoint
CREATE FUNCTION "store_messages"(
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
  ), numbered AS MATERIALIZED (
    SELECT a.*,
      row_number() OVER (PARTITION BY a.conversation_id ORDER BY a.ordinal) AS nth,
      nextval('message_positions') AS position
    FROM (
      SELECT * FROM addressed WHERE ordinal NOT IN (SELECT e.ordinal FROM earlier e)
      ORDER BY ordinal
    ) a
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
--> statement-breakpoint

-- Searching names -------------------------------------------------------------------------------
CREATE FUNCTION "search_fold"(value text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN lower(value COLLATE "und-x-icu");
--> statement-breakpoint
CREATE INDEX "users_nick_folded_idx" ON "users" (search_fold(nick) COLLATE "C", id);
--> statement-breakpoint
CREATE INDEX "groups_name_folded_idx" ON "groups" (search_fold(name) COLLATE "C", id)
  WHERE dissolved_at IS NULL;
--> statement-breakpoint
CREATE FUNCTION "keep_user_nick_suffixes"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM user_nick_suffixes WHERE user_id = NEW.id;
  INSERT INTO user_nick_suffixes (user_id, suffix)
  SELECT NEW.id, substr(search_fold(NEW.nick), i)
  FROM generate_series(1, char_length(search_fold(NEW.nick))) i;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "users_keep_nick_suffixes" AFTER INSERT OR UPDATE OF nick ON "users"
  FOR EACH ROW EXECUTE FUNCTION keep_user_nick_suffixes();
--> statement-breakpoint
CREATE FUNCTION "keep_group_name_suffixes"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM group_name_suffixes WHERE group_id = NEW.id;
  INSERT INTO group_name_suffixes (group_id, suffix)
  SELECT NEW.id, substr(search_fold(NEW.name), i)
  FROM generate_series(1, char_length(search_fold(NEW.name))) i
  WHERE NEW.dissolved_at IS NULL;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "groups_keep_name_suffixes" AFTER INSERT OR UPDATE OF name, dissolved_at ON "groups"
  FOR EACH ROW EXECUTE FUNCTION keep_group_name_suffixes();
