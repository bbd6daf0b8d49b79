//! Who may do everything but read a resource is not shown its records by way of the others.

use super::{
    step::{Step, lists, shapes},
    world::{World, parents, references, text},
};
use crate::support::*;
use std::collections::BTreeSet;

crate::in_worlds_on_both![without_the_permission_to_read_it_a_resource_is_nowhere];

async fn without_the_permission_to_read_it_a_resource_is_nowhere(world: World) {
    let permissions: BTreeSet<&str> = Step::all().iter().filter_map(Step::permission).collect();
    let role = world.app.role(&["*:*/all"], &[]).await;
    let (mut walked, mut expanded, mut searched) = (0, 0, 0);
    for (path, shape) in lists().iter().filter(|(path, _)| !path.contains('{')) {
        let read = Step::at("get", path).unwrap().permission().unwrap();
        let scopes: Vec<&str> = permissions.iter().copied().filter(|p| *p != read).collect();
        let made = world.app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role], "scopes": scopes})).await.is(201);
        let key = world.app.as_(&made.text_of("token"));
        key.get(path).await.refused(403, "forbidden");
        // As it is and as what is seen with it alone.
        let gone = |many: &str| {
            many == shape.plural || {
                let mut above = parents(shapes()[many]).peekable();
                above.peek().is_some() && above.all(|(_, parent)| parent.plural == shape.plural)
            }
        };
        let mut kept = 0;
        for event in key.feed().await {
            let many = event["resource"].as_str().unwrap();
            assert!(!gone(many), "{} without {read}", event["type"]);
            // What is about a record goes where that goes.
            if let (Some(subject), Some(after)) = (shapes()[many].subject(), event["after"].as_object()) {
                assert!(after.get(subject.resource).and_then(Value::as_str).is_none_or(|about| !gone(about)), "{event} without {read}");
            }
            kept += 1;
        }
        assert!(kept > 100, "without {read}");
        if read != "audit-events:read" {
            let page = key.get(&format!("/v1/audit-events?count=exact&resource={}", shape.plural)).await.is(200);
            assert_eq!(page["total"], 0, "without {read}");
        }
        let row = &world.rows[path][0];
        if let Some(words) = text(&row.record, shape.title).filter(|_| shape.fields.iter().any(|f| f.searched)) {
            let page = key.get(&format!("/v1/search?limit=200&q={}", encoded(&words))).await.is(200);
            assert!(page["data"].as_array().unwrap().iter().all(|hit| hit["resource"] != shape.plural), "{} without {read}", page.text);
            searched += 1;
        }
        for (other, far) in lists().iter().filter(|(p, s)| !p.contains('{') && s.plural != shape.plural) {
            for (field, _) in references(far).filter(|(_, to)| to.plural == shape.plural) {
                if gone(far.plural) {
                    let refused = key.get(&format!("{other}?count=exact")).await.refused(403, "forbidden");
                    assert_eq!(refused["allowed"], json!([read]), "{other} without {read}");
                    continue;
                }
                let name = field.name.trim_end_matches("_id");
                key.get(&format!("{other}?expand={name}")).await.refused(400, "invalid_query").fault("?expand", "hidden_field");
                let one = world.rows[other][0].id();
                key.get(&format!("{other}/{one}?expand={name}")).await.refused(400, "invalid_query").fault("?expand", "hidden_field");
                let far_field = shape.fields.iter().find(|f| f.filter && f.name != "id").unwrap().name;
                let filter = json!({"filter": {"field": format!("{name}.{far_field}"), "op": "is_null", "value": false}});
                key.post(&format!("{other}/search"), filter).await.refused(400, "invalid_filter");
                expanded += 1;
            }
        }
        walked += 1;
    }
    assert!(walked > 30 && expanded > 20 && searched >= 4, "{walked} {expanded} {searched}");
}
