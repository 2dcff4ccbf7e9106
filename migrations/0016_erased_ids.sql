CREATE TABLE "erased_ids" (
	"id_digest" "bytea" PRIMARY KEY NOT NULL,
	"erased_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "files" DROP CONSTRAINT "files_uploadKey_unique";--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_upload_key_unique" UNIQUE("upload_key");
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "erase_user"(erased object_id) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  nobody CONSTANT object_id := '000000000000000000000000';
  named text[];
  doomed bigint[];
  owned record;
  heir object_id;
  number text;
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
  -- The phone number too, alone or with blanks and hyphens in it, but not within a longer number.
  SELECT '(^|[^0-9])(86[ -]*)?' || regexp_replace(phone, '([0-9])(?!$)', '\1[ -]*', 'g') || '($|[^0-9])'
    INTO number FROM users WHERE id = erased;
  DELETE FROM imported_documents
  WHERE strpos(lower(remainder::text), erased) > 0 OR remainder::text ~ number;
  DELETE FROM quarantine WHERE strpos(lower(document_text), erased) > 0 OR document_text ~ number
    OR CASE WHEN reason = 'not-decodable' AND document_text LIKE '{"$binary":%' THEN
      position(decode(erased, 'hex') IN decode(document_text::json #>> '{$binary,base64}', 'base64')) > 0
      OR encode(decode(document_text::json #>> '{$binary,base64}', 'base64'), 'escape') ~ number
    ELSE false END;

  -- So that the next import leaves out the person's documents, and those about what goes with them.
  INSERT INTO erased_ids (id_digest)
  SELECT sha256(convert_to(id, 'UTF8')) FROM (
    SELECT erased::text AS id
    UNION ALL SELECT id FROM spaces WHERE author_id = erased
    UNION ALL SELECT id FROM comments WHERE author_id = erased
  ) gone
  ON CONFLICT DO NOTHING;

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
COMMENT ON FUNCTION erase_user IS 'Deletes a person for good: account, friendships with all that was said in them, moments, comments, likes, notes, files, and what imports remember of them; erased_ids keeps the next import from bringing them back. In groups the messages stay as empty words of user 000000000000000000000000, and groups pass to the member who joined first. Returns the names of the files that can be deleted from the upload folder, whose rows are gone';
--> statement-breakpoint
COMMENT ON TABLE erased_ids IS 'Whom and what erase_user deleted, so that no import brings it back; from a digest nobody is found who is not known already';
--> statement-breakpoint
COMMENT ON COLUMN erased_ids.id_digest IS 'SHA-256 of the id of a person, of a moment or of a comment of theirs';
--> statement-breakpoint
COMMENT ON COLUMN erased_ids.erased_at IS 'When it was deleted';
--> statement-breakpoint
COMMENT ON CONSTRAINT object_id_check ON DOMAIN object_id IS '24 lower-case hex digits';
--> statement-breakpoint
COMMENT ON CONSTRAINT conversations_kind_check ON conversations IS 'Of a pair with the lower id first, or of a group, never of both';
--> statement-breakpoint
COMMENT ON CONSTRAINT files_sha256_check ON files IS '64 hex digits';
--> statement-breakpoint
COMMENT ON CONSTRAINT files_size_check ON files IS 'Not negative';
--> statement-breakpoint
COMMENT ON CONSTRAINT files_upload_key_check ON files IS '32 hex digits, as clients compute it';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_conversation_check ON friendships IS 'Friends have a conversation';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_not_self_check ON friendships IS 'Nobody is their own friend';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_position_check ON friendships IS 'Not more was sent when it was read than now';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_members_joined_check ON group_members IS 'Members have a time of joining, applicants have none';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_members_position_check ON group_members IS 'Not more was sent when it was read than now';
--> statement-breakpoint
COMMENT ON CONSTRAINT groups_name_check ON groups IS '1 to 15 characters';
--> statement-breakpoint
COMMENT ON CONSTRAINT groups_sign_check ON groups IS 'At most 50 characters';
--> statement-breakpoint
COMMENT ON CONSTRAINT messages_seq_check ON messages IS 'Numbers begin with 1';
--> statement-breakpoint
COMMENT ON CONSTRAINT socket_sessions_pid_hash_check ON socket_sessions IS '64 hex digits';
--> statement-breakpoint
COMMENT ON CONSTRAINT spaces_not_empty_check ON spaces IS 'A moment has words or pictures';
--> statement-breakpoint
COMMENT ON CONSTRAINT users_nick_check ON users IS '1 to 15 characters';
--> statement-breakpoint
COMMENT ON CONSTRAINT users_phone_check ON users IS 'A mobile number of mainland China, but for the row that stands for everybody erased';
--> statement-breakpoint
COMMENT ON CONSTRAINT users_sign_check ON users IS 'At most 50 characters';
--> statement-breakpoint
COMMENT ON CONSTRAINT comments_author_id_users_id_fk ON comments IS 'Its author is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT comments_parent_fkey ON comments IS 'A reply is in the moment of the comment that it answers, and goes with that comment';
--> statement-breakpoint
COMMENT ON CONSTRAINT comments_recipient_id_users_id_fk ON comments IS 'Whom it is for is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT comments_space_id_spaces_id_fk ON comments IS 'It goes with its moment';
--> statement-breakpoint
COMMENT ON CONSTRAINT conversations_group_id_groups_id_fk ON conversations IS 'Its group is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT conversations_high_user_id_users_id_fk ON conversations IS 'The one with the higher id is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT conversations_low_user_id_users_id_fk ON conversations IS 'The one with the lower id is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT files_uploader_id_users_id_fk ON files IS 'Its uploader is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_conversation_id_conversations_id_fk ON friendships IS 'Its conversation is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_friend_id_users_id_fk ON friendships IS 'The friend is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_mirror_fkey ON friendships IS 'The other direction is there, in the matching state';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_user_id_users_id_fk ON friendships IS 'Whose friend it is is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_members_group_id_groups_id_fk ON group_members IS 'The group is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_members_user_id_users_id_fk ON group_members IS 'The member is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_name_suffixes_group_id_groups_id_fk ON group_name_suffixes IS 'They go with their group';
--> statement-breakpoint
COMMENT ON CONSTRAINT groups_owner_id_users_id_fk ON groups IS 'The owner is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT imported_documents_import_id_imports_id_fk ON imported_documents IS 'The run that imported it is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT messages_conversation_id_conversations_id_fk ON messages IS 'Its conversation is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT messages_sender_id_users_id_fk ON messages IS 'Its sender is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT notes_author_id_users_id_fk ON notes IS 'Its author is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT quarantine_import_id_imports_id_fk ON quarantine IS 'The run that put it here is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT socket_sessions_user_id_users_id_fk ON socket_sessions IS 'They go with their user';
--> statement-breakpoint
COMMENT ON CONSTRAINT space_likes_space_id_spaces_id_fk ON space_likes IS 'It goes with its moment';
--> statement-breakpoint
COMMENT ON CONSTRAINT space_likes_user_id_users_id_fk ON space_likes IS 'Who likes it is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT spaces_author_id_users_id_fk ON spaces IS 'Its author is there';
--> statement-breakpoint
COMMENT ON CONSTRAINT user_nick_suffixes_user_id_users_id_fk ON user_nick_suffixes IS 'They go with their user';
--> statement-breakpoint
COMMENT ON CONSTRAINT erased_ids_pkey ON erased_ids IS 'One row for an id';
--> statement-breakpoint
COMMENT ON CONSTRAINT imported_documents_pkey ON imported_documents IS 'One row for a document; finds the row of a document';
--> statement-breakpoint
COMMENT ON CONSTRAINT imports_pkey ON imports IS 'Finds a run';
--> statement-breakpoint
COMMENT ON CONSTRAINT quarantine_pkey ON quarantine IS 'One row for a document as it is; finds it again in the next dump';
--> statement-breakpoint
COMMENT ON CONSTRAINT files_pkey ON files IS 'A name stands for one file; finds the file of an address';
--> statement-breakpoint
COMMENT ON CONSTRAINT socket_sessions_pkey ON socket_sessions IS 'Finds who comes back';
--> statement-breakpoint
COMMENT ON CONSTRAINT comments_space_key ON comments IS 'Comments of a moment; what comments_parent_fkey refers to';
--> statement-breakpoint
COMMENT ON CONSTRAINT files_upload_key_unique ON files IS 'A key stands for one file; finds what need not be uploaded again';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_pair_key ON friendships IS 'One row for each direction between two people';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_pair_state_key ON friendships IS 'What friendships_mirror_fkey refers to; finds friends and applications of a user';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_members_user_key ON group_members IS 'One row for a person in a group; finds the groups of a user';
--> statement-breakpoint
COMMENT ON CONSTRAINT groups_number_unique ON groups IS 'A number stands for one group';
--> statement-breakpoint
COMMENT ON CONSTRAINT messages_position_key ON messages IS 'A position is given once; what is new is read from its end';
--> statement-breakpoint
COMMENT ON CONSTRAINT messages_seq_key ON messages IS 'A number is given once in a conversation; a page of the history is a range of it';
--> statement-breakpoint
COMMENT ON CONSTRAINT space_likes_user_key ON space_likes IS 'One like for a person and a moment';
--> statement-breakpoint
COMMENT ON CONSTRAINT users_phone_unique ON users IS 'A phone number has one account; finds who logs in';
--> statement-breakpoint
COMMENT ON CONSTRAINT comments_pkey ON comments IS 'Finds a comment by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT conversations_pkey ON conversations IS 'Finds a conversation by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT friendships_pkey ON friendships IS 'Finds one direction of a friendship by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT group_members_pkey ON group_members IS 'Finds a membership or an application by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT groups_pkey ON groups IS 'Finds a group by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT messages_pkey ON messages IS 'Finds a message by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT notes_pkey ON notes IS 'Finds a note by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT space_likes_pkey ON space_likes IS 'Finds a like by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT spaces_pkey ON spaces IS 'Finds a moment by its id';
--> statement-breakpoint
COMMENT ON CONSTRAINT users_pkey ON users IS 'Finds a user by its id';
--> statement-breakpoint
COMMENT ON INDEX comments_parent_idx IS 'Replies to a comment, which go with it';
--> statement-breakpoint
COMMENT ON INDEX conversations_group_key IS 'A group has one conversation';
--> statement-breakpoint
COMMENT ON INDEX conversations_pair_key IS 'Two people have one conversation';
--> statement-breakpoint
COMMENT ON INDEX files_created_idx IS 'Files of a time, for whoever looks for them; no statement of the server does';
--> statement-breakpoint
COMMENT ON INDEX files_uploader_idx IS 'Files of a user, for storage_by_user and erase_user';
--> statement-breakpoint
COMMENT ON INDEX friendships_conversation_idx IS 'For erase_user, which deletes conversations';
--> statement-breakpoint
COMMENT ON INDEX friendships_friend_idx IS 'For erase_user, which deletes users';
--> statement-breakpoint
COMMENT ON INDEX group_members_group_idx IS 'Members and applicants of a group in the order of joining';
--> statement-breakpoint
COMMENT ON INDEX group_name_suffixes_group_idx IS 'Suffixes of a group, when its name changes';
--> statement-breakpoint
COMMENT ON INDEX group_name_suffixes_suffix_idx IS 'Searching for groups: a prefix is a range';
--> statement-breakpoint
COMMENT ON INDEX groups_name_folded_idx IS 'Searching for groups that are called exactly so';
--> statement-breakpoint
COMMENT ON INDEX groups_owner_idx IS 'Groups of an owner, for what waits for them';
--> statement-breakpoint
COMMENT ON INDEX notes_newest_idx IS 'A page of the wall, newest first';
--> statement-breakpoint
COMMENT ON INDEX quarantine_document_idx IS 'Earlier versions of a document, when one fits after all';
--> statement-breakpoint
COMMENT ON INDEX socket_sessions_seen_idx IS 'Sessions that nobody came back to, for the sweep';
--> statement-breakpoint
COMMENT ON INDEX socket_sessions_user_idx IS 'Sessions of a user, which go with the account';
--> statement-breakpoint
COMMENT ON INDEX spaces_author_idx IS 'Moments of a user, newest first';
--> statement-breakpoint
COMMENT ON INDEX user_nick_suffixes_suffix_idx IS 'Searching for people: a prefix is a range';
--> statement-breakpoint
COMMENT ON INDEX user_nick_suffixes_user_idx IS 'Suffixes of a user, when the nick changes';
--> statement-breakpoint
COMMENT ON INDEX users_nick_folded_idx IS 'Searching for people who are called exactly so';
