//! Where a capture puts its bytes: gathers the items of a batch into chunks, and takes no more once that has failed.

use super::Stop;
use crate::nt::{Handover, Kernel, Region, Status};
use bootshot_format::{ItemHeader, Sink, Writer, padded};

/// Bytes of a batch that are gathered into one chunk.
const ROOM: usize = 64 << 10;

/// Items, and the bytes in them, begin at multiples of this.
const ALIGNMENT: usize = padded(1);

/// Bytes that an item has at most beside its names and its answer.
const HEADER_AND_PADDING: usize = ItemHeader::SIZE + 2 * ALIGNMENT;

/// What is done with the writer while it is borrowed.
type Write<'f, S> = &'f mut dyn FnMut(&mut Writer<S>) -> Result<(), Status>;

/// The way to the snapshot.
pub(super) struct Store<'a, K: Kernel, S> {
    writer: &'a Handover<Option<Writer<S>>>,
    /// Bytes of the open batch that are not written yet.
    gathered: Region<K>,
    used: usize,
    /// Bytes of the item at work, and items of the open batch.
    item: usize,
    items: u32,
    result: Result<(), Stop>,
}

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Store<'a, K, S> {
    pub(super) fn new(kernel: K, writer: &'a Handover<Option<Writer<S>>>) -> Result<Self, Status> {
        Ok(Self {
            writer,
            gathered: Region::new(kernel, ROOM)?,
            used: 0,
            item: 0,
            items: 0,
            result: Ok(()),
        })
    }

    /// Whether all went well so far.
    pub(super) const fn result(&self) -> Result<(), Stop> {
        self.result
    }

    /// Uses the writer for a moment, unless something has failed before.
    pub(super) fn write(&mut self, write: Write<'_, S>) {
        write_to(self.writer, &mut self.result, write);
    }

    /// Begins an item whose names and bytes have this length, in a new chunk where there is no room for it in this one: what
    /// lies in one piece can be read where it lies.
    pub(super) fn begin_item(&mut self, length: usize) {
        self.items += 1;
        self.item = 0;
        if length + HEADER_AND_PADDING > ROOM - self.used {
            self.write_gathered();
        }
    }

    /// Adds bytes to the item at work.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.item += bytes.len();
        if bytes.len() > ROOM - self.used {
            self.write_gathered();
        }
        match self.gathered.bytes_mut().get_mut(self.used..) {
            Some(room) if room.len() >= bytes.len() => {
                room[..bytes.len()].copy_from_slice(bytes);
                self.used += bytes.len();
            }
            // Larger than a chunk of gathered items: written as it is.
            _ => self.write(&mut |writer| writer.data(bytes)),
        }
    }

    /// Adds zeros up to the alignment of the container.
    pub(super) fn pad(&mut self) {
        let missing = self.item.wrapping_neg() % ALIGNMENT;
        self.put(&[0; ALIGNMENT][..missing]);
    }

    /// Writes what is gathered, and says of how many items the batch was.
    pub(super) fn flush(&mut self) -> u32 {
        self.write_gathered();
        core::mem::take(&mut self.items)
    }

    fn write_gathered(&mut self) {
        let bytes = self.gathered.first(core::mem::take(&mut self.used));
        write_to(self.writer, &mut self.result, &mut |writer| {
            writer.data(bytes)
        });
    }
}

fn write_to<S>(
    writer: &Handover<Option<Writer<S>>>,
    result: &mut Result<(), Stop>,
    write: Write<'_, S>,
) {
    if result.is_ok() {
        let written = writer.borrow(|slot| slot.as_mut().map(write));
        *result = match written.flatten() {
            None => Err(Stop::Taken),
            Some(written) => written.map_err(Stop::NotWritten),
        };
    }
}
