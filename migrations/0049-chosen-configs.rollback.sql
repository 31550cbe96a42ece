-- transactional: false
DROP FUNCTION IF EXISTS chosen_config(uuid, text, text);
