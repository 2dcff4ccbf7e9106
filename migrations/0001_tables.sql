CREATE TYPE "public"."conversation_kind" AS ENUM('private', 'group');--> statement-breakpoint
CREATE TYPE "public"."file_kind" AS ENUM('user_avatar', 'group_avatar', 'space_photo', 'chat_picture', 'chat_file');--> statement-breakpoint
CREATE TYPE "public"."friendship_state" AS ENUM('requested', 'accepted', 'received');--> statement-breakpoint
CREATE TYPE "public"."group_member_state" AS ENUM('requested', 'member');--> statement-breakpoint
CREATE TYPE "public"."message_kind" AS ENUM('text', 'picture', 'video', 'file', 'emoji', 'markdown', 'voice_call', 'video_call', 'screen_share');--> statement-breakpoint
CREATE TYPE "public"."user_sex" AS ENUM('unknown', 'male', 'female');--> statement-breakpoint
CREATE TABLE "comments" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"space_id" "object_id" NOT NULL,
	"parent_id" "object_id",
	"author_id" "object_id" NOT NULL,
	"recipient_id" "object_id" NOT NULL,
	"body" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "comments_space_key" UNIQUE("space_id","id")
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "conversations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" "conversation_kind" NOT NULL,
	"low_user_id" "object_id",
	"high_user_id" "object_id",
	"group_id" "object_id",
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"last_position" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "conversations_kind_check" CHECK (case "conversations"."kind" when 'private' then "conversations"."group_id" is null and "conversations"."low_user_id" < "conversations"."high_user_id" else "conversations"."group_id" is not null and "conversations"."low_user_id" is null and "conversations"."high_user_id" is null end)
);
--> statement-breakpoint
CREATE TABLE "files" (
	"stored_name" text PRIMARY KEY NOT NULL,
	"original_name" text NOT NULL,
	"kind" "file_kind" NOT NULL,
	"media_type" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"upload_key" text,
	"proven" boolean DEFAULT true NOT NULL,
	"chunk_count" integer,
	"uploader_id" "object_id",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "files_uploadKey_unique" UNIQUE("upload_key"),
	CONSTRAINT "files_sha256_check" CHECK ("files"."sha256" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "files_upload_key_check" CHECK ("files"."upload_key" ~ '^[0-9a-f]{32}$'),
	CONSTRAINT "files_size_check" CHECK ("files"."size_bytes" >= 0)
);
--> statement-breakpoint
CREATE TABLE "friendships" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"user_id" "object_id" NOT NULL,
	"friend_id" "object_id" NOT NULL,
	"state" "friendship_state" NOT NULL,
	"mirror_state" "friendship_state" GENERATED ALWAYS AS (case state when 'requested' then 'received'::friendship_state when 'received' then 'requested'::friendship_state else 'accepted'::friendship_state end) STORED NOT NULL,
	"conversation_id" bigint,
	"start_seq" bigint DEFAULT 0 NOT NULL,
	"read_seq" bigint DEFAULT 0 NOT NULL,
	"sent_total" bigint DEFAULT 0 NOT NULL,
	"sent_when_read" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "friendships_pair_key" UNIQUE("user_id","friend_id"),
	CONSTRAINT "friendships_pair_state_key" UNIQUE("user_id","friend_id","state"),
	CONSTRAINT "friendships_not_self_check" CHECK ("friendships"."user_id" <> "friendships"."friend_id"),
	CONSTRAINT "friendships_conversation_check" CHECK ("friendships"."state" <> 'accepted' or "friendships"."conversation_id" is not null),
	CONSTRAINT "friendships_position_check" CHECK ("friendships"."sent_when_read" between 0 and "friendships"."sent_total")
);
--> statement-breakpoint
CREATE TABLE "group_members" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"group_id" "object_id" NOT NULL,
	"user_id" "object_id" NOT NULL,
	"state" "group_member_state" NOT NULL,
	"start_seq" bigint DEFAULT 0 NOT NULL,
	"read_seq" bigint DEFAULT 0 NOT NULL,
	"sent_total" bigint DEFAULT 0 NOT NULL,
	"sent_when_read" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"joined_at" timestamp (3) with time zone,
	CONSTRAINT "group_members_user_key" UNIQUE("user_id","group_id"),
	CONSTRAINT "group_members_joined_check" CHECK (("group_members"."state" = 'member') = ("group_members"."joined_at" is not null)),
	CONSTRAINT "group_members_position_check" CHECK ("group_members"."sent_when_read" between 0 and "group_members"."sent_total")
);
--> statement-breakpoint
CREATE TABLE "group_name_suffixes" (
	"group_id" "object_id" NOT NULL,
	"suffix" text collate "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "groups" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"owner_id" "object_id" NOT NULL,
	"name" text NOT NULL,
	"number" bigint NOT NULL,
	"sign" text NOT NULL,
	"avatar_url" text DEFAULT '/group_pic.png' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"dissolved_at" timestamp (3) with time zone,
	CONSTRAINT "groups_number_unique" UNIQUE("number"),
	CONSTRAINT "groups_name_check" CHECK ("groups"."name" <> '' and char_length("groups"."name") <= 15),
	CONSTRAINT "groups_sign_check" CHECK (char_length("groups"."sign") <= 50)
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"conversation_id" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"position" bigint NOT NULL,
	"sender_id" "object_id" NOT NULL,
	"kind" "message_kind" NOT NULL,
	"body" text NOT NULL,
	"sent_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "messages_seq_key" UNIQUE("conversation_id","seq"),
	CONSTRAINT "messages_position_key" UNIQUE("position"),
	CONSTRAINT "messages_seq_check" CHECK ("messages"."seq" > 0)
);
--> statement-breakpoint
CREATE TABLE "notes" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"author_id" "object_id" NOT NULL,
	"body" text NOT NULL,
	"color" text DEFAULT '#fff5a8' NOT NULL,
	"written_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "socket_sessions" (
	"pid_hash" text PRIMARY KEY NOT NULL,
	"user_id" "object_id" NOT NULL,
	"explicit" boolean NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "socket_sessions_pid_hash_check" CHECK ("socket_sessions"."pid_hash" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
CREATE TABLE "space_likes" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"space_id" "object_id" NOT NULL,
	"user_id" "object_id" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "space_likes_user_key" UNIQUE("space_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "spaces" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"author_id" "object_id" NOT NULL,
	"body" text DEFAULT '' NOT NULL,
	"photos" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "spaces_not_empty_check" CHECK ("spaces"."body" <> '' or cardinality("spaces"."photos") > 0)
);
--> statement-breakpoint
CREATE TABLE "user_nick_suffixes" (
	"user_id" "object_id" NOT NULL,
	"suffix" text collate "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" "object_id" PRIMARY KEY NOT NULL,
	"phone" text NOT NULL,
	"waif_code" text GENERATED ALWAYS AS ('WaiFCode_' || phone) STORED,
	"password_hash" text NOT NULL,
	"nick" text NOT NULL,
	"avatar_url" text DEFAULT '/user_pic1.jpeg' NOT NULL,
	"sex" "user_sex" DEFAULT 'unknown' NOT NULL,
	"birthday" date,
	"sign" text DEFAULT '这个人很高冷, 暂时没有留下什么' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_phone_unique" UNIQUE("phone"),
	CONSTRAINT "users_phone_check" CHECK ("users"."phone" ~ '^1[3-9][0-9]{9}$'),
	CONSTRAINT "users_nick_check" CHECK ("users"."nick" <> '' and char_length("users"."nick") <= 15),
	CONSTRAINT "users_sign_check" CHECK (char_length("users"."sign") <= 50)
);
--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_space_id_spaces_id_fk" FOREIGN KEY ("space_id") REFERENCES "public"."spaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_recipient_id_users_id_fk" FOREIGN KEY ("recipient_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_parent_fkey" FOREIGN KEY ("space_id","parent_id") REFERENCES "public"."comments"("space_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_low_user_id_users_id_fk" FOREIGN KEY ("low_user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_high_user_id_users_id_fk" FOREIGN KEY ("high_user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_uploader_id_users_id_fk" FOREIGN KEY ("uploader_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "friendships" ADD CONSTRAINT "friendships_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "friendships" ADD CONSTRAINT "friendships_friend_id_users_id_fk" FOREIGN KEY ("friend_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "friendships" ADD CONSTRAINT "friendships_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "friendships" ADD CONSTRAINT "friendships_mirror_fkey" FOREIGN KEY ("friend_id","user_id","mirror_state") REFERENCES "public"."friendships"("user_id","friend_id","state") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_name_suffixes" ADD CONSTRAINT "group_name_suffixes_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_sender_id_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notes" ADD CONSTRAINT "notes_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "socket_sessions" ADD CONSTRAINT "socket_sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "space_likes" ADD CONSTRAINT "space_likes_space_id_spaces_id_fk" FOREIGN KEY ("space_id") REFERENCES "public"."spaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "space_likes" ADD CONSTRAINT "space_likes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spaces" ADD CONSTRAINT "spaces_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_nick_suffixes" ADD CONSTRAINT "user_nick_suffixes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "comments_parent_idx" ON "comments" USING btree ("parent_id");--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_pair_key" ON "conversations" USING btree ("low_user_id","high_user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_group_key" ON "conversations" USING btree ("group_id");--> statement-breakpoint
CREATE INDEX "files_uploader_idx" ON "files" USING btree ("uploader_id");--> statement-breakpoint
CREATE INDEX "files_created_idx" ON "files" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "friendships_friend_idx" ON "friendships" USING btree ("friend_id");--> statement-breakpoint
CREATE INDEX "group_members_group_idx" ON "group_members" USING btree ("group_id","state","joined_at","id");--> statement-breakpoint
CREATE INDEX "group_name_suffixes_suffix_idx" ON "group_name_suffixes" USING btree ("suffix","group_id");--> statement-breakpoint
CREATE INDEX "group_name_suffixes_group_idx" ON "group_name_suffixes" USING btree ("group_id");--> statement-breakpoint
CREATE INDEX "groups_owner_idx" ON "groups" USING btree ("owner_id");--> statement-breakpoint
CREATE INDEX "notes_newest_idx" ON "notes" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "socket_sessions_user_idx" ON "socket_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "socket_sessions_seen_idx" ON "socket_sessions" USING btree ("seen_at");--> statement-breakpoint
CREATE INDEX "spaces_author_idx" ON "spaces" USING btree ("author_id","created_at","id");--> statement-breakpoint
CREATE INDEX "user_nick_suffixes_suffix_idx" ON "user_nick_suffixes" USING btree ("suffix","user_id");--> statement-breakpoint
CREATE INDEX "user_nick_suffixes_user_idx" ON "user_nick_suffixes" USING btree ("user_id");