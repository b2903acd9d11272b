//! Files within a file: DOCX and EPUB are ZIP archives. What comes out of one is bounded, whatever it says it holds.

use std::cell::Cell;
use std::io::{Cursor, Read};

use anyhow::{Context, Result, anyhow, bail};
use zip::ZipArchive;
use zip::result::ZipError;

use super::bytes::decoded;

/// Most bytes that are unpacked of one document, and of one file in it.
const MOST_UNPACKED: u64 = 192 << 20;
const MOST_OF_ONE: u64 = 64 << 20;
/// Most files in one document.
const MOST_FILES: usize = 20_000;

/// An archive that text is read from.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    left: Cell<u64>,
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| anyhow!("its archive is damaged or cut off ({error}); fetch it again"))?;
        if zip.len() > MOST_FILES {
            bail!("its archive holds {} files, and no document has more than {MOST_FILES}", zip.len());
        }
        Ok(Self { zip, left: Cell::new(MOST_UNPACKED) })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// The text of a file in it; none if there is no such file.
    ///
    /// # Errors
    /// If it is damaged, encrypted, or unpacks to more than a document can be.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>> {
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(why)) if why == ZipError::PASSWORD_REQUIRED => {
                bail!("it is encrypted; save a copy without its password and add that")
            }
            Err(error) => return Err(anyhow!("{name} in its archive can't be read: {error}")),
        };
        let most = MOST_OF_ONE.min(self.left.get());
        let mut bytes = Vec::new();
        let read = file
            .take(most + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("{name} in its archive is damaged; fetch it again"))?
            as u64;
        if read > most {
            bail!(
                "{name} in its archive unpacks to more than {} MB, and no document does; it isn't read",
                most >> 20
            );
        }
        self.left.set(self.left.get() - read);
        Ok(Some(decoded(&bytes).into_owned()))
    }
}
