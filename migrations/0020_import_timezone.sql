ALTER TABLE "imports" ADD COLUMN "timezone" text;--> statement-breakpoint
COMMENT ON COLUMN imports.timezone IS 'TIMEZONE that it ran with: a time without a zone in its documents means that one; null for runs from before this was kept';
