//! Bytes that are kept once, under their SHA-256, in chunks: so that a large file is never in memory whole.

use std::time::Duration;

use sha2::{Digest, Sha256};

use potok_core::instance::Key;

use crate::cell::{Bytes, Field, Row};
use crate::commit::of_instance;
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed};
use crate::row::{Attachment, Content, ContentPoint, LogPoint};
use crate::select::{Filter, Select};
use crate::{Store, StoreError};

/// How large a chunk is.
const CHUNK: usize = 256 * 1024;

/// A file that has not arrived whole by then is swept up.
const ARRIVAL: Duration = Duration::from_secs(24 * 3600);

/// How long a lost database is asked what became of a commit.
const PATIENCE: Duration = Duration::from_secs(60);

/// The SHA-256 of bytes, under which they are kept.
#[must_use]
pub fn digest(bytes: &[u8]) -> Bytes {
    Sha256::digest(bytes).as_slice().into()
}

/// Bytes as rows, with their keys.
pub(crate) fn contents<'b>(content: &'b Bytes, bytes: &'b [u8]) -> impl Iterator<Item = (Row, Row)> {
    (0_u32..).zip(bytes.chunks(CHUNK)).map(|(chunk, bytes)| {
        let row = Content { content: content.clone(), chunk, expires: None, bytes: bytes.into() }.into_row();
        (row[..2].to_vec(), row)
    })
}

/// A file that arrives bit by bit.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    hash: Sha256,
    size: u64,
    limit: u64,
    /// What has not been written yet.
    rest: Vec<u8>,
    /// Written under a name of its own until the bytes are known whole.
    draft: Bytes,
    chunks: u32,
}

impl Store {
    /// Begins to take a file of at most so many bytes. `draft` is a random number.
    #[must_use]
    pub fn upload(&self, draft: u64, limit: u64) -> Upload {
        let draft = draft.to_be_bytes().as_slice().into();
        Upload { store: self.clone(), hash: Sha256::new(), size: 0, limit, rest: Vec::new(), draft, chunks: 0 }
    }

    /// The bytes of that SHA-256, whole.
    pub(crate) async fn content(&self, content: &Bytes) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = Vec::new();
        let mut chunk = 0;
        while let Some(more) = self.chunk(content, chunk).await? {
            bytes.extend_from_slice(&more);
            chunk += 1;
        }
        Ok((chunk > 0 || *content == digest(b"")).then_some(bytes))
    }

    /// A chunk of an attachment, from 0; none after the last.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn chunk(&self, content: &Bytes, chunk: u32) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get::<Content>((content.clone(), chunk)).await?.map(|content| content.bytes))
    }

    /// Removes an attachment; its bytes too, unless others share them.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_attachment(&self, instance: Key, attachment: Key) -> Result<(), StoreError> {
        until_known(|| self.try_to_remove_attachment(instance, attachment)).await
    }

    async fn try_to_remove_attachment(&self, instance: Key, attachment: Key) -> Result<(), StoreError> {
        let mut session = self.database.write().await?;
        let key = (instance, attachment).into_cells();
        let Some(row) = session.select(&Select::keys(Attachment::TABLE, vec![key.clone()])).await?.pop() else {
            return Ok(());
        };
        let content = Attachment::from_row(row)?.content.to_cell();
        session.lock(&[lock(&content)], true).await?;
        session.delete(Attachment::TABLE, &[key]).await?;
        for table in [Attachment::TABLE, crate::row::Resource::TABLE] {
            let others = Select::from(table).filter(Filter::equal("content", content.clone()));
            if session.count(&others).await? > 0 {
                return session.commit().await;
            }
        }
        session.delete(Content::TABLE, &[vec![content]]).await?;
        session.commit().await
    }
}

/// Whoever adds or removes bytes locks them.
pub(crate) fn lock(content: &crate::cell::Cell) -> i64 {
    content.mix(0xcbf2_9ce4_8422_2325).cast_signed()
}

impl Upload {
    /// Takes more of the file.
    ///
    /// # Errors
    /// If it is larger than allowed, or the database cannot be written: then it is kept in memory, and written with what comes next.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            self.discard().await?;
            return Err(StoreError::TooLarge { what: "the attachment", size: self.size, limit: self.limit });
        }
        self.hash.update(bytes);
        self.rest.extend_from_slice(bytes);
        self.put_while(CHUNK).await
    }

    /// The file is whole: attaches it, and gives the attachment with what was filled in; none if its instance has been removed for good.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn finish(mut self, attachment: Attachment) -> Result<Option<Attachment>, StoreError> {
        self.put_while(1).await?;
        let content: Bytes = self.hash.clone().finalize().as_slice().into();
        let attachment = Attachment { content, size: self.size, ..attachment };
        let is_kept = until_known(|| self.keep(&attachment)).await?;
        Ok(is_kept.then_some(attachment))
    }

    /// Makes the draft an attachment, unless that has been done, or its instance is gone.
    async fn keep(&self, attachment: &Attachment) -> Result<bool, StoreError> {
        let content = &attachment.content;
        let mut session = self.store.database.write().await?;
        let mut locks = [lock(&content.to_cell()), of_instance(attachment.instance)];
        locks.sort_unstable();
        session.lock(&locks, true).await?;
        let draft = |chunk: u32| Select::keys(Content::TABLE, vec![(self.draft.clone(), chunk).into_cells()]);
        if self.chunks > 0 && session.count(&draft(0)).await? == 0 {
            // An earlier try has done it, and its answer was lost. By now it may even have been removed again.
            return Ok(true);
        }
        let begun = Select::keys(LogPoint::TABLE, vec![(attachment.instance, 1_u64).into_cells()]);
        if session.count(&begun).await? == 0 {
            session.delete(Content::TABLE, &[self.draft.clone().into_cells()]).await?;
            session.commit().await?;
            return Ok(false);
        }
        let there = session.count(&Select::keys(ContentPoint::TABLE, vec![content.clone().into_cells()])).await? > 0;
        if !there {
            for chunk in 0..self.chunks {
                let Some(row) = session.select(&draft(chunk)).await?.pop() else { continue };
                let row = Content { content: content.clone(), expires: None, ..Content::from_row(row)? };
                session.insert(Content::TABLE, &[row.into_row()]).await?;
            }
        }
        session.delete(Content::TABLE, &[self.draft.clone().into_cells()]).await?;
        session.put(Attachment::TABLE, &[attachment.clone().into_row()]).await?;
        session.commit().await?;
        Ok(true)
    }

    /// Forgets what has arrived.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn discard(&mut self) -> Result<(), StoreError> {
        self.rest.clear();
        let mut session = self.store.database.write().await?;
        session.delete(Content::TABLE, &[self.draft.clone().into_cells()]).await?;
        session.commit().await
    }

    /// Writes chunks as long as there is that much; what fails stays to be written.
    async fn put_while(&mut self, size: usize) -> Result<(), StoreError> {
        while self.rest.len() >= size {
            let chunk = self.rest.len().min(CHUNK);
            self.put(self.rest[..chunk].into()).await?;
            self.rest.drain(..chunk);
        }
        Ok(())
    }

    async fn put(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let (store, content, chunk) = (&self.store, &self.draft, self.chunks);
        until_known(|| async {
            let mut session = store.database.write().await?;
            let expires = Some(crate::lease::after(session.now().await?, ARRIVAL));
            let row = Content { content: content.clone(), chunk, expires, bytes: bytes.clone() }.into_row();
            session.put(Content::TABLE, &[row]).await?;
            session.commit().await
        })
        .await?;
        self.chunks += 1;
        Ok(())
    }
}

/// Does again what may have been done without an answer, until that is known. To do it twice must be to do it once.
async fn until_known<T, F>(act: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let result = act().await;
    let Err(StoreError::OutcomeUnknown(_)) = result else { return result };
    let (mut pause, mut waited) = (Duration::from_millis(10), Duration::ZERO);
    while waited < PATIENCE {
        // Any error but success leaves it unknown.
        if let Ok(done) = act().await {
            return Ok(done);
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
    result
}
