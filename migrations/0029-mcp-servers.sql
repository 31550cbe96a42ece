-- What MCP servers say of themselves, and how their tools are described to language models.
-- depends: 0028-listed-chats

ALTER TABLE mcpservers
    ADD COLUMN server_info json,
    ADD COLUMN left_out json,
    ADD COLUMN protocol_version text;

COMMENT ON COLUMN mcpservers.server_info IS
    'Its name, version, title, icons and instructions, by the protocol''s words.';
COMMENT ON COLUMN mcpservers.left_out IS
    'How many of its tools are left out, and the first of them with the reasons; null: none.';
COMMENT ON COLUMN mcpservers.protocol_version IS
    'The version that was spoken with it the last time; null: that is to be found out.';

ALTER TABLE mcptools ADD COLUMN flattened json;

COMMENT ON COLUMN mcptools.flattened IS
    'The input schema in the form that all providers take; null: it is in that form itself.';
