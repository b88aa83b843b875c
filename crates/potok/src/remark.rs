//! What people leave beside instances and tasks: comments, and files.

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::row::{Attachment, Comment, Instance as InstanceRow};
use potok_store::{Bytes, Changes, Guard, Seen, StoreError, Upload};
use serde::Serialize;

use crate::access::Access;
use crate::engine::Engine;
use crate::once::Once;
use crate::transact::TRIES;
use crate::{Action, Error, InstanceId, Right, Role, TaskId};

/// Bytes of a comment.
const COMMENT: usize = 64 * 1024;

fn check_length(what: &'static str, text: &str) -> Result<(), Error> {
    let (size, limit) = (text.len() as u64, COMMENT as u64);
    if size > limit { Err(StoreError::TooLarge { what, size, limit }.into()) } else { Ok(()) }
}

/// What a comment or attachment is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An instance; what is searched for there includes what is on its tasks.
    Instance(InstanceId),
    /// A task.
    Task(TaskId),
}

impl From<InstanceId> for Subject {
    fn from(id: InstanceId) -> Self {
        Self::Instance(id)
    }
}

impl From<TaskId> for Subject {
    fn from(id: TaskId) -> Self {
        Self::Task(id)
    }
}

impl Engine {
    /// Writes a comment on an instance or task, running or ended.
    ///
    /// # Errors
    /// If there is no such instance or task, the text is longer than 64 KiB, or the database cannot be written.
    pub async fn comment(&self, on: impl Into<Subject>, text: impl Into<Name>) -> Result<Comment, Error> {
        let (instance, task) = self.subject(Action::Remark, on.into()).await?;
        let text = text.into();
        check_length("the comment", &text)?;
        let now = self.inner.clock.now();
        let key = self.inner.next_key(now);
        let comment = Comment { instance, key, task, author: self.user.clone(), written: now, text };
        let mut changes = Changes::default();
        changes.put(comment.clone());
        self.remark(instance, self.once.as_deref(), changes, &comment).await?;
        Ok(comment)
    }

    /// Writes what belongs to an instance, as long as that is there: it may be removed for good in that very moment.
    async fn remark(
        &self,
        instance: Key,
        once: Option<&Once>,
        changes: Changes,
        answer: &impl Serialize,
    ) -> Result<(), Error> {
        let unknown = || Error::UnknownInstance(InstanceId(instance));
        let is_there = self.is_in_log(instance).await?.ok_or_else(unknown)?;
        match self.inner.write_once(Some(is_there), once, changes, answer).await {
            Err(Error::NothingToDo) => Err(unknown()),
            written => written,
        }
    }

    /// That an instance has not been removed for good.
    async fn is_in_log(&self, instance: Key) -> Result<Option<Guard>, Error> {
        let first = self.inner.store.history(instance, 0, 1).await?.pop();
        Ok(first.map(|first| Guard::Row { instance, seq: first.seq, unit: first.unit }))
    }

    /// The comments on an instance or task, the oldest first.
    ///
    /// # Errors
    /// If there is no such instance or task.
    pub async fn comments(&self, on: impl Into<Subject>) -> Result<Vec<Comment>, Error> {
        let (instance, task) = self.subject(Action::SeeInstances, on.into()).await?;
        let mut comments: Vec<Comment> = self.inner.store.of_instance(instance).await?;
        comments.retain(|comment| task.is_none() || comment.task == task);
        comments.sort_by_key(|comment| comment.key);
        Ok(comments)
    }

    /// Puts other words into a comment, as the caller has seen it; gives it, if it is still there.
    ///
    /// # Errors
    /// If (for an engine that acts as a user) another has written it, the text is longer than 64 KiB, or the database cannot be written;
    /// and [`Error::CommentChanged`] if it has been changed since the caller has seen it.
    pub async fn change_comment(&self, comment: &Comment, text: impl Into<Name>) -> Result<Option<Comment>, Error> {
        let access = self.reach(Action::Remark, InstanceId(comment.instance)).await?;
        let text = text.into();
        check_length("the comment", &text)?;
        let row = self.inner.store.get::<Comment>((comment.instance, comment.key)).await?;
        let Some(row) = row else { return Ok(None) };
        self.check_is_author(&access, row.author.as_ref(), "change comment").await?;
        if row != *comment {
            return Err(Error::CommentChanged(row.key));
        }
        let changed = Comment { text, written: self.inner.clock.now(), ..row.clone() };
        let mut changes = Changes::default();
        changes.put(changed.clone());
        let id = (row.instance, row.key);
        let Some(is_there) = self.is_in_log(id.0).await? else { return Ok(None) };
        let guards = [is_there, Guard::Seen(Seen::new(id, Some(row)))];
        match self.inner.write_once(guards, self.once.as_deref(), changes, &changed).await {
            Ok(()) => Ok(Some(changed)),
            // Somebody was faster, to change it or to remove it.
            Err(Error::NothingToDo) => match self.inner.store.get::<Comment>(id).await? {
                Some(_) => Err(Error::CommentChanged(id.1)),
                None => Ok(None),
            },
            Err(error) => Err(error),
        }
    }

    /// Removes a comment, if it is still there.
    ///
    /// # Errors
    /// If (for an engine that acts as a user) another has written it.
    pub async fn remove_comment(&self, comment: &Comment) -> Result<(), Error> {
        self.remove_comment_if(comment, |_| true).await
    }

    /// The same, if it is what the caller takes it for.
    ///
    /// # Errors
    /// As [`remove_comment`](Self::remove_comment); and [`Error::CommentChanged`] if it is not.
    pub async fn remove_comment_if(
        &self,
        comment: &Comment,
        is_expected: impl Fn(&Comment) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        let access = self.reach(Action::Remark, InstanceId(comment.instance)).await?;
        let id = (comment.instance, comment.key);
        for _ in 0..TRIES {
            // Who wrote it the database says, not the caller.
            let row = self.inner.store.get::<Comment>(id).await?;
            if let Some(row) = &row {
                self.check_is_author(&access, row.author.as_ref(), "remove comment").await?;
                if !is_expected(row) {
                    return Err(Error::CommentChanged(row.key));
                }
            }
            let mut changes = Changes::default();
            changes.remove::<Comment>(id);
            let guard = Guard::Seen(Seen::new(id, row));
            match self.inner.write_once(Some(guard), self.once.as_deref(), changes, &()).await {
                // Somebody else was faster: it is looked at anew.
                Err(Error::NothingToDo) => {}
                written => return written,
            }
        }
        Err(Error::NothingToDo)
    }

    /// Begins to attach a file to an instance or task, running or ended. The file comes bit by bit and is never in memory whole.
    ///
    /// # Errors
    /// If there is no such instance or task.
    pub async fn attach(&self, to: impl Into<Subject>, name: impl Into<Name>) -> Result<Attaching, Error> {
        let attachment = self.new_attachment(to.into(), name.into()).await?;
        let upload = self.inner.store.upload(self.inner.random(), self.inner.limits.attachment);
        Ok(Attaching { attachment, upload })
    }

    /// An attachment that begins now.
    async fn new_attachment(&self, to: Subject, name: Name) -> Result<Attachment, Error> {
        let (instance, task) = self.subject(Action::Remark, to).await?;
        let attached = self.inner.clock.now();
        let key = self.inner.next_key(attached);
        Ok(Attachment { instance, key, task, author: self.user.clone(), attached, name, ..Attachment::default() })
    }

    /// Attaches to an instance or task what is kept elsewhere, by its address.
    ///
    /// # Errors
    /// If there is no such instance or task, the address or a text is longer than 64 KiB, or the database cannot be written.
    pub async fn attach_link(
        &self,
        to: impl Into<Subject>,
        name: impl Into<Name>,
        url: impl Into<Name>,
        description: Option<Name>,
        media_type: Option<Name>,
    ) -> Result<Attachment, Error> {
        let attachment = self.new_attachment(to.into(), name.into()).await?;
        let attachment = Attachment { description, url: Some(url.into()), media_type, ..attachment };
        for (what, text) in [("the link", &attachment.url), ("the description", &attachment.description)] {
            check_length(what, text.as_deref().unwrap_or_default())?;
        }
        let mut changes = Changes::default();
        changes.put(attachment.clone());
        self.remark(attachment.instance, None, changes, &()).await?;
        Ok(attachment)
    }

    /// The attachments of an instance or task, the oldest first.
    ///
    /// # Errors
    /// If there is no such instance or task.
    pub async fn attachments(&self, of: impl Into<Subject>) -> Result<Vec<Attachment>, Error> {
        let (instance, task) = self.subject(Action::SeeInstances, of.into()).await?;
        let mut attachments: Vec<Attachment> = self.inner.store.of_instance(instance).await?;
        attachments.retain(|attachment| task.is_none() || attachment.task == task);
        attachments.sort_by_key(|attachment| attachment.key);
        Ok(attachments)
    }

    /// The bytes of an attachment, to be read in chunks.
    #[must_use]
    pub fn read_attachment(&self, attachment: &Attachment) -> Reading<'_> {
        let Attachment { instance, key, content, .. } = attachment;
        Reading { engine: self, of: (*instance, *key), content: content.clone(), next: 0 }
    }

    /// Removes an attachment, if it is still there; its bytes too, unless others share them.
    ///
    /// # Errors
    /// If (for an engine that acts as a user) another has attached it.
    pub async fn remove_attachment(&self, attachment: &Attachment) -> Result<(), Error> {
        let access = self.reach(Action::Remark, InstanceId(attachment.instance)).await?;
        if let Some(row) = self.inner.store.get::<Attachment>((attachment.instance, attachment.key)).await? {
            self.check_is_author(&access, row.author.as_ref(), "remove attachment").await?;
        }
        Ok(self.inner.store.remove_attachment(attachment.instance, attachment.key).await?)
    }

    /// Where a comment or attachment stands, for whoever may see that: the instance, and the task if it is on one.
    async fn subject(&self, action: Action, subject: Subject) -> Result<(Key, Option<Key>), Error> {
        match subject {
            Subject::Instance(id) => {
                self.reach(action, id).await?;
                match self.inner.store.get::<InstanceRow>(id.0).await? {
                    Some(row) => Ok((row.key, None)),
                    None => Err(Error::UnknownInstance(id)),
                }
            }
            Subject::Task(id) => {
                let access = self.access(action, &id).await?;
                Ok((self.task_in_sight(&access, id).await?.instance, Some(id.0)))
            }
        }
    }

    async fn check_is_author(&self, access: &Access, author: Option<&Name>, doing: &str) -> Result<(), Error> {
        match access.user() {
            Some((user, _)) if author != Some(user) && !access.may(Right::Operate) => {
                let how = format!("somebody else has written it; that takes the role {}", Role::Operator.name());
                Err(self.forbidden(Action::Remark, &doing, how).await)
            }
            _ => Ok(()),
        }
    }
}

/// A file that is being attached. If it is dropped before [`finish`](Self::finish), what has arrived is swept up after a day.
#[derive(Debug)]
#[must_use = "nothing is attached until `finish`"]
pub struct Attaching {
    attachment: Attachment,
    upload: Upload,
}

impl Attaching {
    /// Of that media type.
    pub fn media_type(mut self, media_type: impl Into<Name>) -> Self {
        self.attachment.media_type = Some(media_type.into());
        self
    }

    /// Described in words.
    pub fn description(mut self, description: impl Into<Name>) -> Self {
        self.attachment.description = Some(description.into());
        self
    }

    /// Takes more of the file.
    ///
    /// # Errors
    /// If it is larger than [allowed](crate::Builder::attachment_limit), or the database cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.upload.write(bytes).await?)
    }

    /// The file is whole: attaches it.
    ///
    /// # Errors
    /// If the instance has been removed for good meanwhile, or the database cannot be written.
    pub async fn finish(self) -> Result<Attachment, Error> {
        let instance = InstanceId(self.attachment.instance);
        self.upload.finish(self.attachment).await?.ok_or(Error::UnknownInstance(instance))
    }

    /// Forgets what has arrived.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn discard(mut self) -> Result<(), Error> {
        Ok(self.upload.discard().await?)
    }
}

/// An attachment that is being read.
#[derive(Debug)]
pub struct Reading<'e> {
    engine: &'e Engine,
    of: (Key, Key),
    content: Bytes,
    next: u32,
}

impl Reading<'_> {
    /// The next chunk; none after the last.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.next == 0 && !self.is_there().await? {
            return Ok(None);
        }
        let chunk = self.engine.inner.store.chunk(&self.content, self.next).await?;
        self.next += 1;
        Ok(chunk)
    }

    /// Whether whoever reads may see the attachment, and it is the one whose bytes are asked for.
    async fn is_there(&self) -> Result<bool, Error> {
        let access = self.engine.access(Action::SeeInstances, &InstanceId(self.of.0)).await?;
        if access.is_unlimited() {
            return Ok(true);
        }
        let row = self.engine.inner.store.get::<Attachment>(self.of).await?;
        Ok(row.is_some_and(|row| row.content == self.content) && self.engine.sees(&access, self.of.0).await?)
    }
}
