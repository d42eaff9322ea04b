-- What a call by template says; its id is the TemplateId of the request.
CREATE TABLE call_template (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    content TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (account_id, content)
);
