-- Readers do not see what imports keep of documents: it may hold the hash of a password, or a token.
CREATE OR REPLACE VIEW "secret_columns" AS
SELECT s.table_name, s.column_name, s.reason
FROM (VALUES
  ('users', 'password_hash', 'a weak password can be found by guessing against its hash'),
  ('socket_sessions', 'pid_hash', 'it recognises the secret by which a client comes back'),
  ('imported_documents', 'remainder', 'documents of the original may hold tokens'),
  ('quarantine', 'document', 'documents of the original hold hashes of passwords, and tokens'),
  ('quarantine', 'document_text', 'documents of the original hold hashes of passwords, and tokens')
) s (table_name, column_name, reason);
--> statement-breakpoint
-- The messages of somebody who was erased stay in groups, without words and without a name: their
-- numbers hold the conversation and everybody's unread counts together.
CREATE FUNCTION "erase_user"(erased object_id) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  nobody CONSTANT object_id := '000000000000000000000000';
  named text[];
  doomed bigint[];
  owned record;
  heir object_id;
BEGIN
  IF erased = nobody THEN
    RAISE EXCEPTION 'user % stands for everybody who was erased', erased;
  END IF;
  -- Locks in the order of the server: users, groups, storing messages ('wf', 1).
  PERFORM FROM users WHERE id = erased FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no user %', erased;
  END IF;
  PERFORM FROM groups g WHERE g.owner_id = erased OR EXISTS (
    SELECT FROM group_members gm WHERE gm.group_id = g.id AND gm.user_id = erased
  ) ORDER BY g.id FOR NO KEY UPDATE;
  PERFORM pg_advisory_xact_lock(30566, 1);
  -- From here on nothing can refer to the person any more.
  PERFORM FROM users WHERE id = erased FOR UPDATE;

  INSERT INTO users (id, phone, password_hash, nick, sign)
  VALUES (nobody, 'erased', '!', '已注销用户', '') ON CONFLICT DO NOTHING;

  -- Files that nothing else may need once the rows are gone.
  SELECT array_agg(id) INTO doomed FROM conversations
  WHERE low_user_id = erased OR high_user_id = erased;
  SELECT array_agg(DISTINCT found.name) INTO named FROM (
    SELECT substr(avatar_url, 2) AS name FROM users WHERE id = erased
    UNION ALL
    SELECT substr(unnest(photos), 2) FROM spaces WHERE author_id = erased
    UNION ALL
    SELECT stored_name FROM files WHERE uploader_id = erased
    UNION ALL
    SELECT file_named_in(m.body) FROM messages m
    WHERE m.kind IN ('picture', 'video', 'file') AND (
      m.sender_id = erased OR m.conversation_id = ANY (doomed)
    )
  ) found;

  -- What an import remembers of the person's documents, and what it could not take over of them.
  DELETE FROM imported_documents d USING (
    SELECT 'users'::source_collection AS collection, erased AS id
    UNION ALL SELECT 'friends', id FROM friendships WHERE erased IN (user_id, friend_id)
    UNION ALL SELECT 'group_users', id FROM group_members WHERE user_id = erased
    UNION ALL SELECT 'groups', id FROM groups WHERE owner_id = erased
    UNION ALL SELECT 'private_chats', id FROM messages WHERE conversation_id = ANY (doomed)
    UNION ALL SELECT 'group_chats', id FROM messages WHERE sender_id = erased
    UNION ALL SELECT 'spaces', id FROM spaces WHERE author_id = erased
    UNION ALL SELECT 'space_comments', c.id FROM comments c JOIN spaces s ON s.id = c.space_id
      WHERE erased IN (c.author_id, c.recipient_id, s.author_id)
    UNION ALL SELECT 'space_likes', l.id FROM space_likes l JOIN spaces s ON s.id = l.space_id
      WHERE erased IN (l.user_id, s.author_id)
    UNION ALL SELECT 'notes', id FROM notes WHERE author_id = erased
  ) known WHERE d.collection = known.collection AND d.id = known.id;
  DELETE FROM imported_documents WHERE strpos(remainder::text, erased) > 0;
  DELETE FROM quarantine WHERE strpos(document_text, erased) > 0;

  -- What two people said to each other goes as a whole: nobody could ever read it again.
  DELETE FROM friendships WHERE user_id = erased OR friend_id = erased;
  DELETE FROM messages WHERE conversation_id = ANY (doomed);
  DELETE FROM conversations WHERE id = ANY (doomed);
  UPDATE messages SET sender_id = nobody, kind = 'text', body = '[已删除]' WHERE sender_id = erased;

  DELETE FROM group_members WHERE user_id = erased;
  FOR owned IN SELECT id FROM groups WHERE owner_id = erased ORDER BY id LOOP
    SELECT gm.user_id INTO heir FROM group_members gm
    WHERE gm.group_id = owned.id AND gm.state = 'member'
    ORDER BY gm.joined_at, gm.id LIMIT 1;
    IF heir IS NULL THEN
      DELETE FROM group_members WHERE group_id = owned.id;
      UPDATE groups SET owner_id = nobody, dissolved_at = coalesce(dissolved_at, now())
      WHERE id = owned.id;
    ELSE
      UPDATE groups SET owner_id = heir WHERE id = owned.id;
    END IF;
  END LOOP;

  DELETE FROM spaces WHERE author_id = erased;
  DELETE FROM comments WHERE author_id = erased;
  UPDATE comments SET recipient_id = nobody WHERE recipient_id = erased;
  DELETE FROM space_likes WHERE user_id = erased;
  DELETE FROM notes WHERE author_id = erased;
  UPDATE files SET uploader_id = NULL WHERE uploader_id = erased;
  -- Sessions and suffixes go with the row.
  DELETE FROM users WHERE id = erased;

  RETURN QUERY
  DELETE FROM files f
  WHERE f.stored_name = ANY (named) AND f.stored_name NOT IN (
    SELECT substr(avatar_url, 2) FROM users
    UNION ALL SELECT substr(avatar_url, 2) FROM groups
    UNION ALL SELECT substr(unnest(photos), 2) FROM spaces
    UNION ALL SELECT file_named_in(body) FROM messages
      WHERE kind IN ('picture', 'video', 'file') AND file_named_in(body) IS NOT NULL
  )
  RETURNING f.stored_name;
END
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION erase_user FROM PUBLIC;
--> statement-breakpoint
COMMENT ON FUNCTION erase_user IS 'Deletes a person for good: account, friendships with all that was said in them, moments, comments, likes, notes, files, and what imports remember of them. In groups the messages stay as empty words of user 000000000000000000000000, and groups pass to the member who joined first. Returns the names of the files that can be deleted from the upload folder, whose rows are gone';
