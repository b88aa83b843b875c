//! Units of work: tried until they are durable.

use std::collections::BTreeSet;

use potok_core::instance::Key;
use potok_core::routing::{Running, Work};
use potok_store::row::ClaimKind;
use potok_store::{Changes, Guard, Outcome, Unit};
use serde::Serialize;

use crate::attempt::{After, Attempt, Failed, Missing, Stop};
use crate::cache::Loaded;
use crate::engine::Inner;
use crate::envelope::Envelope;
use crate::once::Once;
use crate::{Boxed, Error, InstanceId};

/// How often a unit of work is tried while others are faster.
pub(crate) const TRIES: u32 = 100;

/// What tries of a unit of work that came to nothing have taught.
#[derive(Default)]
struct Known {
    /// The instances that are needed, to be locked in this order.
    order: BTreeSet<Key>,
    /// What fails.
    failed: Option<Failed>,
}

impl Inner {
    /// Looks at an instance, if it is there.
    pub(crate) async fn look<T>(&self, key: Key, look: impl FnOnce(Option<&Running>) -> T) -> Result<T, Error> {
        self.look_around(key, |loaded| look(loaded.map(|loaded| &loaded.running))).await
    }

    /// The same, with what is known of it beside its state.
    pub(crate) async fn look_around<T>(&self, key: Key, look: impl FnOnce(Option<&Loaded>) -> T) -> Result<T, Error> {
        let attempt = self.hold(key).await?;
        Ok(look(attempt.loaded(key)))
    }

    /// An instance as it is, held.
    fn hold(&self, key: Key) -> Boxed<'_, Result<Attempt<'_>, Error>> {
        Box::pin(async move {
            let mut attempt = Attempt::new(self, Envelope::default());
            let mut held = attempt.hold(key).await;
            if held.is_ok() && !attempt.is_fresh(true).await? {
                attempt = Attempt::new(self, Envelope::default());
                held = attempt.hold(key).await;
            }
            match held {
                Ok(()) => Ok(attempt),
                // The only lock is in order.
                Err(Stop::Contended(key)) => Err(Error::Contended(InstanceId(key))),
                Err(Stop::Error(error)) => Err(error),
            }
        })
    }

    /// Writes what belongs to no instance's history.
    pub(crate) async fn write(&self, changes: Changes) -> Result<(), Error> {
        self.write_once(None, None, changes, &()).await
    }

    /// The same if guards hold, under a key if there is one, with what is answered.
    pub(crate) async fn write_once(
        &self,
        guards: impl IntoIterator<Item = Guard>,
        once: Option<&Once>,
        changes: Changes,
        answer: &impl Serialize,
    ) -> Result<(), Error> {
        let guards = guards.into_iter().chain(once.and_then(|once| once.guard(answer))).collect();
        let unit = Unit { id: self.random(), changes, guards, ..Unit::default() };
        match self.committer.send(unit, Vec::new()).await.map_err(|_| Error::OutcomeUnknown)?? {
            Outcome::Committed => {
                once.into_iter().for_each(Once::take);
                Ok(())
            }
            Outcome::Missed { standing: Some(_), .. } => Err(Error::Repeated),
            _ => Err(Error::NothingToDo),
        }
    }

    /// Does a unit of work: `action` gives the first command, and what others are asked for follows. It is tried again from
    /// fresh state if somebody else was faster.
    pub(crate) async fn transact<T: Send + Serialize>(
        &self,
        envelope: Envelope,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
    ) -> Result<T, Error> {
        self.transact_and(envelope, action, |_, value| value).await
    }

    /// The same; `finish` looks at what has become of it all, just before it is made durable.
    pub(crate) async fn transact_and<T: Send, U: Send + Serialize>(
        &self,
        envelope: Envelope,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
        finish: impl Fn(&Attempt<'_>, T) -> U + Send + Sync,
    ) -> Result<U, Error> {
        // Only a guard can keep it from being done.
        let Some((value, after)) = self.done(envelope, None, action, finish).await? else {
            return Err(Error::NothingToDo);
        };
        self.afterwards(after).await;
        Ok(value)
    }

    /// Does what a guard allows once; `action` says whether there is anything to do. If the guard does not hold, somebody else
    /// has done it. What it leads to is left to the caller.
    pub(crate) async fn transact_once(
        &self,
        guard: &Guard,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<bool, Missing> + Send + Sync,
    ) -> Result<After, Error> {
        let or_nothing = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let to_do = action(attempt, work)?;
            Ok(if to_do { Ok(()) } else { Err(Error::NothingToDo) })
        };
        match self.done(Envelope::default(), Some(guard), or_nothing, |_, value| value).await {
            Ok(done) => Ok(done.map(|((), after)| after).unwrap_or_default()),
            Err(Error::NothingToDo) => Ok(After::default()),
            Err(error) => Err(error),
        }
    }

    /// Does a unit of work if a guard holds; nothing if it does not.
    pub(crate) async fn transact_guarded<T: Send + Serialize>(
        &self,
        envelope: Envelope,
        guard: &Guard,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
    ) -> Result<Option<T>, Error> {
        let done = self.done(envelope, Some(guard), action, |_, value| value).await?;
        let Some((value, after)) = done else { return Ok(None) };
        self.afterwards(after).await;
        Ok(Some(value))
    }

    async fn done<T: Send, U: Send + Serialize>(
        &self,
        envelope: Envelope,
        guard: Option<&Guard>,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
        finish: impl Fn(&Attempt<'_>, T) -> U + Send + Sync,
    ) -> Result<Option<(U, After)>, Error> {
        let mut asked = Asked { action, finish, given: None, answer: None };
        let after = self.make_durable(&envelope, guard, &mut asked).await?;
        Ok(asked.answer.zip(after))
    }

    /// Tries a unit of work until it is durable, or cannot be; gives nothing if its guard does not hold.
    fn make_durable<'a>(
        &'a self,
        envelope: &'a Envelope,
        guard: Option<&'a Guard>,
        asked: &'a mut dyn Ask,
    ) -> Boxed<'a, Result<Option<After>, Error>> {
        Box::pin(async move {
            let mut known = Known::default();
            for _ in 0..TRIES {
                let Some(mut attempt) = self.step(envelope, guard, &mut known, asked).await? else { continue };
                let answered = asked.answer(&attempt, envelope.once.as_deref());
                attempt.guards.extend(answered);
                let (pending, after) = attempt.submit();
                let Some(pending) = pending else { return Ok(Some(after)) };
                let missed = match pending.await.map_err(|_| Error::OutcomeUnknown)?? {
                    Outcome::Committed => {
                        self.is_durable(envelope);
                        return Ok(Some(after));
                    }
                    Outcome::Missed { guard: 0, .. } if guard.is_some() => return Ok(None),
                    Outcome::Missed { standing, .. } => standing,
                    _ => continue,
                };
                match missed {
                    Some(standing) if standing.kind == ClaimKind::Idempotency => return Err(Error::Repeated),
                    Some(standing) if standing.kind == ClaimKind::MessageId && guard.is_none() => {
                        return Err(Error::MessageRepeated(standing.value));
                    }
                    Some(standing) if standing.kind == ClaimKind::BusinessKey && guard.is_none() => {
                        let key = standing.value.split('\n').next_back().unwrap_or_default().into();
                        return Err(Error::BusinessKeyTaken { key, instance: InstanceId(standing.owner) });
                    }
                    _ => {}
                }
            }
            Err(Error::Contended(InstanceId(known.order.first().copied().unwrap_or_default())))
        })
    }

    /// A unit of work is durable.
    fn is_durable(&self, envelope: &Envelope) {
        envelope.once.iter().for_each(|once| once.take());
        self.wake.written();
    }

    /// Steps the instances of a unit of work; nothing if somebody else has one of them: then all are locked in order next time. Nothing
    /// either if it is a try that fails.
    async fn step(
        &self,
        envelope: &Envelope,
        guard: Option<&Guard>,
        known: &mut Known,
        asked: &mut dyn Ask,
    ) -> Result<Option<Attempt<'_>>, Error> {
        let mut attempt = Attempt::new(self, envelope.clone()).after(known.failed.take());
        match run(&mut attempt, &known.order, guard, asked).await {
            Ok(()) => {
                if let Some(failed) = attempt.has_failed() {
                    // Nothing of it is kept. Next time round it is taken down that it failed.
                    if attempt.is_fresh(true).await? {
                        known.failed = Some(failed);
                    }
                    drop(attempt);
                    return Ok(None);
                }
                if attempt.is_fresh(false).await? {
                    return Ok(Some(attempt));
                }
                drop(attempt);
                Ok(None)
            }
            Err(Stop::Contended(key)) => {
                known.order.extend(attempt.shared());
                known.order.insert(key);
                drop(attempt);
                Ok(None)
            }
            Err(Stop::Error(error)) => {
                let fresh = attempt.is_fresh(true).await?;
                drop(attempt);
                if fresh { Err(error) } else { Ok(None) }
            }
        }
    }
}

/// What a unit of work is asked for. All that makes it durable knows no more of it, and is there once, not once for everything that can be
/// asked for.
trait Ask: Send {
    /// Gives the first command; or says what must be known first, or why it cannot be done.
    fn act(&mut self, attempt: &mut Attempt<'_>, work: &mut Work) -> Result<Result<(), Error>, Missing>;

    /// Looks at what has become of it, and gives what is written with it under a key.
    fn answer(&mut self, attempt: &Attempt<'_>, once: Option<&Once>) -> Option<Guard>;
}

struct Asked<A, F, T, U> {
    action: A,
    finish: F,
    /// What the action gave.
    given: Option<T>,
    /// What is answered.
    answer: Option<U>,
}

impl<A, F, T, U> Ask for Asked<A, F, T, U>
where
    A: Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send,
    F: Fn(&Attempt<'_>, T) -> U + Send,
    T: Send,
    U: Send + Serialize,
{
    fn act(&mut self, attempt: &mut Attempt<'_>, work: &mut Work) -> Result<Result<(), Error>, Missing> {
        Ok((self.action)(attempt, work)?.map(|given| self.given = Some(given)))
    }

    fn answer(&mut self, attempt: &Attempt<'_>, once: Option<&Once>) -> Option<Guard> {
        let answer = (self.finish)(attempt, self.given.take()?);
        let guard = once.and_then(|once| once.guard(&answer));
        self.answer = Some(answer);
        guard
    }
}

async fn run(
    attempt: &mut Attempt<'_>,
    order: &BTreeSet<Key>,
    guard: Option<&Guard>,
    asked: &mut dyn Ask,
) -> Result<(), Stop> {
    for key in order {
        attempt.hold(*key).await?;
    }
    let mut work = Work::new();
    loop {
        match asked.act(attempt, &mut work) {
            Ok(acted) => break acted?,
            Err(missing) => attempt.find(missing).await?,
        }
    }
    attempt.guards.splice(0..0, guard.cloned());
    while let Err(missing) = work.run(attempt) {
        attempt.find(missing).await?;
    }
    if attempt.envelope.unstuck
        && attempt.has_failed().is_none()
        && let Some(stuck) = attempt.stuck()
    {
        return Err(stuck.into());
    }
    Ok(())
}
