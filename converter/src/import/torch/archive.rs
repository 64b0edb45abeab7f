//! The zip archive that `torch.save` writes since PyTorch 1.6.
//!
//! Below one folder lie `data.pkl`, the pickle, and `data/<key>`, a storage each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{Cursor, Read};
use std::rc::Rc;

use zip::ZipArchive;
use zip::read::ZipReadOptions;

use super::fault::WeightsFault;

/// Entries of an archive, read within a budget.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// The folder's name with its slash.
    folder: String,
    /// Bytes of the file.
    length: usize,
    /// Bytes that may still be unpacked.
    budget: u64,
}

impl<'a> Archive<'a> {
    /// The first bytes of a zip archive.
    pub(super) const MAGIC: &'static [u8] = b"PK\x03\x04";

    /// How much larger than the file its parts may be, were they compressed: `torch.save` does not compress, and
    /// weights of which most are pruned shrink to a tenth.
    const RATIO: u64 = 16;

    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, WeightsFault> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        let folders =
            zip.file_names().filter_map(|name| Some(name.ok()?.strip_suffix("data.pkl")?.to_owned()));
        let folder =
            folders.filter(|folder| folder.is_empty() || folder.ends_with('/')).min_by_key(String::len);
        let Some(folder) = folder else {
            return Err(WeightsFault::NotWeights {
                found: "a zip archive that torch.save has not written",
                advice: "if it holds a .pt file, unpack it",
            });
        };
        let has = |name: &str| zip.index_for_name(&format!("{folder}{name}")).is_some();
        if has("constants.pkl") {
            return Err(WeightsFault::TorchScript);
        }
        let budget = (bytes.len() as u64).saturating_mul(Self::RATIO).saturating_add(1 << 16);
        let mut archive = Archive { zip, folder, length: bytes.len(), budget };
        if archive.find("byteorder").is_some() && archive.read("byteorder")?.starts_with(b"big") {
            return Err(WeightsFault::BigEndian);
        }
        Ok(archive)
    }

    /// The bytes of the pickle.
    pub(super) fn pickle(&mut self) -> Result<Vec<u8>, WeightsFault> {
        self.read("data.pkl")
    }

    /// The storages of the given names.
    pub(super) fn storages(
        &mut self,
        keys: impl IntoIterator<Item = Rc<str>>,
    ) -> Result<HashMap<Rc<str>, Vec<u8>>, WeightsFault> {
        let mut storages = HashMap::new();
        for key in keys {
            if let Entry::Vacant(place) = storages.entry(key) {
                let bytes = self.read(&format!("data/{}", place.key()))?;
                place.insert(bytes);
            }
        }
        Ok(storages)
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name(&format!("{}{name}", self.folder))
    }

    /// An entry's bytes, of which there must be as many as the archive says.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, WeightsFault> {
        let position = self
            .find(name)
            .ok_or_else(|| WeightsFault::NoEntry { name: name.chars().take(120).collect() })?;
        // `torch.save` can be told to leave the checksums out: they are 0 then.
        let unchecked = self.zip.by_index_raw(position).map_err(damaged)?.crc32() == 0;
        let options = ZipReadOptions::new().ignore_crc32(unchecked);
        let entry = self.zip.by_index_with_options(position, options).map_err(damaged)?;
        let length = entry.size();
        let Some(budget) = self.budget.checked_sub(length) else {
            return Err(WeightsFault::Bomb { bytes: self.length });
        };
        self.budget = budget;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(self.length));
        entry.take(length.saturating_add(1)).read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() as u64 != length {
            return Err(damaged(format!("entry '{name}' has another length than it says")));
        }
        Ok(bytes)
    }
}

fn damaged(what: impl ToString) -> WeightsFault {
    WeightsFault::Archive { what: what.to_string() }
}
