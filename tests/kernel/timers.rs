//! Timers: what is done to records by itself when a moment of theirs has come. No server runs beside these tests.

use crate::support::{receiver::local, *};
use samphan_api::openapi;
use samphan_background::{
    process::{Process, Services},
    tasks::Tasks,
    timer::Timers,
};
use samphan_domain::{
    catalog::product::Product,
    stock::{
        stock_reservation::{ReservationStatus, StockReservation},
        warehouse::Warehouse,
    },
};
use samphan_persistence::{
    store::{DatabaseOptions, Store, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    resource::Resource,
};
use uuid::Uuid;

crate::on_both_alone![record_whose_timer_fails_keeps_no_other_from_its_own];

async fn make<T: Resource>(work: &Work, body: Value) -> Uuid {
    let body = body.as_object().unwrap().clone();
    let draft = Stored::<T>::from_body(work.shape(T::PLURAL).unwrap(), body, None).unwrap();
    stored::insert(work, draft).await.unwrap().id()
}

async fn with_status(store: &Store, status: &str) -> i64 {
    let reader = store.reader(std::sync::Arc::new(samphan_resource::caller::Caller::system()), now());
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM stock_reservations WHERE status = ").text(status);
    reader.count(sql).await.unwrap()
}

async fn record_whose_timer_fails_keeps_no_other_from_its_own(app: App) {
    local(async {
        let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 4, full_sync: false };
        let store = Store::open(&opening, openapi::shapes()).await.unwrap();
        let process = Process::new(store.clone(), Services::default());
        let work = process.work().await.unwrap();
        let product = make::<Product>(&work, json!({"sku": "TEA", "name": "Tea"})).await;
        let warehouse = make::<Warehouse>(&work, json!({"code": "BKK1", "name": "Bangkok"})).await;
        for minutes in 1..=5 {
            let until = work.now.plus_seconds(-60 * minutes);
            let body = json!({"product_id": product, "warehouse_id": warehouse, "quantity": minutes.to_string(), "expires_at": until});
            make::<StockReservation>(&work, body).await;
        }
        make::<StockReservation>(&work, json!({"product_id": product, "warehouse_id": warehouse, "quantity": "9"})).await;
        work.commit().await.unwrap();
        let refuses_three = async |work: &Work, due: Vec<Stored<StockReservation>>| -> Result<()> {
            for before in due {
                if before.data.quantity.to_string() == "3" {
                    return Err(Error::from(Code::Conflict));
                }
                let mut after = before.clone();
                after.data.status = ReservationStatus::Expired;
                stored::save(work, &before, after, "expired", None).await?;
            }
            Ok(())
        };
        let tasks = Tasks::default();
        Timers::default().with("expire", refuses_three).task().start(process, &tasks);
        until("all others are done", async || with_status(&store, "expired").await == 4).await;
        assert_eq!(with_status(&store, "active").await, 2, "the one that fails, and the one without an end");
        tasks.end().await;
    })
    .await;
}
