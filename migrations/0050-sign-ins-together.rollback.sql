CREATE OR REPLACE TRIGGER sign_ins_audited_begun AFTER INSERT ON sign_ins
    FOR EACH ROW EXECUTE FUNCTION note_audit('sign_in.succeeded', 'id', 'user_id', 'method');
DROP TRIGGER IF EXISTS sign_ins_audited_told ON sign_ins;
DROP FUNCTION IF EXISTS note_sign_in();
