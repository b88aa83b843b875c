//! Measuring side by side: every contestant runs for a moment in each round, so that all see the same machine.

use std::time::Duration;

/// Shortest measurement.
const MOMENT: Duration = Duration::from_millis(20);

/// The processor time that this thread has used: what others do on the machine counts less than with a clock.
#[must_use]
pub fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Repeats some work until it has taken long enough to be measured; gives repetitions per second.
pub fn per_second(mut work: impl FnMut()) -> f64 {
    let mut repetitions = 1u32;
    loop {
        let start = thread_time();
        for _ in 0..repetitions {
            work();
        }
        let taken = thread_time() - start;
        if taken >= MOMENT {
            return f64::from(repetitions) / taken.as_secs_f64();
        }
        repetitions = repetitions.saturating_mul(if taken < MOMENT / 16 { 8 } else { 2 });
    }
}

/// What is measured, under a name.
pub struct Contestant<'a> {
    name: String,
    measure: Box<dyn FnMut() -> Option<f64> + 'a>,
    samples: Vec<f64>,
}

/// All contestants of one run.
#[derive(Default)]
pub struct Race<'a> {
    contestants: Vec<Contestant<'a>>,
}

impl<'a> Race<'a> {
    /// Enters somebody whose measurement gives repetitions per second, or nothing if it cannot be made.
    pub fn enter(&mut self, name: &str, measure: impl FnMut() -> Option<f64> + 'a) {
        self.contestants.push(Contestant { name: name.into(), measure: Box::new(measure), samples: Vec::new() });
    }

    /// Lets everybody run so many times, in turn.
    pub fn run(&mut self, rounds: u32) {
        for _ in 0..rounds {
            for contestant in &mut self.contestants {
                contestant.samples.extend((contestant.measure)());
            }
        }
    }

    /// The best of somebody's measurements: whatever disturbs makes slower only.
    #[must_use]
    pub fn best(&self, name: &str) -> Option<f64> {
        let contestant = self.contestants.iter().find(|contestant| contestant.name == name)?;
        contestant.samples.iter().copied().reduce(f64::max)
    }
}
