-- The ids of the wire: 24 lower-case hex digits, compared byte by byte so that they sort by time.
CREATE DOMAIN "object_id" AS text COLLATE "C" CHECK (VALUE ~ '^[0-9a-f]{24}$');
