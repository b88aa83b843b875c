//! What happens to an SQLite file.

use std::process::Command;
use std::time::Duration;

use potok_tests::load::Account;

use crate::kills::Program;
use crate::place::Place;
use crate::within::settle;

/// A program may write no more to any file for a while, as when the disk is full: its callers get errors, and once it may again, it goes
/// on by itself.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_heals() {
    let place = Place::file();
    let engine = place.by_hand().start().await.unwrap();
    Account::prepare(&engine).await;
    engine.stop().await;
    let mut account = Account::default();
    let mut shell = Command::new("sh");
    // To write more than is allowed is to be an error, and not the end.
    shell.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#, env!("CARGO_BIN_EXE_potok-load")]);
    let mut program = Program::run(shell, &place, "full", 1);
    program.wait_until_ready();
    for _ in 0..3 {
        program.listen(10);
        let log = std::fs::metadata(format!("{}-wal", place.url())).unwrap().len();
        allow(&program, &(log + 5_000).to_string());
        program.listen_for(Duration::from_millis(400));
        allow(&program, "unlimited");
    }
    program.listen(30);
    program.kill(&mut account);
    settle(&place, &mut account).await;
    assert!(!account.trouble.is_empty(), "the disk was never full");
    for (what, code) in account.trouble.keys() {
        assert!(["store-unavailable", "store-full"].contains(&&**code), "{what}: {code}");
    }
}

/// Lets a program's files grow that far.
fn allow(program: &Program, bytes: &str) {
    let status = Command::new("prlimit")
        .args(["--pid", &program.id().to_string(), &format!("--fsize={bytes}:unlimited")])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn a_damaged_file_is_an_error() {
    let place = Place::file();
    let engine = place.by_hand().start().await.unwrap();
    Account::prepare(&engine).await;
    for _ in 0..50 {
        engine.start("order").send().await.unwrap();
    }
    engine.stop().await;
    let whole = std::fs::read(place.url()).unwrap();
    let mut refused = 0;
    for page in (4096..whole.len()).step_by(4096 * 3) {
        let mut damaged = whole.clone();
        damaged[page..page + 4096].fill(0xa5);
        std::fs::write(place.url(), damaged).unwrap();
        // Either it cannot be opened, or cannot be examined, or the page is none that anything stands on.
        let examined = async {
            let engine = place.by_hand().start().await?;
            let examined = engine.examine().await;
            engine.stop().await;
            examined
        };
        match examined.await {
            Ok(findings) => refused += u32::from(!findings.is_empty()),
            Err(error) => {
                assert_eq!(error.code(), "store-corrupt", "{error}");
                refused += 1;
            }
        }
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", place.url()));
        }
    }
    assert!(refused > 4, "only {refused} damaged pages were noticed");
}
