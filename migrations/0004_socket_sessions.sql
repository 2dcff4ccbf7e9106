CREATE TABLE "socket_sessions" (
	"pid_hash" text PRIMARY KEY NOT NULL,
	"user_id" "object_id" NOT NULL,
	"explicit" boolean NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "socket_sessions_pid_hash_check" CHECK ("socket_sessions"."pid_hash" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
ALTER TABLE "messages" DROP CONSTRAINT "messages_position_key";--> statement-breakpoint
ALTER TABLE "friendships" ADD COLUMN "start_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "group_members" ADD COLUMN "start_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "socket_sessions" ADD CONSTRAINT "socket_sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "socket_sessions_user_idx" ON "socket_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "socket_sessions_seen_idx" ON "socket_sessions" USING btree ("seen_at");--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_position_key" UNIQUE("position");--> statement-breakpoint
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
