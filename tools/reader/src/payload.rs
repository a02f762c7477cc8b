//! The bytes of a section, which lie in the file in one piece or in several.
//!
//! Nothing is copied before it has to be: a batch is read where it lies, but for the few items that begin in one chunk and
//! end in the next.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use bootshot_format::{Encoding, Item, Items, Source};

/// The payload of a section: its bytes in one piece through `Deref`, which copies them together when they lie in several.
pub struct Payload<'a> {
    chunks: Vec<&'a [u8]>,
    length: usize,
    whole: OnceLock<Vec<u8>>,
    runs: Vec<Run<'a>>,
    encoding: Encoding,
    sources: Sources,
    items: usize,
}

/// Items of a batch that lie in one piece.
struct Run<'a> {
    offset: usize,
    bytes: Cow<'a, [u8]>,
}

impl Run<'_> {
    /// The items from the one on that begins at `start`, which is counted from the beginning of the run.
    fn items_from(
        &self,
        start: usize,
        encoding: Encoding,
    ) -> impl Iterator<Item = Result<Item<'_>, usize>> {
        let offset = self.offset + start;
        let bytes = self.bytes.get(start..).unwrap_or_default();
        Items::new(bytes, encoding).map(move |item| match item {
            Ok(item) => Ok(Item {
                offset: offset + item.offset,
                data_offset: offset + item.data_offset,
                ..item
            }),
            Err(at) => Err(offset + at),
        })
    }
}

impl<'a> Payload<'a> {
    /// One answer of the kernel.
    pub(crate) fn single(chunks: Vec<&'a [u8]>, source: Source) -> Self {
        Self {
            length: chunks.iter().map(|chunk| chunk.len()).sum(),
            chunks,
            whole: OnceLock::new(),
            runs: Vec::new(),
            encoding: Encoding::RAW,
            sources: Sources::of(source),
            items: 0,
        }
    }

    /// A batch of items, plain or packed. Where there is damage, so many chunks stand before it, and only the items that end
    /// in those are items of it.
    pub(crate) fn batch(chunks: Vec<&'a [u8]>, damage: Option<usize>, encoding: Encoding) -> Self {
        let sound = damage.and_then(|sound| chunks.get(..sound));
        let mut payload = Self {
            runs: runs(sound.unwrap_or(&chunks), encoding),
            encoding,
            ..Self::single(chunks, Source::BATCH)
        };
        let (mut sources, mut items) = (payload.sources, 0);
        for item in payload.items().flatten() {
            sources = sources.with(item.header.source);
            items += 1;
        }
        (payload.sources, payload.items) = (sources, items);
        payload
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The items of a batch up to its damage, where they lie; `Err` with the offset of bytes that are none is the last.
    pub fn items(&self) -> impl Iterator<Item = Result<Item<'_>, usize>> {
        let mut sound = true;
        self.runs
            .iter()
            .flat_map(|run| run.items_from(0, self.encoding))
            .take_while(move |item| std::mem::replace(&mut sound, item.is_ok()))
    }

    /// The item that [`items`](Self::items) has with this offset.
    pub(crate) fn item_at(&self, offset: usize) -> Option<Item<'_>> {
        let behind = self.runs.partition_point(|run| run.offset <= offset);
        let run = &self.runs[behind.checked_sub(1)?];
        run.items_from(offset - run.offset, self.encoding)
            .next()?
            .ok()
    }

    /// How many items a batch has.
    pub(crate) fn item_count(&self) -> usize {
        self.items
    }

    /// Whether one of its answers may be from this source.
    pub(crate) fn may_answer(&self, source: Source) -> bool {
        self.sources.contains(source)
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(formatter)
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.chunks[..] {
            [] => &[],
            [single] => single,
            ref several => self.whole.get_or_init(|| several.concat()),
        }
    }
}

/// The whole items of each chunk, and between them those that begin in one and end in another. Only lengths are looked at:
/// what is no item is found when it is read.
fn runs<'a>(chunks: &[&'a [u8]], encoding: Encoding) -> Vec<Run<'a>> {
    let length_of = |beginning: &[u8]| Items::length_of(beginning, encoding);
    let mut runs = Vec::new();
    // The beginning of an item, and where in the payload it stands.
    let mut begun = Vec::new();
    let mut begun_at = 0;
    let mut start = 0;
    for (place, chunk) in chunks.iter().enumerate() {
        let mut rest = *chunk;
        while !begun.is_empty() && !rest.is_empty() {
            let wanted = length_of(&begun).unwrap_or(LENGTH);
            let (more, behind) = rest.split_at(rest.len().min(wanted - begun.len()));
            begun.reserve_exact(more.len());
            begun.extend_from_slice(more);
            rest = behind;
            if length_of(&begun) == Some(begun.len()) {
                runs.push(Run {
                    offset: begun_at,
                    bytes: Cow::Owned(std::mem::take(&mut begun)),
                });
            }
        }
        let offset = start + chunk.len() - rest.len();
        start += chunk.len();
        let whole = match place + 1 == chunks.len() {
            true => rest.len(),
            false => whole_items(rest, encoding),
        };
        let (items, beginning) = rest.split_at(whole);
        if !items.is_empty() {
            runs.push(Run {
                offset,
                bytes: Cow::Borrowed(items),
            });
        }
        if !beginning.is_empty() {
            begun = beginning.to_vec();
            begun_at = offset + whole;
        }
    }
    if !begun.is_empty() {
        runs.push(Run {
            offset: begun_at,
            bytes: Cow::Owned(begun),
        });
    }
    runs
}

/// Bytes of the length that an item begins with.
const LENGTH: usize = 4;

/// Bytes of the items that end in `bytes`.
fn whole_items(bytes: &[u8], encoding: Encoding) -> usize {
    let mut end = 0;
    let length_at = |end| Items::length_of(bytes.get(end..)?, encoding);
    while let Some(length) = length_at(end) {
        match end.checked_add(length).filter(|end| *end <= bytes.len()) {
            Some(next) => end = next,
            None => break,
        }
    }
    end
}

/// Sources, those of small numbers each by itself.
#[derive(Clone, Copy, Debug)]
struct Sources(u64);

impl Sources {
    fn of(source: Source) -> Self {
        Self(1 << source.0.min(u64::BITS - 1))
    }

    fn with(self, source: Source) -> Self {
        Self(self.0 | Self::of(source).0)
    }

    fn contains(self, source: Source) -> bool {
        self.0 & Self::of(source).0 != 0
    }
}

#[cfg(test)]
mod tests {
    use bootshot_format::ItemHeader;

    use super::*;

    const ENCODINGS: [Encoding; 2] = [Encoding::BATCH, Encoding::PACKED_BATCH];

    /// Items of a growing length, and behind them `tail`.
    fn batch(tail: &[u8], encoding: Encoding) -> Vec<u8> {
        let mut batch = Vec::new();
        for number in 0..9u32 {
            let data = vec![number as u8; 8 * number as usize];
            let header = ItemHeader {
                data_length: data.len() as u32,
                source: Source(number),
                ..ItemHeader::decode(&[0; ItemHeader::SIZE])
            };
            match encoding {
                Encoding::PACKED_BATCH => batch.extend(header.pack().bytes()),
                _ => batch.extend(header.measured().encode()),
            }
            batch.extend(data);
        }
        batch.extend(tail);
        batch
    }

    fn shown(items: impl Iterator<Item = Result<Item<'static>, usize>>) -> Vec<String> {
        items.map(|item| format!("{item:?}")).collect()
    }

    #[test]
    fn items_are_the_same_wherever_chunks_end() {
        let tails = [&[][..], &[1; 3], &[0xFF; 64], &[8, 0, 0, 0, 1, 2, 3, 0xFF]];
        for (encoding, tail) in ENCODINGS
            .into_iter()
            .flat_map(|encoding| tails.map(|tail| (encoding, tail)))
        {
            let bytes: &'static [u8] = batch(tail, encoding).leak();
            let expected = shown(Items::new(bytes, encoding));
            for first in (0..=bytes.len()).step_by(7) {
                for second in (first..=bytes.len()).step_by(13) {
                    let chunks = vec![&bytes[..first], &bytes[first..second], &bytes[second..]];
                    let payload: &'static _ =
                        Box::leak(Box::new(Payload::batch(chunks, None, encoding)));
                    assert_eq!(shown(payload.items()), expected, "{first} {second}");
                    assert_eq!(payload.len(), bytes.len());
                    assert_eq!(payload[..], *bytes);
                    assert_eq!(payload.item_count(), 9);
                    for item in payload.items().flatten() {
                        let again = payload.item_at(item.offset).unwrap();
                        assert_eq!(format!("{again:?}"), format!("{item:?}"));
                    }
                    assert!(payload.item_at(bytes.len()).is_none());
                }
            }
        }
    }

    #[test]
    fn only_items_that_two_chunks_share_are_copied() {
        for (encoding, expected) in ENCODINGS.into_iter().zip([64, 48]) {
            let bytes = batch(&[], encoding);
            let (first, second) = bytes.split_at(100);
            let runs = runs(&[first, second], encoding);
            let copied = runs.iter().filter(|run| matches!(run.bytes, Cow::Owned(_)));
            let lengths: Vec<_> = copied.map(|run| run.bytes.len()).collect();
            assert_eq!(lengths, [expected]);
        }
    }

    #[test]
    fn a_batch_knows_which_sources_answer_in_it() {
        for encoding in ENCODINGS {
            let bytes = batch(&[], encoding);
            let payload = Payload::batch(vec![&bytes], None, encoding);
            assert!(payload.may_answer(Source(8)));
            assert!(!payload.may_answer(Source(9)));
        }
    }
}
