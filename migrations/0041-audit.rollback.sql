-- transactional: false

DROP TRIGGER IF EXISTS a2acards_audited_deleted ON a2acards;
DROP TRIGGER IF EXISTS a2acards_audited_changed ON a2acards;
DROP TRIGGER IF EXISTS mcpservers_audited_deleted ON mcpservers;
DROP TRIGGER IF EXISTS mcpservers_audited_changed ON mcpservers;
DROP TRIGGER IF EXISTS modelconfigs_audited_deleted ON modelconfigs;
DROP TRIGGER IF EXISTS modelconfigs_audited_changed ON modelconfigs;
DROP TRIGGER IF EXISTS modelconfigs_audited_given ON modelconfigs;
DROP TRIGGER IF EXISTS modelproviders_audited_deleted ON modelproviders;
DROP TRIGGER IF EXISTS modelproviders_audited_changed ON modelproviders;
DROP TRIGGER IF EXISTS modelproviders_audited_created ON modelproviders;
DROP TRIGGER IF EXISTS users_audited_password ON users;
DROP TRIGGER IF EXISTS users_audited_unlocked ON users;
DROP TRIGGER IF EXISTS users_audited_locked ON users;
DROP TRIGGER IF EXISTS users_audited_role ON users;
DROP TRIGGER IF EXISTS users_audited_deleted ON users;
DROP TRIGGER IF EXISTS users_audited_created ON users;
DROP TRIGGER IF EXISTS sign_ins_audited_ended ON sign_ins;
DROP TRIGGER IF EXISTS sign_ins_audited_begun ON sign_ins;
DROP FUNCTION IF EXISTS note_audit();
DROP FUNCTION IF EXISTS prune_audit(integer, integer);
DROP TABLE IF EXISTS audit;
DROP FUNCTION IF EXISTS tell_audit();
DROP FUNCTION IF EXISTS keep_audit();
