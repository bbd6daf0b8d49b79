//! What several operations of the document have in common stands once, among its components.

use samphan_resource::shape::camel;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Moves parameters that several operations share to the components: the document is half as long for it.
pub fn parameters(paths: &mut Value, components: &mut Value) {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    let operations = |paths: &mut Value, f: &mut dyn FnMut(&str, &mut Value)| {
        for (path, methods) in paths.as_object_mut().into_iter().flatten() {
            for operation in methods.as_object_mut().into_iter().flat_map(|m| m.values_mut()) {
                operation["parameters"].as_array_mut().into_iter().flatten().filter(|p| p.get("$ref").is_none()).for_each(|p| f(path, p));
            }
        }
    };
    operations(paths, &mut |_, p| *uses.entry(p.to_string()).or_default() += 1);
    operations(paths, &mut |path, p| {
        if uses.get(&p.to_string()).is_none_or(|n| *n < 2) {
            return;
        }
        let mut base: String = p["name"].as_str().unwrap_or_default().split('_').map(first_upper).collect();
        if p["in"] == "path" && matches!(base.as_str(), "Id" | "ExternalId") {
            // Whose id it is, the word before it says.
            let before = path.split("/{id}").next().and_then(|before| before.split("/by-external-id").next());
            base.insert_str(0, &camel(before.and_then(|before| before.rsplit('/').next()).unwrap_or_default()));
        }
        let name = (0..)
            .map(|n| if n == 0 { base.clone() } else { format!("{base}{}", n + 1) })
            .find(|n| components.get(n).is_none_or(|held| held == p));
        if let Some(name) = name {
            components[&name] = p.take();
            *p = json!({"$ref": format!("#/components/parameters/{name}")});
        }
    });
}

/// Moves examples that several operations share to the components, by the names of their schemas.
pub fn examples(paths: &mut Value) -> Value {
    fn each(value: &mut Value, f: &mut dyn FnMut(&str, &mut Value)) {
        let Value::Object(map) = value else {
            value.as_array_mut().into_iter().flatten().for_each(|v| each(v, f));
            return;
        };
        let schema = map.get("schema").and_then(|s| s["$ref"].as_str()).and_then(|r| r.rsplit('/').next()).map(str::to_owned);
        match (schema, map.get_mut("examples").and_then(Value::as_object_mut)) {
            (Some(schema), Some(examples)) => examples.values_mut().for_each(|one| f(&schema, one)),
            _ => map.values_mut().for_each(|v| each(v, f)),
        }
    }
    let mut uses: HashMap<String, usize> = HashMap::new();
    each(paths, &mut |_, one| *uses.entry(one.to_string()).or_default() += 1);
    let (mut shared, mut named): (Map<String, Value>, HashMap<String, String>) = Default::default();
    each(paths, &mut |schema, one| {
        let text = one.to_string();
        if uses.get(&text).is_none_or(|n| *n < 2) {
            return;
        }
        let name = named.entry(text).or_insert_with(|| {
            let free = (1..).map(|n| if n == 1 { schema.to_owned() } else { format!("{schema}{n}") }).find(|n| !shared.contains_key(n));
            let name = free.unwrap_or_default();
            shared.insert(name.clone(), one.clone());
            name
        });
        *one = json!({"$ref": format!("#/components/examples/{name}")});
    });
    shared.sort_keys();
    Value::Object(shared)
}

/// `x` as `X`.
pub fn first_upper(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
