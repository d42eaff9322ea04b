-- name: console_users
-- Everybody who may use the console.
SELECT name, role, password, created_ms, changed_ms FROM console_user ORDER BY name;

-- name: console_user
-- One of them.
SELECT name, role, password, created_ms, changed_ms FROM console_user WHERE name = $1;

-- name: put_console_user
-- Add or replace; who is there keeps the day he came.
INSERT INTO console_user (name, role, password, created_ms, changed_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, changed_ms = excluded.changed_ms;

-- name: any_console_user
-- Whether there is one.
SELECT 1 FROM console_user LIMIT 1;

-- name: delete_console_user
-- He may not any more.
DELETE FROM console_user WHERE name = $1;

-- name: end_console_sessions
-- Wherever he is logged in.
DELETE FROM console_session WHERE user_name = $1;

-- name: open_console_session
-- Somebody logged in.
INSERT INTO console_session (token, user_name, created_ms, seen_ms) VALUES ($1, $2, $3, $3);

-- name: drop_console_sessions
-- Those that are too old to be anybody's.
DELETE FROM console_session WHERE created_ms < $1;

-- name: console_session
-- Whose it is, if he is still there.
SELECT u.name, u.role, s.created_ms, s.seen_ms FROM console_session AS s JOIN console_user AS u ON u.name = s.user_name
WHERE s.token = $1;

-- name: touch_console_session
-- He did something.
UPDATE console_session SET seen_ms = $2 WHERE token = $1 AND seen_ms < $2;

-- name: close_console_session
-- He logged out.
DELETE FROM console_session WHERE token = $1;
