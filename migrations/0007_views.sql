-- What a DBA asks for; docs/database.md has an example of each.
CREATE VIEW "conversation_overview" AS
SELECT c.id AS conversation_id, c.kind,
  CASE c.kind WHEN 'private' THEN low.nick || ' / ' || high.nick ELSE g.name END AS name,
  c.low_user_id, low.nick AS low_nick, c.high_user_id, high.nick AS high_nick,
  c.group_id, g.number AS group_number,
  CASE c.kind
    WHEN 'private' THEN EXISTS (
      SELECT FROM friendships f
      WHERE f.user_id = c.low_user_id AND f.friend_id = c.high_user_id AND f.state = 'accepted'
    )
    ELSE g.dissolved_at IS NULL
  END AS is_open,
  c.last_seq AS messages, m.sent_at AS last_message_at
FROM conversations c
LEFT JOIN users low ON low.id = c.low_user_id
LEFT JOIN users high ON high.id = c.high_user_id
LEFT JOIN groups g ON g.id = c.group_id
LEFT JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq;
--> statement-breakpoint
CREATE VIEW "message_list" AS
SELECT f.user_id, c.id AS conversation_id, c.kind, f.friend_id, NULL::object_id AS group_id,
  u.nick AS name, c.last_seq - f.read_seq - (f.sent_total - f.sent_when_read) AS unread,
  m.id AS last_message_id, m.sender_id AS last_sender_id, m.kind AS last_kind,
  m.body AS last_body, m.sent_at AS last_sent_at, m.position AS last_position
FROM friendships f
JOIN conversations c ON c.id = f.conversation_id
JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq
JOIN users u ON u.id = f.friend_id
WHERE f.state = 'accepted'
UNION ALL
SELECT gm.user_id, c.id, c.kind, NULL, g.id,
  g.name, c.last_seq - gm.read_seq - (gm.sent_total - gm.sent_when_read),
  m.id, m.sender_id, m.kind, m.body, m.sent_at, m.position
FROM group_members gm
JOIN groups g ON g.id = gm.group_id AND g.dissolved_at IS NULL
JOIN conversations c ON c.group_id = g.id
JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq
WHERE gm.state = 'member';
--> statement-breakpoint
CREATE VIEW "unread_by_user" AS
SELECT u.id AS user_id, u.nick, coalesce(sum(p.unread), 0)::bigint AS unread,
  coalesce(sum(p.recounted), 0)::bigint AS recounted,
  count(*) FILTER (WHERE p.unread > 0) AS unread_conversations
FROM users u LEFT JOIN unread_proof p ON p.user_id = u.id
GROUP BY u.id, u.nick;
--> statement-breakpoint
CREATE VIEW "group_membership" AS
SELECT g.id AS group_id, g.number AS group_number, g.name AS group_name,
  gm.user_id, u.nick,
  CASE WHEN gm.state = 'requested' THEN 'applicant' WHEN g.owner_id = gm.user_id THEN 'owner'
    ELSE 'member' END AS role,
  gm.created_at AS applied_at, gm.joined_at, gm.sent_total AS messages_sent,
  CASE gm.state WHEN 'member'
    THEN c.last_seq - gm.read_seq - (gm.sent_total - gm.sent_when_read) END AS unread
FROM group_members gm
JOIN groups g ON g.id = gm.group_id
JOIN users u ON u.id = gm.user_id
LEFT JOIN conversations c ON c.group_id = g.id;
--> statement-breakpoint
CREATE VIEW "friendship_pairs" AS
SELECT p.low_user_id, low_user.nick AS low_nick, p.high_user_id, high_user.nick AS high_nick,
  low.state AS low_state, high.state AS high_state,
  coalesce(low.conversation_id, high.conversation_id) AS conversation_id,
  least(low.created_at, high.created_at) AS applied_at,
  CASE
    WHEN low.id IS NULL THEN 'the row of high is alone'
    WHEN high.id IS NULL THEN 'the row of low is alone'
    WHEN low.mirror_state <> high.state THEN 'the states do not match'
    WHEN low.conversation_id IS DISTINCT FROM high.conversation_id
      THEN 'the conversations differ'
  END AS asymmetry
FROM (
  SELECT DISTINCT least(user_id, friend_id)::object_id AS low_user_id,
    greatest(user_id, friend_id)::object_id AS high_user_id
  FROM friendships
) p
LEFT JOIN friendships low ON low.user_id = p.low_user_id AND low.friend_id = p.high_user_id
LEFT JOIN friendships high ON high.user_id = p.high_user_id AND high.friend_id = p.low_user_id
LEFT JOIN users low_user ON low_user.id = p.low_user_id
LEFT JOIN users high_user ON high_user.id = p.high_user_id;
--> statement-breakpoint
CREATE VIEW "storage_by_user" AS
SELECT u.id AS user_id, coalesce(u.nick, '(unknown)') AS nick,
  coalesce(f.files, 0) AS files, coalesce(f.bytes, 0)::bigint AS file_bytes,
  coalesce(m.messages, 0) AS messages, coalesce(m.bytes, 0)::bigint AS message_bytes,
  coalesce(f.bytes, 0)::bigint + coalesce(m.bytes, 0)::bigint AS total_bytes
FROM users u
FULL JOIN (
  SELECT uploader_id, count(*) AS files, sum(size_bytes) AS bytes FROM files GROUP BY uploader_id
) f ON f.uploader_id = u.id
LEFT JOIN (
  SELECT sender_id, count(*) AS messages, sum(pg_column_size(body)) AS bytes
  FROM messages GROUP BY sender_id
) m ON m.sender_id = u.id;
--> statement-breakpoint
CREATE VIEW "daily_activity" AS
SELECT happened.at::date AS day,
  count(*) FILTER (WHERE happened.what IN ('private', 'group')) AS messages,
  count(*) FILTER (WHERE happened.what = 'private') AS private_messages,
  count(*) FILTER (WHERE happened.what = 'group') AS group_messages,
  count(DISTINCT happened.who) FILTER (WHERE happened.what IN ('private', 'group')) AS senders,
  count(*) FILTER (WHERE happened.what = 'user') AS new_users,
  count(*) FILTER (WHERE happened.what = 'space') AS spaces,
  count(*) FILTER (WHERE happened.what = 'comment') AS comments,
  count(*) FILTER (WHERE happened.what = 'note') AS notes,
  count(*) FILTER (WHERE happened.what = 'file') AS files,
  coalesce(sum(happened.bytes), 0)::bigint AS file_bytes
FROM (
  SELECT m.sent_at AS at, c.kind::text AS what, m.sender_id AS who, NULL::bigint AS bytes
  FROM messages m JOIN conversations c ON c.id = m.conversation_id
  UNION ALL SELECT created_at, 'user', id, NULL FROM users
  UNION ALL SELECT created_at, 'space', author_id, NULL FROM spaces
  UNION ALL SELECT created_at, 'comment', author_id, NULL FROM comments
  UNION ALL SELECT created_at, 'note', author_id, NULL FROM notes
  UNION ALL SELECT created_at, 'file', uploader_id, size_bytes FROM files
) happened
GROUP BY happened.at::date;
--> statement-breakpoint
COMMENT ON VIEW conversation_overview IS 'Every conversation with the names of its people or its group';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.conversation_id IS 'As in conversations.id and messages.conversation_id';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.kind IS 'private: between low and high; group: of the group';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.name IS 'The nicks of both people, or the name of the group';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.low_user_id IS 'The one of the two people whose id sorts first; null for a group';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.low_nick IS 'That person''s nick';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.high_user_id IS 'The one of the two people whose id sorts last; null for a group';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.high_nick IS 'That person''s nick';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.group_id IS 'The group; null for a private conversation';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.group_number IS 'The number that people search the group by';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.is_open IS 'Whether anything can be said in it: the two are friends, or the group is not dissolved';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.messages IS 'How many messages it has';
--> statement-breakpoint
COMMENT ON COLUMN conversation_overview.last_message_at IS 'When the newest was sent; null when there is none';
--> statement-breakpoint
COMMENT ON VIEW message_list IS 'What each user sees in the message list; WHERE user_id = ... ORDER BY last_sent_at DESC, last_position DESC gives it as the server does';
--> statement-breakpoint
COMMENT ON COLUMN message_list.user_id IS 'Whose list it is';
--> statement-breakpoint
COMMENT ON COLUMN message_list.conversation_id IS 'The conversation';
--> statement-breakpoint
COMMENT ON COLUMN message_list.kind IS 'private: with the friend; group: of the group';
--> statement-breakpoint
COMMENT ON COLUMN message_list.friend_id IS 'The friend; null for a group';
--> statement-breakpoint
COMMENT ON COLUMN message_list.group_id IS 'The group; null for a friend';
--> statement-breakpoint
COMMENT ON COLUMN message_list.name IS 'Nick of the friend, or name of the group';
--> statement-breakpoint
COMMENT ON COLUMN message_list.unread IS 'Messages of others that user_id has not read';
--> statement-breakpoint
COMMENT ON COLUMN message_list.last_message_id IS 'The newest message';
--> statement-breakpoint
COMMENT ON COLUMN message_list.last_sender_id IS 'Who sent it';
--> statement-breakpoint
COMMENT ON COLUMN message_list.last_kind IS 'What its body holds';
--> statement-breakpoint
COMMENT ON COLUMN message_list.last_body IS 'Its body';
--> statement-breakpoint
COMMENT ON COLUMN message_list.last_sent_at IS 'When it was sent';
--> statement-breakpoint
COMMENT ON COLUMN message_list.last_position IS 'Its place among all messages, which decides between equal times';
--> statement-breakpoint
COMMENT ON VIEW unread_by_user IS 'Unread messages of each user, computed as the server does and counted one by one in messages; unread_proof has the same for each conversation';
--> statement-breakpoint
COMMENT ON COLUMN unread_by_user.user_id IS 'The user';
--> statement-breakpoint
COMMENT ON COLUMN unread_by_user.nick IS 'That user''s nick';
--> statement-breakpoint
COMMENT ON COLUMN unread_by_user.unread IS 'What the client shows in all: computed from positions';
--> statement-breakpoint
COMMENT ON COLUMN unread_by_user.recounted IS 'The proof: messages of others after the ones read, counted; equals unread';
--> statement-breakpoint
COMMENT ON COLUMN unread_by_user.unread_conversations IS 'In how many conversations they are';
--> statement-breakpoint
COMMENT ON VIEW group_membership IS 'Who belongs to which group, and who applied; a dissolved group has nobody';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.group_id IS 'The group';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.group_number IS 'The number that people search it by';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.group_name IS 'Its name';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.user_id IS 'The member or applicant';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.nick IS 'That person''s nick';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.role IS 'owner, member or applicant';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.applied_at IS 'When the application was made; for the owner when the group was';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.joined_at IS 'When the owner agreed; null for an applicant';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.messages_sent IS 'Messages that this person has sent to the group since joining';
--> statement-breakpoint
COMMENT ON COLUMN group_membership.unread IS 'Messages of others that this person has not read; null for an applicant';
--> statement-breakpoint
COMMENT ON VIEW friendship_pairs IS 'Friendships and applications, a row for each two people, with what does not match between their two rows';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.low_user_id IS 'The one of the two whose id sorts first';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.low_nick IS 'That person''s nick';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.high_user_id IS 'The one of the two whose id sorts last';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.high_nick IS 'That person''s nick';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.low_state IS 'How low stands to high; null when that row is missing';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.high_state IS 'How high stands to low; null when that row is missing';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.conversation_id IS 'Their conversation; null while they have not been friends';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.applied_at IS 'When the application was made';
--> statement-breakpoint
COMMENT ON COLUMN friendship_pairs.asymmetry IS 'What is wrong between the two rows, in words; null when nothing is';
--> statement-breakpoint
COMMENT ON VIEW storage_by_user IS 'What each user takes up: files in the upload folder, and message bodies as they are stored';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.user_id IS 'The user; null for files of whom nobody knows who uploaded them';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.nick IS 'That user''s nick, or (unknown)';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.files IS 'Files that the user uploaded';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.file_bytes IS 'Their size in bytes';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.messages IS 'Messages that the user sent';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.message_bytes IS 'Bytes that their bodies take in the table, compressed where PostgreSQL does so';
--> statement-breakpoint
COMMENT ON COLUMN storage_by_user.total_bytes IS 'file_bytes and message_bytes together';
--> statement-breakpoint
COMMENT ON VIEW daily_activity IS 'What happened on each day; a day is one of the session''s TimeZone, so SET TimeZone first';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.day IS 'The day, where something happened';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.messages IS 'Messages sent';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.private_messages IS 'Those between two people';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.group_messages IS 'Those to groups';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.senders IS 'People who sent a message';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.new_users IS 'Accounts made';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.spaces IS 'Moments published';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.comments IS 'Comments and replies written';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.notes IS 'Notes stuck to the wall';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.files IS 'Files uploaded';
--> statement-breakpoint
COMMENT ON COLUMN daily_activity.file_bytes IS 'Their size in bytes';
