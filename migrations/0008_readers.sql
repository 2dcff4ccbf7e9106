-- Roles that may read everything but the secrets; `npm run database:reader` makes one.
CREATE VIEW "secret_columns" AS
SELECT s.table_name, s.column_name, s.reason
FROM (VALUES
  ('users', 'password_hash', 'a weak password can be found by guessing against its hash'),
  ('socket_sessions', 'pid_hash', 'it recognises the secret by which a client comes back')
) s (table_name, column_name, reason);
--> statement-breakpoint
CREATE FUNCTION "grant_reading"(reader name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  relation record;
BEGIN
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', reader);
  EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', reader);
  FOR relation IN
    SELECT c.oid::regclass AS name,
      bool_or(s.column_name IS NOT NULL) AS has_secrets,
      string_agg(quote_ident(a.attname), ', ') FILTER (WHERE s.column_name IS NULL) AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN secret_columns s ON s.table_name = c.relname AND s.column_name = a.attname
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    GROUP BY c.oid
    HAVING count(*) FILTER (WHERE s.column_name IS NULL) > 0
  LOOP
    EXECUTE format('GRANT SELECT %s ON %s TO %I',
      CASE WHEN relation.has_secrets THEN format('(%s)', relation.columns) ELSE '' END,
      relation.name, reader);
  END LOOP;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "refresh_readers"() RETURNS void LANGUAGE sql
BEGIN ATOMIC
  SELECT grant_reading(r.rolname)
  FROM pg_class c
  CROSS JOIN LATERAL aclexplode(c.relacl) a
  JOIN pg_roles r ON r.oid = a.grantee
  WHERE c.oid = 'public.health_problems'::regclass
    AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner;
END;
--> statement-breakpoint
CREATE FUNCTION "create_reader"(reader name, password text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  known record;
BEGIN
  SELECT rolsuper INTO known FROM pg_roles WHERE rolname = reader;
  IF known.rolsuper THEN
    RAISE EXCEPTION 'role % may do everything and cannot be made a reader', reader;
  ELSIF known IS NULL THEN
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', reader, password);
  END IF;
  -- A forgotten window must not keep VACUUM from its work, and nothing is written by accident.
  EXECUTE format('ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = on',
    reader, current_database());
  EXECUTE format('ALTER ROLE %I IN DATABASE %I SET idle_in_transaction_session_timeout = %L',
    reader, current_database(), '10min');
  PERFORM grant_reading(reader);
  RETURN known IS NULL;
END
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION create_reader, grant_reading, refresh_readers FROM PUBLIC;
--> statement-breakpoint
COMMENT ON VIEW secret_columns IS 'Columns that readers may not see: a migration that adds a secret adds it here';
--> statement-breakpoint
COMMENT ON COLUMN secret_columns.table_name IS 'The table';
--> statement-breakpoint
COMMENT ON COLUMN secret_columns.column_name IS 'Its column';
--> statement-breakpoint
COMMENT ON COLUMN secret_columns.reason IS 'What somebody could do with it';
--> statement-breakpoint
COMMENT ON FUNCTION create_reader IS 'Makes a role that may read everything but secret_columns, or makes a role that exists one; tells whether it is new. Roles are of the whole cluster, what they may do is of this database';
--> statement-breakpoint
COMMENT ON FUNCTION grant_reading IS 'Lets a role read every table and view except secret_columns, and nothing else in this schema; can be called again';
--> statement-breakpoint
COMMENT ON FUNCTION refresh_readers IS 'Does grant_reading again for every role that it was done for (whoever may read health_problems): called after migrations, for tables that are new';
--> statement-breakpoint
COMMENT ON TRIGGER users_keep_nick_suffixes ON users IS 'Keeps user_nick_suffixes in step with nick';
--> statement-breakpoint
COMMENT ON TRIGGER groups_keep_name_suffixes ON groups IS 'Keeps group_name_suffixes in step with name, and empty for a dissolved group';
