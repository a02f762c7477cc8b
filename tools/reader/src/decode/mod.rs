//! Single answers of the kernel, byte for byte, as typed entries: no snapshot, no joins, no interpretation.
//!
//! Every function takes a [`Buffer`] and a list for the problems it meets. It never panics, always ends, and gives
//! what could be read before (and, where entries have a fixed size, after) a problem.

mod buffer;
mod directory;
mod firmware;
mod handles;
mod job;
mod key_value;
mod modules;
mod object;
mod page_files;
mod pool_tags;
mod process_details;
mod processes;
mod registry;
mod security;
mod security_descriptor;
mod types;

pub use buffer::Buffer;
pub(crate) use directory::each_directory_entry;
pub use directory::{DirectoryEntry, directory_entries};
pub use firmware::{
    FirmwareVariable, PlatformBinaryTable, firmware_variable_names, firmware_variables,
    platform_binary_table,
};
pub use handles::{HandleClass, HandleEntries, HandleEntry, HandleList, each_handle, handles};
pub use job::{JobProcesses, job_processes};
pub use key_value::{KeyValue, key_value};
pub use modules::{Module, ModuleClass, modules};
pub use object::{Object, object};
pub use page_files::{PageFile, PageFileClass, page_files};
pub use pool_tags::pool_tags;
pub use process_details::{Protection, TelemetryId, protection, telemetry_id};
pub use processes::{ProcessClass, ProcessEntry, ThreadEntry, Threads, processes};
pub use registry::{KeyFlags, NamedValue, Subkey, key_flags, key_values, subkeys};
pub use security::{Sid, sid_and_attributes};
pub use security_descriptor::security_descriptor;
pub use types::{ObjectType, object_types};
