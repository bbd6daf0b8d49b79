//! Every reference has its rule for when the record it names is deleted, and the rule holds.

use super::{
    step::{Step, shapes},
    world::{World, list_of},
};
use crate::support::{contract::document, *};
use samphan_resource::reference::{OnDelete, Target, Targets};
use std::collections::BTreeSet;

crate::in_worlds_on_both![what_is_referred_to_is_deleted_by_its_rule_only];

#[test]
fn every_reference_in_the_document_has_a_rule() {
    let mut walked = 0;
    for shape in shapes().values() {
        let published = &document()["components"]["schemas"][shape.type_name];
        for (name, field) in published["properties"].as_object().unwrap() {
            if field["x-reference"].is_string() || field["items"]["x-reference"].is_string() {
                assert!(published["x-on-delete"][name]["rule"].is_string(), "{} {name}", shape.plural);
                walked += 1;
            }
        }
        for reference in &shape.references {
            let rule = &published["x-on-delete"][reference.path];
            match reference.target {
                Target::One(many) => {
                    assert_eq!(rule["of"], many, "{} {}", shape.plural, reference.path);
                    assert!(shapes()[many].field(reference.key).is_some(), "{many}.{}", reference.key);
                }
                Target::Any(any) => {
                    assert_eq!(rule["of_resource_in"], any.resource, "{} {}", shape.plural, reference.path);
                    assert_eq!(published["properties"][any.id]["x-reference-by"], any.resource);
                    let named = any.targets.names(shapes().values());
                    assert_eq!(published["properties"][any.resource]["x-extensible-enum"], json!(named));
                    if let Targets::Of(these) = any.targets {
                        assert_eq!(named.len(), these.len(), "{}: {these:?} are resources", shape.plural);
                    }
                }
            }
        }
    }
    assert!(walked > 40, "{walked}");
}

/// Deletes, as a dry run, whatever a record refers to by a rule that refuses.
async fn what_is_referred_to_is_deleted_by_its_rule_only(world: World) {
    let mut walked = BTreeSet::new();
    for (list, rows) in &world.rows {
        let shape = super::step::lists()[list];
        for reference in shape.references.iter().filter(|r| r.key == "id") {
            let Target::One(many) = reference.target else { continue };
            let Some(delete) = list_of(shapes()[many]).and_then(|path| Step::at("delete", &format!("{path}/{{id}}"))) else {
                continue;
            };
            for row in rows {
                let counts = match reference.on_delete {
                    OnDelete::Refuse => true,
                    OnDelete::RefuseIn(states) => {
                        shape.status.is_some_and(|field| states.contains(&row.record[field].as_str().unwrap_or_default()))
                    }
                    OnDelete::RefuseUnlessZero(fields) => fields.iter().any(|f| row.record[*f].as_str().is_some_and(|n| n != "0")),
                    OnDelete::Follow | OnDelete::Keep => false,
                };
                let record = row.record.as_object().unwrap();
                let Some(id) = reference.values(record).first().copied().filter(|_| counts) else { continue };
                let get = Step::at("get", delete.path).unwrap();
                let names = [id.to_owned()];
                let found = get.ask_for(&world.app, &names, "", None).await;
                if found.status == 404 {
                    // What a machine made is owned by no user.
                    continue;
                }
                let version = found.version().to_string();
                let refused = delete.ask_for(&world.app, &names, "", None).header("if-match", &format!("\"{version}\"")).await;
                // A resource may have a reason of its own, such as its state, that comes first.
                assert_eq!(refused.status, 409, "{} {}: {}", shape.plural, reference.path, refused.text);
                walked.insert(format!("{}.{}", shape.plural, reference.path));
                break;
            }
        }
    }
    assert!(walked.len() > 15, "{walked:?}");
}
