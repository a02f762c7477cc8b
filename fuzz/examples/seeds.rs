//! Writes the corpora that fuzzing starts from, below `corpus/`: snapshots, their payloads, small images.

use std::path::Path;
use std::{fs, io};

use bootshot_fuzz::questions::DECODERS;
use bootshot_fuzz::snapshots;
use image_gate::Machine;

#[allow(dead_code, reason = "the tests of the gate use all of it")]
#[path = "../../tools/image-gate/tests/gate/fixture.rs"]
mod fixture;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let directory = corpus.join(target);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(format!("seed-{name}")), bytes)
    };
    for (name, file) in snapshots::snapshots() {
        put("container", &name, &file)?;
        put("snapshot", &name, &file)?;
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/reader/golden");
    if golden.is_dir() {
        for entry in fs::read_dir(golden)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "bshot")
            {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let file = fs::read(&path)?;
                put("container", &name, &file)?;
                put("snapshot", &name, &file)?;
            }
        }
    }
    // As `arbitrary` reads them: the decoder, the width, the address, the rest.
    for (index, (width, address, bytes)) in snapshots::payloads().iter().enumerate() {
        for decoder in 0..DECODERS.len() {
            let mut seed = vec![decoder as u8, u8::from(*width == 8)];
            seed.extend(address.to_le_bytes());
            seed.extend(bytes.iter().take(4096));
            put("decoders", &format!("{index}-{decoder}"), &seed)?;
        }
    }
    for machine in Machine::ALL {
        let image = fixture::Fixture::native(machine).build().bytes;
        put("image", &machine.to_string(), &image)?;
    }
    let maps = [
        " 0001:0000056e       _ZN4core3fmt5write17h0123456789abcdefE 000000014000156e core.o\n",
        " 0001:0000056e       _RNvMsa_NtCs6r1Hg4Ky22e_4core3fmtNtB5_9Formatter12pad_integral\n",
        "\nLinker script and memory map\n\n 0x0000000140001543 <usize as core::fmt::Display>::fmt\n",
    ];
    for (index, map) in maps.iter().enumerate() {
        put("linker_map", &index.to_string(), map.as_bytes())?;
    }
    Ok(())
}
