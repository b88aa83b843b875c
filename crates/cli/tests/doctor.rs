//! `potok doctor`.

mod command;

use command::{bpmn, file, potok};

#[test]
fn a_sound_database_is_called_so() {
    let database = file("doctor", "empty", "");
    let database = database.replace("empty", &format!("work-{}.db", std::process::id()));
    let missing = potok(&["doctor", "--db", &database], "");
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("there is no database"), "{}", missing.err);
    assert!(!std::path::Path::new(&database).exists(), "looking makes none");
    let answers = bpmn("incoming-call.answers.yaml");
    let run = potok(&["run", &bpmn("incoming-call.bpmn"), "--answers", &answers, "--db", &database], "");
    assert_eq!(run.code, 0, "{}", run.err);
    let sound = potok(&["doctor", "--db", &database], "");
    assert_eq!((sound.code, sound.out.as_str()), (0, "nothing is wrong\n"), "{}", sound.err);
    let other = file("doctor", "other.db", "this is a text, and no database: not even one of another program's");
    let other = potok(&["doctor", "--db", &other], "");
    assert_eq!(other.code, 1);
    assert!(other.err.contains("error:"), "{}", other.err);
}
