//! Values from the registry: the Session Manager's lists, and how this boot was asked for.

use super::{Capture, Question, Stop};
use crate::nt::{Handle, Kernel, Owned, Status};
use crate::utf16;
use bootshot_format::{Family, ObjectKind, OpenKind, Sink, Source};

const KEY_QUERY_VALUE: u32 = 1;
/// `KeyValuePartialInformation`.
const VALUE_PARTIAL_INFORMATION: u32 = 2;

/// Keys and the values asked of each.
const VALUES: [(&[u16], &[&[u16]]); 3] = [
    (
        utf16!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager"),
        &[
            utf16!("PlatformExecute"),
            utf16!("BootExecute"),
            utf16!("BootExecuteNoPnpSync"),
            utf16!("SetupExecute"),
            utf16!("SetupExecuteNoPnpSync"),
            utf16!("Execute"),
        ],
    ),
    (
        utf16!("\\Registry\\Machine\\System\\CurrentControlSet\\Control"),
        &[utf16!("SystemStartOptions")],
    ),
    (
        utf16!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\SafeBoot\\Option"),
        &[utf16!("OptionValue"), utf16!("UseAlternateShell")],
    ),
];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn registry(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        self.begin_batch(Family::REGISTRY)?;
        for (path, values) in VALUES {
            match kernel.open(ObjectKind::KEY, Handle::NONE, path, KEY_QUERY_VALUE) {
                Ok(key) => {
                    let key = Owned::new(kernel, key);
                    for value in values {
                        let question =
                            Question::new(Source::REGISTRY_VALUE, VALUE_PARTIAL_INFORMATION);
                        self.item(&question.named(path).value(value), None, &mut |buffer| {
                            kernel.query_value_key(
                                key.get(),
                                value,
                                VALUE_PARTIAL_INFORMATION,
                                buffer,
                            )
                        })?;
                    }
                }
                Err(status) => self.note(
                    &Question::new(Source::OPEN, OpenKind::KEY.0).named(path),
                    status,
                )?,
            }
        }
        self.end_batch()
    }
}
