//! The areas: the one list of them, each above those it uses. What each registers is in its `module`.

use crate::{
    accounting, catalog, changes, consents, credit, customers, engagement, external_systems, identity, platform, presales, sales, service,
    stock, webhooks,
};
use samphan_rest::module::Module;

/// What all areas register.
#[must_use]
pub fn all() -> Module {
    let areas = [
        identity::module,
        platform::module,
        customers::module,
        consents::module,
        engagement::module,
        service::module,
        catalog::module,
        external_systems::module,
        stock::module,
        credit::module,
        presales::module,
        sales::module,
        accounting::module,
        changes::module,
        webhooks::module,
    ];
    areas.into_iter().fold(Module::default(), |module, register| register(module))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    /// The areas in the order of their list.
    fn listed() -> Vec<String> {
        let list = include_str!("areas.rs").split("let areas = [").nth(1).and_then(|text| text.split("];").next()).unwrap_or_default();
        list.split(',').filter_map(|entry| Some(entry.trim().strip_suffix("::module")?.to_owned())).collect()
    }

    /// The texts of an area's files.
    fn texts(folder: &Path) -> Vec<(String, String)> {
        let mut all = vec![];
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => all.extend(texts(&path)),
                path => all.push((path.display().to_string(), fs::read_to_string(&path).unwrap())),
            }
        }
        all
    }

    /// What of this crate a text names: `crate::a::…`, and each `a` in `use crate::{a::…, b::…};`.
    fn named(text: &str) -> BTreeSet<String> {
        let word = |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
        let mut found = BTreeSet::new();
        for after in text.split("crate::").skip(1) {
            let Some(tree) = after.strip_prefix('{') else {
                found.insert(word(after));
                continue;
            };
            let (mut depth, mut begins) = (0, true);
            for (at, c) in tree.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => begins = true,
                    c if begins && c.is_ascii_lowercase() => {
                        found.insert(word(&tree[at..]));
                        begins = false;
                    }
                    _ => {}
                }
            }
        }
        found.remove("");
        found
    }

    #[test]
    fn an_area_uses_only_those_listed_before_it() {
        let areas = listed();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folders = fs::read_dir(&root).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
        let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(folders, areas.iter().cloned().collect(), "every folder is an area of the list");
        for (place, area) in areas.iter().enumerate() {
            for (file, text) in texts(&root.join(area)) {
                let allowed = |name: &String| areas[..=place].contains(name);
                let above: Vec<String> = named(&text).into_iter().filter(|name| !allowed(name)).collect();
                assert!(above.is_empty(), "{file} uses {above:?}, which is not below {area}");
            }
        }
    }

    #[test]
    fn names_are_found_in_paths_and_in_trees() {
        let text = "use crate::{a::{b, c}, d_e::f}; use crate::g::h; fn x() { crate::i::j() }";
        assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["a", "d_e", "g", "i"]);
    }
}
