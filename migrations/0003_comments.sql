COMMENT ON DOMAIN object_id IS '24 lower-case hex digits; the first 8 are the seconds since 1970 at which the id was made';
--> statement-breakpoint
COMMENT ON TYPE user_sex IS 'Sex as a user states it';
--> statement-breakpoint
COMMENT ON TYPE friendship_state IS 'requested: user_id asked friend_id; received: user_id was asked by friend_id; accepted: both agreed';
--> statement-breakpoint
COMMENT ON TYPE group_member_state IS 'requested: waits for the owner; member: joined';
--> statement-breakpoint
COMMENT ON TYPE conversation_kind IS 'private: between two users; group: of all members of a group';
--> statement-breakpoint
COMMENT ON TYPE message_kind IS 'What a message body holds, in the order of the msgType numbers 0 to 8 of the interface document';
--> statement-breakpoint
COMMENT ON TYPE file_kind IS 'What a file was uploaded for';
--> statement-breakpoint
COMMENT ON SEQUENCE message_positions IS 'Source of messages.position; taken under an advisory lock held until commit, so positions become visible in order';
--> statement-breakpoint
COMMENT ON FUNCTION store_messages IS 'Stores messages that arrived together, numbers them and returns those that were allowed, in order of position; safe to call again with the same ids and repeated = true';
--> statement-breakpoint
COMMENT ON FUNCTION search_fold IS 'A name as it is compared when searching: lower case by Unicode rules';
--> statement-breakpoint
COMMENT ON FUNCTION keep_user_nick_suffixes IS 'Keeps user_nick_suffixes equal to what users.nick says';
--> statement-breakpoint
COMMENT ON FUNCTION keep_group_name_suffixes IS 'Keeps group_name_suffixes equal to what groups.name says';
--> statement-breakpoint

COMMENT ON TABLE users IS 'People with an account';
--> statement-breakpoint
COMMENT ON COLUMN users.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN users.phone IS 'Mobile number, mainland China form; what one logs in with';
--> statement-breakpoint
COMMENT ON COLUMN users.waif_code IS 'The code that friends search for; WaiFCode_ followed by the phone number';
--> statement-breakpoint
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC form; the password itself is stored nowhere';
--> statement-breakpoint
COMMENT ON COLUMN users.nick IS 'Displayed name, at most 15 characters, not unique';
--> statement-breakpoint
COMMENT ON COLUMN users.avatar_url IS 'Path of the picture on the HTTP server, beginning with a slash';
--> statement-breakpoint
COMMENT ON COLUMN users.sex IS 'Sex as stated by the user';
--> statement-breakpoint
COMMENT ON COLUMN users.birthday IS 'Date of birth, null when not given; age and zodiac sign are computed from it';
--> statement-breakpoint
COMMENT ON COLUMN users.sign IS 'Personal motto, at most 50 characters';
--> statement-breakpoint
COMMENT ON COLUMN users.created_at IS 'When the account was made';
--> statement-breakpoint

COMMENT ON TABLE user_nick_suffixes IS 'Every suffix of every nick, so that a substring search is a prefix search; kept by a trigger on users';
--> statement-breakpoint
COMMENT ON COLUMN user_nick_suffixes.user_id IS 'Whose nick it is';
--> statement-breakpoint
COMMENT ON COLUMN user_nick_suffixes.suffix IS 'The folded nick from its i-th character on';
--> statement-breakpoint

COMMENT ON TABLE friendships IS 'One direction of a friendship or application; the other direction always exists in the matching state (friendships_mirror_fkey)';
--> statement-breakpoint
COMMENT ON COLUMN friendships.id IS 'The _id of this direction''s row on the wire';
--> statement-breakpoint
COMMENT ON COLUMN friendships.user_id IS 'In whose list this row shows';
--> statement-breakpoint
COMMENT ON COLUMN friendships.friend_id IS 'The other person';
--> statement-breakpoint
COMMENT ON COLUMN friendships.state IS 'How user_id stands to friend_id';
--> statement-breakpoint
COMMENT ON COLUMN friendships.mirror_state IS 'The state that the opposite row must have';
--> statement-breakpoint
COMMENT ON COLUMN friendships.conversation_id IS 'Their conversation, once they have been friends';
--> statement-breakpoint
COMMENT ON COLUMN friendships.read_seq IS 'user_id has read all messages of the conversation up to this seq';
--> statement-breakpoint
COMMENT ON COLUMN friendships.sent_total IS 'Messages that user_id has sent since this friendship began; unread = (conversations.last_seq - read_seq) - (sent_total - sent_when_read)';
--> statement-breakpoint
COMMENT ON COLUMN friendships.sent_when_read IS 'What sent_total was when read_seq was set';
--> statement-breakpoint
COMMENT ON COLUMN friendships.created_at IS 'When the application was made';
--> statement-breakpoint

COMMENT ON TABLE groups IS 'Chat groups';
--> statement-breakpoint
COMMENT ON COLUMN groups.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN groups.owner_id IS 'Who made the group, decides applications and may dissolve it';
--> statement-breakpoint
COMMENT ON COLUMN groups.name IS 'Displayed name, at most 15 characters, not unique';
--> statement-breakpoint
COMMENT ON COLUMN groups.number IS 'The number that people search for; unique, of the magnitude of milliseconds since 1970';
--> statement-breakpoint
COMMENT ON COLUMN groups.sign IS 'Description, at most 50 characters';
--> statement-breakpoint
COMMENT ON COLUMN groups.avatar_url IS 'Path of the picture on the HTTP server, beginning with a slash';
--> statement-breakpoint
COMMENT ON COLUMN groups.created_at IS 'When the group was made';
--> statement-breakpoint
COMMENT ON COLUMN groups.dissolved_at IS 'When the owner dissolved it, null while it lives; its messages stay';
--> statement-breakpoint

COMMENT ON TABLE group_name_suffixes IS 'Every suffix of the name of every group that is not dissolved; kept by a trigger on groups';
--> statement-breakpoint
COMMENT ON COLUMN group_name_suffixes.group_id IS 'Whose name it is';
--> statement-breakpoint
COMMENT ON COLUMN group_name_suffixes.suffix IS 'The folded name from its i-th character on';
--> statement-breakpoint

COMMENT ON TABLE group_members IS 'Members of groups, and those who applied';
--> statement-breakpoint
COMMENT ON COLUMN group_members.id IS 'The _id of the row on the wire';
--> statement-breakpoint
COMMENT ON COLUMN group_members.group_id IS 'The group';
--> statement-breakpoint
COMMENT ON COLUMN group_members.user_id IS 'The member or applicant';
--> statement-breakpoint
COMMENT ON COLUMN group_members.state IS 'Whether the owner has agreed yet';
--> statement-breakpoint
COMMENT ON COLUMN group_members.read_seq IS 'user_id has read all messages of the group''s conversation up to this seq';
--> statement-breakpoint
COMMENT ON COLUMN group_members.sent_total IS 'Messages that user_id has sent since joining; unread = (conversations.last_seq - read_seq) - (sent_total - sent_when_read)';
--> statement-breakpoint
COMMENT ON COLUMN group_members.sent_when_read IS 'What sent_total was when read_seq was set';
--> statement-breakpoint
COMMENT ON COLUMN group_members.created_at IS 'When the application was made';
--> statement-breakpoint
COMMENT ON COLUMN group_members.joined_at IS 'When the owner agreed, null for an applicant';
--> statement-breakpoint

COMMENT ON TABLE conversations IS 'A pair of users or a group; numbers its messages. Outlives a friendship, and a group that is dissolved';
--> statement-breakpoint
COMMENT ON COLUMN conversations.id IS 'Internal number, never on the wire';
--> statement-breakpoint
COMMENT ON COLUMN conversations.kind IS 'private: low_user_id and high_user_id are set; group: group_id is set';
--> statement-breakpoint
COMMENT ON COLUMN conversations.low_user_id IS 'The one of the two users whose id sorts first';
--> statement-breakpoint
COMMENT ON COLUMN conversations.high_user_id IS 'The one of the two users whose id sorts last';
--> statement-breakpoint
COMMENT ON COLUMN conversations.group_id IS 'The group whose conversation it is';
--> statement-breakpoint
COMMENT ON COLUMN conversations.last_seq IS 'seq of its newest message, which is also the number of its messages; 0 when it has none';
--> statement-breakpoint
COMMENT ON COLUMN conversations.last_position IS 'position of its newest message; 0 when it has none';
--> statement-breakpoint

COMMENT ON TABLE messages IS 'Everything that was ever said; rows are only added';
--> statement-breakpoint
COMMENT ON COLUMN messages.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN messages.conversation_id IS 'Where it was said';
--> statement-breakpoint
COMMENT ON COLUMN messages.seq IS 'Its number in its conversation: 1, 2, 3 and so on without a hole';
--> statement-breakpoint
COMMENT ON COLUMN messages.position IS 'Its place among all messages of the server, in the order in which they were committed; has holes';
--> statement-breakpoint
COMMENT ON COLUMN messages.sender_id IS 'Who said it';
--> statement-breakpoint
COMMENT ON COLUMN messages.kind IS 'What the body holds';
--> statement-breakpoint
COMMENT ON COLUMN messages.body IS 'Text, Markdown, or JSON text for pictures, videos and files';
--> statement-breakpoint
COMMENT ON COLUMN messages.sent_at IS 'When the server received it';
--> statement-breakpoint

COMMENT ON TABLE spaces IS 'Moments: what people publish in their space';
--> statement-breakpoint
COMMENT ON COLUMN spaces.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN spaces.author_id IS 'Who published it';
--> statement-breakpoint
COMMENT ON COLUMN spaces.body IS 'Its text, empty when it is only pictures';
--> statement-breakpoint
COMMENT ON COLUMN spaces.photos IS 'Paths of its pictures on the HTTP server, in order';
--> statement-breakpoint
COMMENT ON COLUMN spaces.created_at IS 'When it was published';
--> statement-breakpoint

COMMENT ON TABLE comments IS 'Comments on moments, and replies to such comments';
--> statement-breakpoint
COMMENT ON COLUMN comments.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN comments.space_id IS 'The moment that it belongs to';
--> statement-breakpoint
COMMENT ON COLUMN comments.parent_id IS 'For a reply the comment that it answers, of the same moment; null for a comment';
--> statement-breakpoint
COMMENT ON COLUMN comments.author_id IS 'Who wrote it';
--> statement-breakpoint
COMMENT ON COLUMN comments.recipient_id IS 'Whom a reply addresses; for a comment its author';
--> statement-breakpoint
COMMENT ON COLUMN comments.body IS 'Its text';
--> statement-breakpoint
COMMENT ON COLUMN comments.created_at IS 'When it was written';
--> statement-breakpoint

COMMENT ON TABLE space_likes IS 'Who likes which moment';
--> statement-breakpoint
COMMENT ON COLUMN space_likes.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN space_likes.space_id IS 'The moment';
--> statement-breakpoint
COMMENT ON COLUMN space_likes.user_id IS 'Who likes it';
--> statement-breakpoint
COMMENT ON COLUMN space_likes.created_at IS 'Since when';
--> statement-breakpoint

COMMENT ON TABLE notes IS 'Sticky notes on the wall that everybody sees';
--> statement-breakpoint
COMMENT ON COLUMN notes.id IS 'The _id of the wire';
--> statement-breakpoint
COMMENT ON COLUMN notes.author_id IS 'Who stuck it there';
--> statement-breakpoint
COMMENT ON COLUMN notes.body IS 'Its text';
--> statement-breakpoint
COMMENT ON COLUMN notes.color IS 'Its colour as CSS writes it';
--> statement-breakpoint
COMMENT ON COLUMN notes.written_at IS 'The time that it shows, chosen by its author';
--> statement-breakpoint
COMMENT ON COLUMN notes.created_at IS 'When it was stored; notes are listed newest first by this';
--> statement-breakpoint

COMMENT ON TABLE files IS 'What users uploaded; only names in this table are served';
--> statement-breakpoint
COMMENT ON COLUMN files.stored_name IS 'Name in the upload folder and, after a slash, the path on the HTTP server';
--> statement-breakpoint
COMMENT ON COLUMN files.original_name IS 'Name that the uploader gave it';
--> statement-breakpoint
COMMENT ON COLUMN files.kind IS 'What it was uploaded for';
--> statement-breakpoint
COMMENT ON COLUMN files.media_type IS 'Type found by looking at the content; application/octet-stream when unknown';
--> statement-breakpoint
COMMENT ON COLUMN files.size_bytes IS 'Its size in bytes';
--> statement-breakpoint
COMMENT ON COLUMN files.sha256 IS 'SHA-256 of its content in hex';
--> statement-breakpoint
COMMENT ON COLUMN files.upload_key IS 'fileHash under which the client uploaded it in chunks; a key, never proof of the content';
--> statement-breakpoint
COMMENT ON COLUMN files.proven IS 'false when the content could not be shown to match upload_key; such a file is not offered as an instant upload';
--> statement-breakpoint
COMMENT ON COLUMN files.chunk_count IS 'Of how many chunks it was joined; null for a file that came in one piece';
--> statement-breakpoint
COMMENT ON COLUMN files.uploader_id IS 'Who uploaded it, as far as known';
--> statement-breakpoint
COMMENT ON COLUMN files.created_at IS 'When it was stored';
--> statement-breakpoint

COMMENT ON COLUMN friendships.start_seq IS 'last_seq of the conversation when this friendship began: what is older was said in earlier days';
--> statement-breakpoint
COMMENT ON COLUMN group_members.start_seq IS 'last_seq of the conversation when user_id joined: what is older was said before';
--> statement-breakpoint
COMMENT ON TABLE socket_sessions IS 'For whom each socket.io session speaks, so that it still does after a lost connection or a restart; expire by seen_at, deleted at logout';
--> statement-breakpoint
COMMENT ON COLUMN socket_sessions.pid_hash IS 'SHA-256 in hex of the secret session id (pid) that the client presents when it comes back';
--> statement-breakpoint
COMMENT ON COLUMN socket_sessions.user_id IS 'The user it speaks for';
--> statement-breakpoint
COMMENT ON COLUMN socket_sessions.explicit IS 'true after the event login; false where another event named its user';
--> statement-breakpoint
COMMENT ON COLUMN socket_sessions.created_at IS 'When it began to speak for user_id';
--> statement-breakpoint
COMMENT ON COLUMN socket_sessions.seen_at IS 'When it was last known to be connected, to the hour';
