//! `GET /v1/accounts/{account_id}/tree`: an account with those that belong to it, and what they ordered, each for itself and with all
//! below it.

use samphan_domain::{
    customers::account::{Account, LifecycleStage},
    sales::order::Order,
};
use samphan_persistence::{
    record,
    store::Reader,
    stored::{self, Stored},
    visibility,
};
use samphan_resource::{caller::FieldAccess, error::Result, example, money::Amount, resource::Resource};
use samphan_rest::{
    example::Example,
    operation::{Operation, RequestContext},
    response::{Response, expect_visible},
};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;
use uuid::Uuid;

/// Most accounts answered.
const MAX_NODES: usize = 500;
/// Most accounts looked at below one: those that the caller may not see are passed.
const MAX_VISITED: i64 = 5_000;

/// An account and those that belong to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountTree {
    /// The account first, then those below it, level by level.
    #[schema(max_items = 500)]
    pub nodes: Vec<AccountNode>,
    /// Whether there are more than are answered; their orders are in no sum.
    pub has_more: bool,
}

/// An account in a tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountNode {
    /// The account.
    pub id: Uuid,
    /// The nearest account above it that the caller may see; null for the first one.
    #[schema(required = true)]
    pub parent_id: Option<Uuid>,
    /// Levels below the first one; those that the caller may not see do not count.
    #[schema(minimum = 0, maximum = 50)]
    pub depth: usize,
    /// Its name; null where a field rule hides it.
    #[schema(required = true, max_length = 200)]
    pub name: Option<String>,
    /// Its grade.
    #[schema(required = true, max_length = 10)]
    pub grade: Option<String>,
    /// Where it stands in its life with us.
    #[schema(required = true)]
    pub lifecycle_stage: Option<LifecycleStage>,
    /// What it ordered, by currency.
    #[schema(max_items = 200)]
    pub own: Vec<OrderSum>,
    /// What it and all answered below it ordered, by currency.
    #[schema(max_items = 200)]
    pub total: Vec<OrderSum>,
}

/// What was ordered in a currency: the orders that the caller may see, without drafts and cancelled ones.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderSum {
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: String,
    /// How many orders.
    #[schema(minimum = 0)]
    pub orders: i64,
    /// Their amount, with tax.
    pub total_amount: Amount,
    /// What is committed or delivered and not yet invoiced of it.
    pub open_amount: Amount,
}

/// Sums by currency.
type Sums = BTreeMap<String, (i64, Amount, Amount)>;

/// The operation.
pub fn operation() -> Operation {
    Operation::read("getAccountTree", "/v1/accounts/{account_id}/tree", run)
        .describe(
            "accounts",
            "Get an account's tree",
            "The account and up to 499 that belong to it over any number of levels, with what each ordered and what it ordered with all below. Accounts and orders that the caller may not see are in no sum; accounts below an account that is not seen stand under the next one above.",
        )
        .example(Example::default().answers(json!({"has_more": false, "nodes": [{
            "id": example::id("accounts"), "parent_id": null, "depth": 0, "name": "Siam Trading", "grade": "A", "lifecycle_stage": "active",
            "own": [], "total": [],
        }]})))
        .requires("accounts:read")
        .also_requires("orders:read")
        .responds(200, "AccountTree")
}

/// An account below the first one, whether it is seen or not.
struct Visited {
    id: Uuid,
    parent: Option<Uuid>,
    depth: i64,
}

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    let root = stored::find::<Account>(reader, call.id(0)?, "read").await?.id();
    expect_visible(reader, Account::PLURAL, &["parent_id"])?;
    expect_visible(reader, Order::PLURAL, &["account_id", "status", "currency", "total_amount", "open_amount"])?;
    let visited = visited(reader, root).await?;
    let mut has_more = i64::try_from(visited.len()).is_ok_and(|count| count >= MAX_VISITED);
    let mut accounts = seen(reader, visited.iter().map(|one| one.id).collect()).await?;
    let mut nodes: Vec<AccountNode> = vec![];
    // What stands above each: itself where it is seen, else what stands above its parent. Parents come before children.
    let mut nearest: HashMap<Uuid, usize> = HashMap::new();
    for one in &visited {
        let above = one.parent.filter(|_| one.id != root).and_then(|parent| nearest.get(&parent).copied());
        match accounts.remove(&one.id) {
            Some(_) if nodes.len() >= MAX_NODES => has_more = true,
            Some(account) => {
                nearest.insert(one.id, nodes.len());
                let above = above.and_then(|above| nodes.get(above));
                nodes.push(node(reader, &account, above)?);
            }
            None => nearest.extend(above.map(|above| (one.id, above))),
        }
    }
    add_sums(reader, &mut nodes).await?;
    Ok(Response::json(&AccountTree { nodes, has_more }))
}

async fn visited(reader: &Reader, root: Uuid) -> Result<Vec<Visited>> {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE down (id, parent_id, depth) AS (SELECT id, parent_id, 0 FROM accounts WHERE id = ").id(root);
    sql.push(" UNION ALL SELECT a.id, a.parent_id, down.depth + 1 FROM accounts a JOIN down ON a.parent_id = down.id ");
    sql.push("WHERE a.deleted_at IS NULL AND down.depth < 50) ");
    // Both databases go level by level, and no further than is asked for where there is no order.
    sql.push("SELECT id, parent_id, depth FROM down LIMIT ").int(MAX_VISITED);
    let mut all = reader.fetch(sql, |row| Ok(Visited { id: row.id(0)?, parent: row.optional_id(1)?, depth: row.int(2)? })).await?;
    all.sort_by_key(|one| (one.depth, one.id));
    Ok(all)
}

/// Those of the accounts that the caller may see.
async fn seen(reader: &Reader, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Stored<Account>>> {
    let shape = reader.shape(Account::PLURAL)?;
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.id").one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, reader, shape, "t", "read")?;
    let records = reader.fetch(sql, |row| record::read(shape, row)).await?;
    records.into_iter().map(|record| Stored::of(record).map(|account: Stored<Account>| (account.id(), account))).collect()
}

fn node(reader: &Reader, account: &Stored<Account>, above: Option<&AccountNode>) -> Result<AccountNode> {
    let shape = reader.shape(Account::PLURAL)?;
    let shows = |field: &str| shape.field(field).is_some_and(|field| reader.caller.access(shape, field) >= FieldAccess::ReadOnly);
    Ok(AccountNode {
        id: account.id(),
        parent_id: above.map(|above| above.id),
        depth: above.map_or(0, |above| above.depth + 1),
        name: shows("name").then(|| account.data.name.clone()),
        grade: account.data.grade.clone().filter(|_| shows("grade")),
        lifecycle_stage: shows("lifecycle_stage").then_some(account.data.lifecycle_stage),
        own: vec![],
        total: vec![],
    })
}

/// Adds what each ordered, and from the last to the first what is below.
async fn add_sums(reader: &Reader, nodes: &mut [AccountNode]) -> Result<()> {
    let mut own = ordered(reader, nodes.iter().map(|node| node.id).collect()).await?;
    let mut total: HashMap<Uuid, Sums> = HashMap::new();
    for node in nodes.iter_mut().rev() {
        let own = own.remove(&node.id).unwrap_or_default();
        let with_below = total.entry(node.id).or_default();
        add(with_below, &own);
        (node.own, node.total) = (written(&own), written(with_below));
        let with_below = with_below.clone();
        if let Some(parent) = node.parent_id {
            add(total.entry(parent).or_default(), &with_below);
        }
    }
    Ok(())
}

async fn ordered(reader: &Reader, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Sums>> {
    let mut sql = reader.sql();
    sql.push("SELECT t.account_id, t.currency, count(*), ");
    sql.amount_sum(&["total_amount"]).push(", ");
    sql.amount_sum(&["open_amount"]);
    sql.push(" FROM orders t WHERE t.deleted_at IS NULL AND t.status NOT IN ('draft', 'cancelled') AND t.account_id").one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, reader, reader.shape(Order::PLURAL)?, "t", "read")?;
    sql.push(" GROUP BY t.account_id, t.currency");
    let rows = reader
        .fetch(sql, |row| {
            let sum = |n| -> Result<Amount> { Ok(Amount::of_parts(row.int(n)?, row.int(n + 1)?)) };
            Ok((row.id(0)?, row.text(1)?, (row.int(2)?, sum(3)?, sum(5)?)))
        })
        .await?;
    let mut of_each: HashMap<Uuid, Sums> = HashMap::new();
    for (account, currency, sums) in rows {
        of_each.entry(account).or_default().insert(currency, sums);
    }
    Ok(of_each)
}

fn add(to: &mut Sums, more: &Sums) {
    for (currency, (orders, total, open)) in more {
        let sum = to.entry(currency.clone()).or_insert((0, Amount(0), Amount(0)));
        *sum = (sum.0 + orders, sum.1.plus(*total), sum.2.plus(*open));
    }
}

fn written(sums: &Sums) -> Vec<OrderSum> {
    let one = |(currency, (orders, total, open)): (&String, &(i64, Amount, Amount))| OrderSum {
        currency: currency.clone(),
        orders: *orders,
        total_amount: *total,
        open_amount: *open,
    };
    sums.iter().map(one).collect()
}
