-- Unread counts are computed from positions, never stored. This counts the messages themselves, so
-- that both can be compared: SELECT * FROM unread_proof WHERE unread <> recounted gives no row.
CREATE VIEW "unread_proof" AS
SELECT p.user_id, p.friend_id, p.group_id, c.id AS conversation_id,
  (c.last_seq - p.read_seq) - (p.sent_total - p.sent_when_read) AS unread,
  (
    SELECT count(*) FROM messages m
    WHERE m.conversation_id = c.id AND m.seq > p.read_seq AND m.sender_id <> p.user_id
  ) AS recounted
FROM (
  SELECT f.user_id, f.friend_id, NULL::object_id AS group_id, f.conversation_id,
    f.read_seq, f.sent_total, f.sent_when_read
  FROM friendships f
  WHERE f.state = 'accepted'
  UNION ALL
  SELECT gm.user_id, NULL, gm.group_id, gc.id,
    gm.read_seq, gm.sent_total, gm.sent_when_read
  FROM group_members gm
  JOIN conversations gc ON gc.group_id = gm.group_id
  WHERE gm.state = 'member'
) p
JOIN conversations c ON c.id = p.conversation_id;
--> statement-breakpoint
COMMENT ON VIEW unread_proof IS 'Unread messages of each user in each conversation, by arithmetic and counted one by one; the two agree in every row';
--> statement-breakpoint
COMMENT ON COLUMN unread_proof.user_id IS 'Who has not read them';
--> statement-breakpoint
COMMENT ON COLUMN unread_proof.friend_id IS 'The friend whose messages they are; null for a group';
--> statement-breakpoint
COMMENT ON COLUMN unread_proof.group_id IS 'The group whose messages they are; null for a friend';
--> statement-breakpoint
COMMENT ON COLUMN unread_proof.conversation_id IS 'The conversation with that friend, or of that group';
--> statement-breakpoint
COMMENT ON COLUMN unread_proof.unread IS 'What the server answers: computed from the positions of friendships or group_members';
--> statement-breakpoint
COMMENT ON COLUMN unread_proof.recounted IS 'What it must be: messages of others after the one read last, counted in messages';
