ALTER TABLE mcptools DROP COLUMN flattened;
ALTER TABLE mcpservers
    DROP COLUMN server_info, DROP COLUMN left_out, DROP COLUMN protocol_version;
