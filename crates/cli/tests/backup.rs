//! `potok backup` and `potok restore`.

mod command;

use command::{bpmn, file, potok};

#[test]
fn a_copy_is_made_and_restored() {
    let folder = format!("backup-{}", std::process::id());
    let path = |name: &str| file(&folder, "any", "").replace("any", name);
    let (database, copy, restored) = (path("work.db"), path("copy.db"), path("restored.db"));
    let answers = bpmn("incoming-call.answers.yaml");
    let run = potok(&["run", &bpmn("incoming-call.bpmn"), "--answers", &answers, "--db", &database], "");
    assert_eq!(run.code, 0, "{}", run.err);
    let made = potok(&["backup", "--db", &database, "--to", &copy], "");
    assert_eq!(made.code, 0, "{}", made.err);
    made.says(&["copied to", "copy.db: nothing is wrong with it"]);
    let again = potok(&["backup", "--db", &database, "--to", &copy], "");
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is there already"), "{}", again.err);
    let back = potok(&["restore", "--from", &copy, "--db", &restored], "");
    assert_eq!(back.code, 0, "{}", back.err);
    let sound = potok(&["doctor", "--db", &restored], "");
    assert_eq!((sound.code, sound.out.as_str()), (0, "nothing is wrong\n"), "{}", sound.err);
    let over = potok(&["restore", "--from", &copy, "--db", &database], "");
    assert_eq!(over.code, 1);
    assert!(over.err.contains("nothing is written over"), "{}", over.err);
}

#[test]
fn what_cannot_be_copied_is_said() {
    let folder = format!("backup-none-{}", std::process::id());
    let path = |name: &str| file(&folder, "any", "").replace("any", name);
    let missing = potok(&["backup", "--db", &path("work.db"), "--to", &path("copy.db")], "");
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("there is no database"), "{}", missing.err);
    let postgres = potok(&["backup", "--db", "postgres://potok:secret@localhost/work", "--to", &path("copy.db")], "");
    assert_eq!(postgres.code, 1);
    assert!(!postgres.err.contains("secret"), "{}", postgres.err);
    assert!(postgres.err.contains("pg_dump"), "{}", postgres.err);
}
