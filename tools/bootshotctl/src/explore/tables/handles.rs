//! Handles.

use bootshot_reader::records::Handle;

use crate::explore::table::{Column, Records};
use crate::explore::value::Value;

static COLUMNS: [Column<Handle>; 8] = [
    Column::right("PID", 6, |handle| Value::Number(handle.pid)),
    Column::left("IMAGE", 16, |handle| {
        Value::optional(handle.image.as_deref(), Value::text)
    }),
    Column::right("HANDLE", 7, |handle| Value::Hex(handle.handle)),
    Column::left("TYPE", 12, |handle| Value::text(&handle.object_type)),
    Column::right("ACCESS", 8, |handle| Value::Hex(handle.granted_access)),
    Column::left("OBJECT", 18, |handle| {
        Value::optional(handle.object_address, Value::Hex)
    }),
    Column::left("ATTRIBUTES", 12, |handle| {
        let attributes = &handle.handle_attributes;
        let any = (!attributes.is_empty()).then(|| attributes.join(" "));
        Value::optional(any, Value::made)
    }),
    Column::left("NAME", 40, |handle| Value::made(handle.naming.to_string())),
];

static DETAILS: [Column<Handle>; 1] = [Column::left("RIGHTS", 0, |handle| {
    Value::made(handle.access_names.names().join(" "))
})];

/// The handles of all processes.
pub fn handles(rows: Vec<Handle>) -> Records<Handle> {
    Records {
        details: &DETAILS,
        ..Records::flat(rows, &COLUMNS)
    }
}
