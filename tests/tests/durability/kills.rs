//! `kill -9` at random moments: nothing acknowledged is lost, nothing is done twice, the database is sound.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use fastrand::Rng;
use potok_tests::load::{self, Account, Said};

use crate::place::Place;

/// Programs that are killed on one database, before the next begins: so that what there is to check stays small.
const ON_ONE: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_survives_kills() {
    let (kills, seed) = numbers();
    for (number, kills) in databases(kills) {
        survive(Place::file(), kills, seed + u64::from(number)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_survives_kills() {
    let (kills, seed) = numbers();
    for (number, kills) in databases(kills) {
        let Some(place) = Place::postgres("postgres_survives_kills").await else { return };
        survive(place, kills, seed + u64::from(number)).await;
    }
}

/// How many to kill, and the first seed.
fn numbers() -> (u32, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    (number("POTOK_KILLS").unwrap_or(20), number("POTOK_SEED").unwrap_or(1).into())
}

fn databases(kills: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..kills.div_ceil(ON_ONE)).map(move |number| (number, ON_ONE.min(kills - number * ON_ONE)))
}

async fn survive(place: Place, kills: u32, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let mut account = Account::default();
    let engine = place.by_hand().start().await.unwrap();
    Account::prepare(&engine).await;
    engine.stop().await;
    for round in 0..kills {
        let mut program = Program::start(&place, &format!("{seed}-{round}"), random.u64(..));
        // Some die before they have come up, most in the midst of their work: however fast the machine is.
        if random.u32(0..5) > 0 {
            program.wait_until_ready();
            program.listen(random.usize(0..30));
        }
        tokio::time::sleep(Duration::from_micros(random.u64(0..40_000))).await;
        program.kill(&mut account);
        place.come_to_rest().await;
        let engine = place.by_hand().start().await.unwrap();
        account.check(&engine).await;
        engine.stop().await;
    }
    let lease = Duration::from_millis(300);
    let engine = load::with_handlers(place.by_hand().job_lease(lease)).start().await.unwrap();
    account.settle(&engine).await;
    engine.stop().await;
    assert!(account.trouble.is_empty(), "with POTOK_SEED={seed}: {:?}", account.trouble);
    assert!(account.acknowledged > 2 * kills, "with POTOK_SEED={seed} hardly anything was acknowledged");
    eprintln!("{} calls acknowledged, {kills} programs killed (POTOK_SEED={seed})", account.acknowledged);
}

/// A program that embeds the engine, in a process of its own.
pub(crate) struct Program {
    process: Child,
    said: Receiver<Said>,
    heard: Vec<Said>,
}

impl Program {
    pub(crate) fn start(place: &Place, name: &str, seed: u64) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_potok-load")), place, name, seed)
    }

    /// The same by way of another command, which the program's arguments are given to.
    pub(crate) fn run(mut command: Command, place: &Place, name: &str, seed: u64) -> Self {
        command.args([place.url(), name.into(), seed.to_string()]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (say, said) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                say.send(serde_json::from_str(&line).unwrap()).unwrap();
            }
        });
        Self { process, said, heard: Vec::new() }
    }

    pub(crate) fn wait_until_ready(&mut self) {
        let said = self.said.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(said, Said::Ready);
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Listens until so much was acknowledged; fails if it takes longer than a minute.
    pub(crate) fn listen(&mut self, acknowledged: usize) {
        let mut count = 0;
        while count < acknowledged {
            let said = self.said.recv_timeout(Duration::from_secs(60)).expect("it goes on");
            count += usize::from(matches!(said, Said::Started { .. } | Said::Completed { .. } | Said::Claimed { .. }));
            self.heard.push(said);
        }
    }

    /// Listens for so long.
    pub(crate) fn listen_for(&mut self, time: Duration) {
        let until = std::time::Instant::now() + time;
        while let Ok(said) = self.said.recv_timeout(until.saturating_duration_since(std::time::Instant::now())) {
            self.heard.push(said);
        }
    }

    /// Kills it with no time for anything, and takes down what it had said.
    pub(crate) fn kill(mut self, account: &mut Account) {
        self.process.kill().unwrap();
        let status = self.process.wait().unwrap();
        assert_eq!(status.code(), None, "it had ended by itself");
        // Until the pipe is empty.
        self.heard.extend(self.said.iter());
        self.heard.drain(..).for_each(|said| account.take_down(said));
    }
}
