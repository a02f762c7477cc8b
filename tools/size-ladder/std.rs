//! The standard library: `println!` brings formatting, locking, Unicode and panics with it.

fn main() {
    println!("Hello, world from process {}", std::process::id());
}
