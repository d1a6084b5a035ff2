-- +goose Up
-- The index tells which extensions a resource has. Rows for those that it had before.
INSERT INTO attribute_values (path, val, rid, elem)
SELECT DISTINCT 'schemas', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:user', rid, 0
FROM attribute_values WHERE path > 'enterprise:' AND path < 'enterprise;';

INSERT INTO attribute_values (path, val, rid, elem)
SELECT DISTINCT 'schemas', CASE r.type WHEN 'User' THEN 'urn:provost:params:scim:schemas:extension:org:2.0:user'
    ELSE 'urn:provost:params:scim:schemas:extension:org:2.0:group' END, v.rid, 0
FROM attribute_values v JOIN resources r ON r.rid = v.rid WHERE v.path > 'org:' AND v.path < 'org;';

-- +goose Down
DELETE FROM attribute_values WHERE path = 'schemas';
