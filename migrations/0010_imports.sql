CREATE TYPE "public"."source_collection" AS ENUM('users', 'friends', 'groups', 'dissolved_groups', 'group_users', 'private_chats', 'group_chats', 'spaces', 'space_comments', 'space_likes', 'notes');--> statement-breakpoint
CREATE TABLE "imported_documents" (
	"collection" "source_collection" NOT NULL,
	"id" "object_id" NOT NULL,
	"digest" "bytea" NOT NULL,
	"import_id" integer NOT NULL,
	"read" boolean,
	"mended" text[],
	"remainder" json,
	CONSTRAINT "imported_documents_pkey" PRIMARY KEY("collection","id")
);
--> statement-breakpoint
CREATE TABLE "imports" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "imports_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"source" text NOT NULL,
	"dump_digest" "bytea" NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"counts" jsonb
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"collection" text NOT NULL,
	"digest" "bytea" NOT NULL,
	"document_id" text,
	"reason" text NOT NULL,
	"detail" text DEFAULT '' NOT NULL,
	"document" jsonb,
	"document_text" text NOT NULL,
	"import_id" integer NOT NULL,
	"quarantined_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "quarantine_pkey" PRIMARY KEY("collection","digest")
);
--> statement-breakpoint
ALTER TABLE "imported_documents" ADD CONSTRAINT "imported_documents_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "quarantine" ADD CONSTRAINT "quarantine_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "quarantine_document_idx" ON "quarantine" USING btree ("collection","document_id");--> statement-breakpoint
COMMENT ON TYPE source_collection IS 'Collections of the MongoDB original; dissolved_groups only occurs in exports of this server';
--> statement-breakpoint
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC form; for imported users until their next login also md5: before an argon2id of the MD5 in hex, or bcrypt; ! for nobody can log in. The password itself is stored nowhere';
--> statement-breakpoint
COMMENT ON TABLE imports IS 'Runs of migrate:import that changed something or did not finish; see docs/migration.md';
--> statement-breakpoint
COMMENT ON COLUMN imports.id IS 'Internal number';
--> statement-breakpoint
COMMENT ON COLUMN imports.source IS 'Folder of the dump';
--> statement-breakpoint
COMMENT ON COLUMN imports.dump_digest IS 'Digest of the names, sizes and times of its files: a run that was cut off is taken up again for the same dump';
--> statement-breakpoint
COMMENT ON COLUMN imports.started_at IS 'When it began';
--> statement-breakpoint
COMMENT ON COLUMN imports.finished_at IS 'When it was complete; null while it runs or after it was cut off: run it again then';
--> statement-breakpoint
COMMENT ON COLUMN imports.counts IS 'Its final report: per collection how many documents were new, changed, unchanged, mended by which rule and quarantined for which reason';
--> statement-breakpoint
COMMENT ON TABLE imported_documents IS 'Documents of the original that rows stand for, with what no column holds, so that the import can be repeated, verified and taken back. Not needed any more once nobody will do that';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.collection IS 'Collection that the document came from';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.id IS 'Its id, and that of the row which stands for it';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.digest IS 'First 16 bytes of the SHA-256 of its canonical Extended JSON without the password; equal means that nothing changed';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.import_id IS 'The run that imported this version of it';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.read IS 'private_chats only: whether the original said that the message was read';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.mended IS 'Names of the rules of docs/migration.md by which it was mended; null when it fitted as it was';
--> statement-breakpoint
COMMENT ON COLUMN imported_documents.remainder IS 'What the columns do not give back: order of keys, unknown fields, original forms of mended values; null when they give back everything';
--> statement-breakpoint
COMMENT ON TABLE quarantine IS 'Documents of the original that no row can stand for, kept whole with the reason; passwords in them are hashed';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.collection IS 'Collection that the document came from; also one that this server does not know';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.digest IS 'First 16 bytes of the SHA-256 of its canonical Extended JSON without the password';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.document_id IS 'Its _id as Extended JSON; null when it has none';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.reason IS 'Name of the reason, as listed in docs/migration.md';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.detail IS 'What exactly, such as the id that is unknown';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.document IS 'The document for querying; null where jsonb cannot hold it (NUL characters, broken documents)';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.document_text IS 'The document as canonical Extended JSON, exactly; the line itself when it was no JSON';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.import_id IS 'The run that put it here';
--> statement-breakpoint
COMMENT ON COLUMN quarantine.quarantined_at IS 'When it was put here';
