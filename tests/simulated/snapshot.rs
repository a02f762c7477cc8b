//! Reads a snapshot as strictly as the format allows: every record in its place, every checksum and total right.

use bootshot_format::{
    Encoding, Family, Header, Item, Items, NoteKind, Outcome, Records, SectionBegin, SectionEnd,
    Source, Trailer,
};

use crate::text;

/// A complete snapshot.
pub struct Snapshot {
    pub header: Header,
    pub sections: Vec<Section>,
    pub trailer: Trailer,
}

/// A section with its payload put together.
pub struct Section {
    pub begin: SectionBegin,
    pub payload: Vec<u8>,
    pub end: SectionEnd,
}

impl Snapshot {
    /// Panics at the first byte that is not as the format has it.
    #[track_caller]
    pub fn read(file: &[u8]) -> Self {
        let header = Header::open(file).expect("the header is sound");
        let mut snapshot = Self {
            header,
            sections: Vec::new(),
            trailer: Trailer::decode(&[0; Trailer::SIZE]),
        };
        let mut open: Option<(SectionBegin, Vec<u8>, u32)> = None;
        let (mut sequence, mut offsets, mut complete) = (0, Vec::new(), false);
        for record in Records::new(file, header.snapshot_id, Header::SIZE) {
            let record = record.expect("records follow each other without a gap");
            assert!(record.payload_is_intact() && !complete);
            assert_eq!(record.header.section as usize, snapshot.sections.len());
            if record.section_begin().is_some() {
                sequence = 0;
                offsets.push(record.offset);
            }
            if let Some((trailer, index)) = record.trailer() {
                assert!(open.is_none(), "the last section was not ended");
                assert!(index.eq(offsets.iter().copied().take(trailer.index_entries as usize)));
                assert_eq!(trailer.index_entries as usize, offsets.len().min(64));
                snapshot.trailer = trailer;
                complete = true;
                continue;
            }
            assert_eq!(record.header.sequence, sequence);
            sequence += 1;
            if let Some((begin, name, value_name)) = record.section_begin() {
                assert!(open.is_none() && name.is_empty() && value_name.is_empty());
                open = Some((begin, Vec::new(), 0));
            } else if let Some(end) = record.section_end() {
                let (begin, payload, chunks) = open.take().expect("a section is open");
                assert_eq!(
                    (end.total_length, end.chunks),
                    (payload.len() as u64, chunks)
                );
                snapshot.sections.push(Section {
                    begin,
                    payload,
                    end,
                });
            } else {
                let (_, payload, chunks) = open.as_mut().expect("a section is open");
                payload.extend_from_slice(record.payload);
                *chunks += 1;
            }
        }
        assert!(complete, "there is no trailer");
        for section in snapshot
            .sections
            .iter()
            .filter(|section| section.end.outcome != Outcome::TORN)
        {
            assert_eq!(section.items().len(), section.end.items as usize);
        }
        snapshot
    }

    /// Sections with an answer of their own, by source and class.
    pub fn raw(&self, source: Source, class: u32) -> Option<&Section> {
        self.sections.iter().find(|section| {
            let begin = &section.begin;
            (begin.encoding, begin.source, begin.class) == (Encoding::RAW, source, class)
        })
    }

    /// All items of all batches.
    pub fn items(&self) -> Vec<Item<'_>> {
        self.sections.iter().flat_map(Section::items).collect()
    }

    /// Items by source and class.
    pub fn items_of(&self, source: Source, class: u32) -> Vec<Item<'_>> {
        let mut items = self.items();
        items.retain(|item| (item.header.source, item.header.class) == (source, class));
        items
    }

    /// Names of the notes of a kind.
    pub fn notes(&self, kind: NoteKind) -> Vec<String> {
        self.items_of(Source::NOTE, kind.0)
            .iter()
            .map(|item| text(item.name))
            .collect()
    }

    /// How the sections of a family ended.
    pub fn outcomes(&self, family: Family) -> Vec<Outcome> {
        let sections = self
            .sections
            .iter()
            .filter(|section| section.begin.family == family);
        sections.map(|section| section.end.outcome).collect()
    }
}

impl Section {
    /// The items of a batch; none in any other section.
    #[track_caller]
    pub fn items(&self) -> Vec<Item<'_>> {
        if !self.begin.encoding.is_batch() {
            return Vec::new();
        }
        Items::new(&self.payload, self.begin.encoding)
            .map(|item| item.expect("items follow each other"))
            .collect()
    }
}
