//! Each step, when all goes well.

use super::*;

crate::on_both![
    customers_and_goods_are_taken_over_and_told,
    what_changes_is_followed_and_nothing_is_said_twice,
    payments_fall_due_and_grow_old,
    numbers_are_found_again_when_the_file_is_lost,
];

async fn customers_and_goods_are_taken_over_and_told(app: App) {
    company(&app, 12, 0..8).await;
    app.make("/v1/products", json!({"sku": "ADVICE", "name": "Advice", "kind": "service"})).await;
    let mut erp = Erp::of(&app).await.with("--batch 5");
    let report = erp.run().await.unwrap().clone();
    assert_eq!((report.customers, report.items, report.failed.len(), report.stale), (12, 8, 0, 0), "{report}");
    assert!(report.documents > 5, "{report}");
    agree(&app, &erp).await;
    let system = app.get("/v1/external-systems?code=erp").await.is(200);
    assert_eq!((&system["data"][0]["legal_entity"], &system["data"][0]["kind"]), (&json!("TH01"), &json!("erp")));
    let first = app.get("/v1/accounts/by-external-id/erp/C-000001").await.is(200);
    let credit = app.get(&format!("/v1/accounts/{}/credit", first.id())).await.is(200);
    let books = &erp.customers().unwrap()[0];
    assert_eq!((amount(&credit["receivable"]), Some(amount(&credit["limit_amount"]))), (books.receivable, books.credit_limit));
}

async fn what_changes_is_followed_and_nothing_is_said_twice(app: App) {
    company(&app, 5, 0..3).await;
    let setting = Erp::of(&app).await;
    let mut erp = setting.with("--opening-invoices 2 --pay 0");
    erp.run().await.unwrap();
    let (messages, events) = (erp.report().messages, app.all("/v1/audit-events?resource=credit_balances", 200).await.len());
    erp.run().await.unwrap();
    assert_eq!(erp.report().messages, messages, "nothing has changed");
    company(&app, 2, 3..5).await;
    let known = erp.customers().unwrap()[0].account_id;
    app.patch(&format!("/v1/accounts/{known}"), json!({"payment_terms_days": 90})).await.is(200);
    erp.set_credit_limit("C-000002", None).unwrap();
    assert!(erp.receive("S1", Amount::whole(40)).unwrap() && !erp.receive("S9", Amount::whole(40)).unwrap());
    drop(erp);
    // Another process, with nothing but the file.
    let mut erp = setting.with("--pay 0 --opening-invoices 0");
    erp.run().await.unwrap();
    assert_eq!((erp.report().customers, erp.report().items), (2, 2));
    assert_eq!(erp.customers().unwrap()[0].terms, 90);
    agree(&app, &erp).await;
    let unlimited = app.all("/v1/credit-balances?system=erp", 200).await;
    assert_eq!(unlimited.iter().filter(|b| b["limit_kind"] == "unlimited").count(), 1);
    let told = app.all("/v1/audit-events?resource=credit_balances", 200).await.len() - events;
    assert_eq!(told, 3, "two new customers and one new limit");
    // One of the new ones: whoever owes something is not deleted.
    app.delete(&format!("/v1/accounts/{known}")).await.refused(409, "in_use");
    let gone = erp.customers().unwrap().into_iter().find(|c| c.receivable == Amount::default()).unwrap().account_id;
    app.delete(&format!("/v1/accounts/{gone}")).await.is(204);
    erp.run().await.unwrap();
    assert_eq!((erp.customers().unwrap().len(), erp.report().failed.len()), (6, 0));
}

async fn payments_fall_due_and_grow_old(app: App) {
    company(&app, 10, 0..2).await;
    let setting = Erp::of(&app).await;
    let owed = |erp: &Simulator| erp.customers().unwrap().iter().map(|c| c.receivable).sum::<Amount>();
    let mut erp = setting.with("--pay 0 --trade 30");
    erp.run().await.unwrap();
    agree(&app, &erp).await;
    let before = owed(&erp);
    // A hundred days later everything is overdue, and part of it is paid.
    let mut erp = setting.with("--pay 0.5 --today 2027-02-28");
    erp.run().await.unwrap();
    assert!(owed(&erp) < before && erp.customers().unwrap().iter().all(|c| c.overdue.into_iter().sum::<Amount>() == c.receivable));
    agree(&app, &erp).await;
    assert_eq!(erp.book_payments("2027-02-28".parse().unwrap()).unwrap(), 0, "a day is judged once");
}

async fn numbers_are_found_again_when_the_file_is_lost(app: App) {
    company(&app, 4, 0..2).await;
    let setting = Erp::of(&app).await;
    setting.with("").run().await.unwrap();
    std::fs::remove_file(setting.file()).unwrap();
    app.account("The fifth").await;
    let mut erp = setting.with("");
    let report = erp.run().await.unwrap().clone();
    assert_eq!((report.customers, report.failed.len()), (5, 0), "{report}");
    assert!(exists(&setting.file()));
    agree(&app, &erp).await;
}
