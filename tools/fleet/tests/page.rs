//! The page about fleets shows the files that the demonstration runs.

use std::fs;
use std::path::Path;

#[test]
fn the_page_shows_every_query_and_reader_word_for_word() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(package.join("../../docs/fleet.md")).unwrap();
    let mut shown = 0;
    for entry in fs::read_dir(package.join("queries")).unwrap() {
        let path = entry.unwrap().path();
        let language = match path.extension().and_then(|extension| extension.to_str()) {
            Some("sql") => "sql",
            Some("py") => "python",
            _ => "text",
        };
        let block = format!("```{language}\n{}```\n", fs::read_to_string(&path).unwrap());
        assert!(
            page.contains(&block),
            "docs/fleet.md does not show {}",
            path.display()
        );
        shown += 1;
    }
    assert_eq!(shown, 6);
}
