ALTER TABLE "users" DROP CONSTRAINT "users_phone_check";--> statement-breakpoint
CREATE INDEX "friendships_conversation_idx" ON "friendships" USING btree ("conversation_id");--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_phone_check" CHECK ("users"."phone" ~ '^1[3-9][0-9]{9}$' or "users"."id" = '000000000000000000000000');--> statement-breakpoint

CREATE FUNCTION "file_named_in"(body text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN substring(body FROM '"url"\s*:\s*"[^"]*/([^"/]+)"');
--> statement-breakpoint
COMMENT ON FUNCTION file_named_in IS 'Stored name of the file that a picture, video or file message shows; null when its body has none';
--> statement-breakpoint
COMMENT ON TABLE messages IS 'Everything that was ever said; rows are only added, except by erase_user';
--> statement-breakpoint
COMMENT ON COLUMN users.phone IS 'Mobile number, mainland China form; what one logs in with. The word erased for the row that stands for everybody whom erase_user deleted';
