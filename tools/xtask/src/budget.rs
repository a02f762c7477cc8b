//! The size budget: a small file for each image says what its sections took when somebody last looked.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image_gate::{Finding, outgrown, virtual_size};

use crate::image::Image;
use crate::process::step;
use crate::workspace;

/// Whether `bytes` of `image` have outgrown what is recorded for it.
pub fn check(image: Image, bytes: &[u8]) -> Result<Option<Finding>> {
    check_against(&record_of(image), bytes)
}

/// Records what `image` takes now.
pub fn record(image: Image) -> Result<()> {
    let path = image.path();
    let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    let (size, record) = (virtual_size(&bytes)?, record_of(image));
    fs::write(&record, format!("{size}\n"))
        .with_context(|| format!("could not write {}", record.display()))?;
    step(format!("{}: {size} bytes", workspace::display(&record)));
    Ok(())
}

fn check_against(record: &Path, bytes: &[u8]) -> Result<Option<Finding>> {
    let text = fs::read_to_string(record).with_context(|| {
        format!(
            "could not read {}; `cargo xtask build --record-sizes` writes it",
            record.display()
        )
    })?;
    let recorded = text
        .trim()
        .parse()
        .with_context(|| format!("{} does not hold a number of bytes", record.display()))?;
    Ok(outgrown(virtual_size(bytes)?, recorded))
}

fn record_of(image: Image) -> PathBuf {
    workspace::root()
        .join("tools/xtask/sizes")
        .join(image.target())
        .with_extension("txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of an image of one section that takes `size` bytes in memory.
    fn image(size: u32) -> Vec<u8> {
        let mut bytes = vec![0; 0x200];
        let mut put = |offset: usize, field: &[u8]| {
            bytes[offset..offset + field.len()].copy_from_slice(field);
        };
        put(0, b"MZ");
        put(0x3C, &0x40u32.to_le_bytes());
        put(0x40, b"PE\0\0");
        // Machine, number of sections, size of the optional header.
        put(0x44, &0x8664u16.to_le_bytes());
        put(0x46, &1u16.to_le_bytes());
        put(0x54, &112u16.to_le_bytes());
        put(0x58, &0x20Bu16.to_le_bytes());
        // The section's virtual size.
        put(0x58 + 112 + 8, &size.to_le_bytes());
        bytes
    }

    #[test]
    fn an_image_that_outgrew_its_record_is_found() {
        let record = workspace::target().join("budget-test.txt");
        fs::write(&record, "1000\n").unwrap();
        assert_eq!(check_against(&record, &image(1020)).unwrap(), None);
        let finding = check_against(&record, &image(1021)).unwrap().unwrap();
        assert!(finding.message.contains("1021"), "{finding}");
        fs::write(&record, "many").unwrap();
        assert!(check_against(&record, &image(1)).is_err());
        fs::remove_file(&record).unwrap();
        let error = check_against(&record, &image(1)).unwrap_err();
        assert!(error.to_string().contains("--record-sizes"), "{error}");
    }

    #[test]
    fn every_image_has_a_record() {
        for image in Image::ALL {
            let text = fs::read_to_string(record_of(image)).unwrap();
            assert!(
                text.trim().parse::<u64>().is_ok_and(|size| size != 0),
                "{image:?}"
            );
        }
    }
}
