//! Security descriptors as text, each different one worked out once: hundreds of thousands of objects have a few hundred.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::decode;

/// Most that are kept; a hostile file can have another one for each object.
const MOST: usize = 1024;

/// In SDDL; none where the bytes are no descriptor.
type Text = Option<Arc<str>>;

/// What was worked out so far, by the bytes.
#[derive(Debug, Default)]
pub(super) struct Descriptors(Mutex<HashMap<Box<[u8]>, Text>>);

impl Descriptors {
    /// The descriptor as text.
    pub fn text(&self, bytes: &[u8]) -> Text {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(bytes) {
            return text.clone();
        }
        let text: Text = decode::security_descriptor(bytes).map(Arc::from);
        if known.len() < MOST {
            known.insert(bytes.into(), text.clone());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_worked_out_once_and_only_so_many_are_kept() {
        let descriptors = Descriptors::default();
        let bytes = test_snapshots::objects::security_descriptor();
        let text = descriptors.text(&bytes).unwrap();
        assert_eq!(*text, *decode::security_descriptor(&bytes).unwrap());
        assert!(Arc::ptr_eq(&text, &descriptors.text(&bytes).unwrap()));
        for number in 0..2 * MOST {
            assert_eq!(descriptors.text(&number.to_le_bytes()), None);
        }
        assert_eq!(descriptors.0.lock().unwrap().len(), MOST);
        let again = [bytes.as_slice(), &[0]].concat();
        assert_eq!(descriptors.text(&again), Some(text));
    }
}
