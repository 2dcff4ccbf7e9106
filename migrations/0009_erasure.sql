ALTER TABLE "users" DROP CONSTRAINT "users_phone_check";--> statement-breakpoint
CREATE INDEX "friendships_conversation_idx" ON "friendships" USING btree ("conversation_id");--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_phone_check" CHECK ("users"."phone" ~ '^1[3-9][0-9]{9}$' or "users"."id" = '000000000000000000000000');--> statement-breakpoint

CREATE FUNCTION "file_named_in"(body text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN substring(body FROM '"url"\s*:\s*"[^"]*/([^"/]+)"');
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
COMMENT ON FUNCTION file_named_in IS 'Stored name of the file that a picture, video or file message shows; null when its body has none';
--> statement-breakpoint
COMMENT ON FUNCTION erase_user IS 'Deletes a person for good: account, friendships with all that was said in them, moments, comments, likes, notes, files. In groups the messages stay as empty words of user 000000000000000000000000, and groups pass to the member who joined first. Returns the names of the files that can be deleted from the upload folder, whose rows are gone';
--> statement-breakpoint
COMMENT ON TABLE messages IS 'Everything that was ever said; rows are only added, except by erase_user';
--> statement-breakpoint
COMMENT ON COLUMN users.phone IS 'Mobile number, mainland China form; what one logs in with. The word erased for the row that stands for everybody whom erase_user deleted';
