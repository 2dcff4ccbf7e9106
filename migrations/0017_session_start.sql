ALTER TABLE "socket_sessions" ADD COLUMN "start_position" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
COMMENT ON COLUMN socket_sessions.start_position IS 'messages.position of the newest message when it began to speak for user_id: what came before is not sent to it when it comes back';
--> statement-breakpoint
COMMENT ON INDEX socket_sessions_user_idx IS 'Sessions of a user: of many the oldest end, and all go with the account';
