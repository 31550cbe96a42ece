DROP TRIGGER files_deleted ON files;
DROP TRIGGER files_inserted ON files;
DROP TRIGGER files_used ON files;
DROP FUNCTION note_deleted_files();
DROP FUNCTION note_new_files();
DROP FUNCTION note_file_use();
DROP TABLE stray_objects;
DROP TABLE file_totals;
DROP TABLE file_uses;
